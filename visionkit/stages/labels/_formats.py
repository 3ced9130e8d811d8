"""Labels of one picture in the formats of data sets: YOLO text, Pascal VOC XML, COCO JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from xml.etree import ElementTree as Xml

from visionkit.data import Canvas, Detections
from visionkit.errors import DataError
from visionkit.frozen import Frozen
from visionkit.lazy import np
from visionkit.stages.labels._columns import Columns


class Format(Protocol):
    """Finds the labels of a picture by its path below the data set's folder."""

    def read(self, name: PurePosixPath, canvas: Canvas) -> Detections:
        """The objects of a picture whose frame is ``canvas``; none where nothing was written down.

        Raises:
            DataError: what is written there is no label; names file and line.
        """


class Yolo(Frozen):
    """A text file for each picture: class number, then centre and size, or an outline, as shares of the picture."""

    folder: Path
    classes: tuple[str, ...]

    def read(self, name: PurePosixPath, canvas: Canvas) -> Detections:
        path = beside(self.folder, name, ".txt")
        found = Columns(canvas)
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    self._line([float(part) for part in line.split()], found)
                except (ValueError, IndexError) as error:
                    raise DataError(f"{path}:{number}: no label of YOLO: {line[:60]!r}", help=str(error)) from error
        return found.detections(self.classes)

    def _line(self, numbers: Sequence[float], found: Columns) -> None:
        wide, high = found.canvas.size
        class_name = self.classes[int(numbers[0])]
        if len(numbers) in (5, 6):
            x, y, width, height = numbers[1:5]
            ends = x - width / 2, y - height / 2, x + width / 2, y + height / 2
            found.add(class_name, [ends[0] * wide, ends[1] * high, ends[2] * wide, ends[3] * high], *numbers[5:])
        elif len(numbers) >= 7 and len(numbers) % 2:
            found.add_outline(class_name, np.array(numbers[1:]).reshape(-1, 2) * [wide, high])
        else:
            raise ValueError("a line has 5 or 6 numbers (a box), or 7, 9, ... (an outline)")


class Voc(Frozen):
    """An XML file for each picture, boxes in whole pixels counted from 1."""

    folder: Path
    classes: tuple[str, ...]

    def read(self, name: PurePosixPath, canvas: Canvas) -> Detections:
        path = beside(self.folder, name, ".xml")
        found = Columns(canvas)
        if path.is_file():
            try:
                for entry in Xml.parse(path).getroot().iter("object"):
                    ends = [float(entry.findtext(f"bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")]
                    score = float(entry.findtext("score") or 1)
                    found.add(entry.findtext("name") or "", np.array(ends) - (1, 1, 0, 0), score)
            except (Xml.ParseError, ValueError) as error:
                raise DataError(f"{path}: no labels of Pascal VOC: {error}") from error
        return found.detections(self.classes)


class Coco(Frozen):
    """One JSON file for all pictures, which are found by their path, or by their name alone where that is enough."""

    path: Path
    classes: tuple[str, ...] = ()
    _rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @staticmethod
    def open(path: Path) -> Coco:
        """Raises DataError where the file is not COCO's JSON."""
        try:
            held = json.loads(path.read_text("utf-8"))
            names = {row["id"]: str(row["name"]) for row in held["categories"]}
            files = {row["id"]: str(row["file_name"]) for row in held["images"]}
            rows: dict[str, list[Mapping[str, Any]]] = {file: [] for file in files.values()}
            for row in held["annotations"]:
                rows[files[row["image_id"]]].append({**row, "class_name": names[row["category_id"]]})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is not COCO's JSON: {type(error).__name__} {error}") from error
        return Coco(path, tuple(dict.fromkeys(names.values())), rows)

    def read(self, name: PurePosixPath, canvas: Canvas) -> Detections:
        rows = self._rows.get(str(name))
        found = Columns(canvas)
        for row in self._rows.get(name.name, ()) if rows is None else rows:
            if not row.get("iscrowd"):
                found.add_coco(row)
        return found.detections(self.classes)


def beside(folder: Path, name: PurePosixPath, suffix: str) -> Path:
    """The file of a picture in a folder that mirrors the pictures', or holds all of them."""
    mirrored = folder / name.with_suffix(suffix)
    return mirrored if mirrored.is_file() else folder / name.with_suffix(suffix).name
