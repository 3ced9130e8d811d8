"""A network's file that is in no catalogue, used where it lies: ``weights: runs/best.onnx``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from visionkit.errors import WeightsError
from visionkit.weights.describe import describe
from visionkit.weights.entry import Entry, FileSpec, Source
from visionkit.weights.fetch import sha256_of
from visionkit.weights.importing import LOADER_BY_SUFFIX


def is_file(name: str) -> bool:
    """Whether ``name`` is the path of a file rather than the name of an entry."""
    return bool(Path(name).suffix) and Path(name).is_file()


def entry_of_file(path: Path, task: str) -> Entry:
    """An entry for ``path``, from what the file says about itself. It is not trusted.

    Raises:
        WeightsError: the file does not say enough, or cannot be read.
        MissingExtraError: the package that reads it is not installed.
    """
    known: dict[str, Any] = describe(path) if path.suffix in LOADER_BY_SUFFIX else {}
    if not known:
        raise WeightsError(
            f"{path.name} does not say how to feed it and read its outputs",
            help=f"visionkit weights import {path.name} --task {task} --like NAME, with an entry of its architecture",
        )
    source = Source(bundled=path.name)
    spec = FileSpec(name=path.name, size=path.stat().st_size, sha256=sha256_of(path), sources=(source,))
    return Entry(
        name=path.stem,
        task=task,
        architecture=f"the file {path.name}",
        loader=LOADER_BY_SUFFIX[path.suffix],
        licence="unknown",
        trusted=False,
        files=(spec,),
        folder=path.parent,
        **known,
    )
