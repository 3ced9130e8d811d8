"""What a picture is called in a data set, and what the classes are called."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, Literal

from visionkit.errors import UsageError
from visionkit.stage import SourceInfo


def picture_name(source: SourceInfo, index: int, pattern: Literal["coco", "files"]) -> PurePosixPath:
    """The path of a picture below the data set's folder, whichever variant of it this is."""
    name = PurePosixPath(source.relpath or source.name)
    if source.path:
        name = name.with_name(Path(source.path).name)
    if source.kind == "image":
        return name
    return name.with_name(f"{name.name}#{index}" if pattern == "coco" else f"{name.stem}_{index:06d}{name.suffix}")


def class_names(folder: Path) -> tuple[str, ...]:
    """The classes in the ``data.yaml`` (or ``classes.txt``) of a YOLO data set, looked for in the folder and above it.

    Raises:
        UsageError: there is none, or it names no classes.
    """
    for place in (folder, *list(folder.absolute().parents)[:2]):
        if (place / "classes.txt").is_file():
            return tuple((place / "classes.txt").read_text("utf-8").splitlines())
        for path in sorted(place.glob("*.yaml")):
            if names := _names_in(path):
                return names
    raise UsageError(
        f"labels: nothing says what the class numbers in {folder} mean",
        help="classes: [cat, dog], or a data.yaml with names: beside the folder",
    )


def _names_in(path: Path) -> tuple[str, ...]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        held: Any = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except YAMLError as error:
        raise UsageError(f"{path} is not YAML: {error}") from error
    names = held.get("names") if isinstance(held, dict) else None
    if isinstance(names, dict):
        return tuple(str(names.get(i, i)) for i in range(max(map(int, names)) + 1))
    return tuple(map(str, names or ()))
