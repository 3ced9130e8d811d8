"""A file of the user's own becomes a catalogue entry: ``visionkit weights import my.pt --task detect``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visionkit.errors import UsageError
from visionkit.weights.catalogue import Catalogue, user_weights_dir
from visionkit.weights.describe import describe
from visionkit.weights.entry import Entry
from visionkit.weights.fetch import guard_disk, sha256_of

LOADER_BY_SUFFIX = {".onnx": "onnx", ".tflite": "cv2dnn", ".pb": "cv2dnn-tf", ".pt": "ultralytics"}
FROM_LIKE = ("architecture", "loader", "preprocessing", "settings", "class_list", "classes")


def import_file(
    path: Path,
    task: str,
    name: str = "",
    classes: Path | Sequence[str] | None = None,
    like: str | None = None,
    *,
    loader: str | None = None,
    preprocessing: dict[str, Any] | None = None,
    licence: str = "unknown",
    copyleft: bool = False,
    trust: bool = False,
    user_folder: Path | None = None,
) -> Entry:
    """Copy ``path`` into the user's own weights folder and write an entry for it beside it.

    Args:
        path: an .onnx, .pt, .pth, .safetensors, .tflite or .pb file.
        task: what it is for: "detect", "classify", ...
        name: what stages will call it; the file's name by default.
        classes: class names in order, or a text file with one a line, or the name of a shared list ("coco80").
        like: an entry of the same architecture: loader, preprocessing, settings and classes are taken from it.
        loader: how it becomes a network; without it and ``like``, the file's ending says so, and what a checkpoint or
            graph of Ultralytics says about itself (class names, input size) is taken over.
        preprocessing: the fields of :class:`Preprocessing`, over those of ``like``.
        licence: of the weights.
        copyleft: whether that licence may bind the code that uses them.
        trust: whether the file may be unpickled in full.
        user_folder: :func:`user_weights_dir` by default.

    Raises:
        UsageError: there is no such file, the name is taken or unfit, or how to load it is not known.
        WeightsError: VK311 ``like`` is not an entry, VK315 the disk is full, VK319 the file cannot be read.
    """
    folder = user_folder or user_weights_dir()
    catalogue = Catalogue.load(folder)
    name = _checked_name(name or path.stem, catalogue)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    values = _how_to_load(path, catalogue, like, loader)
    values |= {"licence": licence, "copyleft": copyleft, "trusted": trust}
    values.setdefault("architecture", f"imported from {path.name}")
    if preprocessing:
        values["preprocessing"] = {**values.get("preprocessing", {}), **preprocessing}
    if classes is not None:
        values["classes"] = _class_names(classes)
    stored = folder / task / f"{name}{path.suffix}"
    values["files"] = [_file_spec(path, stored.name)]
    entry = catalogue.make(values, folder / task / f"{name}.yaml")  # checked before anything is written
    stored.parent.mkdir(parents=True, exist_ok=True)
    with guard_disk(stored.parent, need=path.stat().st_size):
        _copy(path, stored)
        _write_yaml(values, stored.with_suffix(".yaml"))
    return entry


def _checked_name(name: str, catalogue: Catalogue) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise UsageError(f"{name!r} cannot be a name", help="letters, digits, '_', '-' and '.'; --name gives another")
    if name in catalogue:
        raise UsageError(f"there already are weights called {name!r}", help="--name gives another")
    return name


def _how_to_load(path: Path, catalogue: Catalogue, like: str | None, loader: str | None) -> dict[str, Any]:
    """What is known of the network: by the caller's word, from an entry like it, or from the file itself."""
    if like:
        return _like(catalogue, like) | ({"loader": loader} if loader else {})
    if loader:
        return {"loader": loader}
    return {"loader": _loader_of(path), **describe(path)}


def _like(catalogue: Catalogue, like: str) -> dict[str, Any]:
    values = catalogue.get(like).model_dump(mode="json", include=set(FROM_LIKE), exclude_none=True)
    if "class_list" in values:
        values["classes"] = values.pop("class_list")
    return values


def _loader_of(path: Path) -> str:
    if path.suffix not in LOADER_BY_SUFFIX:
        raise UsageError(
            f"a {path.suffix or 'nameless'} file does not say which network it belongs to",
            help="--like NAME names an entry of the same architecture, e.g. mobilenet_v2",
        )
    return LOADER_BY_SUFFIX[path.suffix]


def _class_names(classes: Path | Sequence[str]) -> str | list[str]:
    if isinstance(classes, Path):
        if not classes.is_file():
            raise UsageError(f"there is no file {classes}")
        return classes.read_text("utf-8").splitlines()
    return classes if isinstance(classes, str) else list(classes)


def _file_spec(path: Path, name: str) -> dict[str, Any]:
    size = path.stat().st_size
    return {"name": name, "size": size, "sha256": sha256_of(path), "sources": [{"bundled": name}]}


def _copy(path: Path, stored: Path) -> None:
    part = stored.with_name(f"{stored.name}.part")
    try:
        shutil.copyfile(path, part)
        part.replace(stored)
    finally:
        part.unlink(missing_ok=True)


def _write_yaml(values: dict[str, Any], path: Path) -> None:
    from ruamel.yaml import YAML

    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(values, file)
