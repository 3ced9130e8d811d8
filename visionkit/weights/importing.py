"""A file of the user's own becomes a catalogue entry: ``visionkit weights import my.pt --task detect``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visionkit.errors import UsageError
from visionkit.weights.catalogue import Catalogue, user_weights_dir
from visionkit.weights.conventions import convention
from visionkit.weights.describe import describe
from visionkit.weights.entry import Entry
from visionkit.weights.fetch import guard_disk, sha256_of

LOADER_BY_SUFFIX = {".onnx": "onnx", ".tflite": "cv2dnn", ".pb": "cv2dnn-tf", ".pt": "ultralytics"}
HOW_TO_FEED = (
    "--like NAME feeds it as that entry is fed; or say how: --preprocess size=[224,224] --preprocess mean=[0.5,0.5,0.5]"
)
FROM_LIKE = ("architecture", "loader", "preprocessing", "settings", "class_list", "classes")


def import_file(
    path: Path,
    task: str,
    name: str = "",
    classes: Path | Sequence[str] | None = None,
    like: str | None = None,
    *,
    loader: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
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
            graph of Ultralytics says about itself (class names, input size) is taken over. Networks of torchvision,
            timm and segmentation-models-pytorch are fed as these libraries do it.
        preprocessing: the fields of :class:`Preprocessing`, over those of ``like`` and of the library.
        settings: what the loader and the stage must know, over those of ``like``: ``{"output": "yolov5"}``.
        licence: of the weights.
        copyleft: whether that licence may bind the code that uses them.
        trust: whether the file may be unpickled in full.
        user_folder: :func:`user_weights_dir` by default.

    Raises:
        UsageError: there is no such file, the name is taken or unfit, how to load or feed it is not known, or the file
            says that it has another number of classes.
        WeightsError: VK311 ``like`` is not an entry, VK315 the disk is full, VK319 the file cannot be read.
    """
    folder = user_folder or user_weights_dir()
    catalogue = Catalogue.load(folder)
    name = _checked_name(name or path.stem, catalogue)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    values = _how_to_load(path, catalogue, like, loader, settings or {})
    values |= {"licence": licence, "copyleft": copyleft, "trusted": trust}
    values.setdefault("architecture", f"imported from {path.name}")
    for key, given in (("preprocessing", preprocessing), ("settings", settings)):
        if given:
            values[key] = {**values.get(key, {}), **given}
    if classes is not None:
        own = None if like or loader else values.get("classes")
        values["classes"] = _class_names(classes, own)
    if "preprocessing" not in values and not _feeds_itself(values["loader"]):
        raise UsageError(f"how to feed {values['loader']} is not known", help=HOW_TO_FEED)
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


def _feeds_itself(loader: str) -> bool:
    """Whether the stages that run such files make their pictures ready themselves (OCR)."""
    return loader == "file"


def _how_to_load(
    path: Path, catalogue: Catalogue, like: str | None, loader: str | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What is known of the network: by the caller's word, from an entry like it, or from the file itself."""
    if like:
        return _like(catalogue, like) | ({"loader": loader} if loader else {})
    if loader:
        return {"loader": loader, **convention(loader, settings.get("build", {}))}
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


def pairs(texts: Sequence[str], option: str) -> dict[str, Any]:
    """``["size=[640,640]", "fit=letterbox"]`` as a mapping; values are read as YAML.

    Raises:
        UsageError: one has no equals sign, or is no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found: dict[str, Any] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        try:
            found[key.strip()] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise UsageError(f"{option} {text}: the value cannot be read") from error
        if not sign:
            raise UsageError(f"{option} {text}: expected NAME=VALUE", help=f"for instance {option} size=[640,640]")
    return found


def _class_names(classes: Path | Sequence[str], own: Sequence[str] | None) -> str | list[str]:
    """The names given; as many as the file says itself that it has, if it does."""
    if isinstance(classes, str):
        return classes
    if isinstance(classes, Path) and not classes.is_file():
        raise UsageError(f"there is no file {classes}")
    names = classes.read_text("utf-8").splitlines() if isinstance(classes, Path) else list(classes)
    if own is not None and len(own) != len(names):
        raise UsageError(
            f"the file has {len(own)} classes, and {len(names)} names were given",
            help=f"its own are {', '.join(own[:8])}{' …' if len(own) > 8 else ''}; without --classes they are taken",
        )
    return names


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
