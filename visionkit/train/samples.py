"""Labelled pictures: what a sample is, and readers for the data sets our recipes use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from visionkit.errors import DataError, SourceError
from visionkit.frozen import Frozen
from visionkit.lazy import load, np, torch

if TYPE_CHECKING:
    from torch import Tensor

BCCD_CLASSES = ("RBC", "WBC", "Platelets")


class Sample(Frozen):
    """One labelled picture.

    Attributes:
        name: as in the split file.
        image: 3×H×W uint8, RGB.
        boxes: N×4 float32, xyxy in pixels.
        labels: N int64, from 1: torchvision's detectors keep 0 for the background.
        mask: H×W uint8, 1 where the thing is; None for a data set of boxes.
    """

    name: str
    image: Tensor
    boxes: Tensor
    labels: Tensor
    mask: Tensor | None = None

    def to(self, device: str) -> Sample:
        """The same sample with its tensors on ``device``."""
        mask = None if self.mask is None else self.mask.to(device)
        return replace(
            self,
            image=self.image.to(device),
            boxes=self.boxes.to(device),
            labels=self.labels.to(device),
            mask=mask,
        )


def read_split(path: Path, parts: Sequence[str]) -> list[str]:
    """The names in the parts ("train", "val", "test") of a split file, in its order.

    Raises:
        DataError: the file has no such part.
    """
    split = json.loads(path.read_text("utf-8"))
    lists = {key: value for key, value in split.items() if isinstance(value, list)}
    for part in parts:
        if part not in lists:
            raise DataError(f"{path} has no part {part!r}", help=f"it has: {', '.join(lists)}")
    return [name for part in parts for name in lists[part]]


def read_picture(path: Path, *, grey: bool = False) -> Tensor:
    """A JPEG or PNG as 3×H×W (grey: H×W) uint8.

    Raises:
        SourceError: no such file, or not a picture.
    """
    pil = load("PIL.Image")
    try:
        with pil.open(path) as picture:
            pixels = np.array(picture.convert("L" if grey else "RGB"))
    except (OSError, ImportError) as error:  # PIL's "not a picture" is an OSError; Ultralytics makes it an ImportError
        raise SourceError(f"cannot read {path}: {error}", help="is this the data set's top folder?") from error
    tensor = torch.from_numpy(pixels)
    return tensor if grey else tensor.permute(2, 0, 1).contiguous()


def load_bccd(root: Path, names: Sequence[str]) -> list[Sample]:
    """BCCD blood cells: ``JPEGImages/*.jpg`` with Pascal VOC boxes in ``Annotations/*.xml``."""
    return [_read_voc(root, name, BCCD_CLASSES) for name in names]


def _read_voc(root: Path, name: str, classes: Sequence[str]) -> Sample:
    tree = ElementTree.parse(root / "Annotations" / f"{name}.xml")
    boxes, labels = [], []
    for thing in tree.iter("object"):
        x0, y0, x1, y1 = (float(thing.findtext(f"bndbox/{edge}", "0")) for edge in ("xmin", "ymin", "xmax", "ymax"))
        if x1 > x0 and y1 > y0:  # two of BCCD's 4,888 boxes are a single point
            boxes.append((x0, y0, x1, y1))
            labels.append(1 + classes.index(thing.findtext("name", "")))
    return Sample(
        name,
        read_picture(root / "JPEGImages" / f"{name}.jpg"),
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(labels, dtype=torch.int64),
    )


def load_pennfudan(root: Path, names: Sequence[str]) -> list[Sample]:
    """Penn-Fudan pedestrians: ``PNGImages/*.png``, ``PedMasks/*_mask.png`` with 1, 2, 3 ... for each person."""
    samples = []
    for name in names:
        people = read_picture(root / "PedMasks" / f"{name}_mask.png", grey=True)
        boxes = torch.stack([_hull(people == person) for person in range(1, int(people.max()) + 1)])
        image = read_picture(root / "PNGImages" / f"{name}.png")
        labels = torch.ones(len(boxes), dtype=torch.int64)
        samples.append(Sample(name, image, boxes, labels, (people > 0).to(torch.uint8)))
    return samples


def _hull(mask: Tensor) -> Tensor:
    """The box around the true pixels of an H×W mask; a pixel covers [x, x+1)."""
    y, x = torch.where(mask)
    return torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).to(torch.float32)


def load_membrane(root: Path, names: Sequence[str]) -> list[Sample]:
    """ISBI 2012 electron microscopy: ``image/*.png`` and ``label/*.png``; mask 1 inside a cell, 0 on membrane."""
    none = torch.zeros((0, 4)), torch.zeros(0, dtype=torch.int64)
    return [
        Sample(
            name,
            read_picture(root / "image" / f"{name}.png"),
            *none,
            (read_picture(root / "label" / f"{name}.png", grey=True) > 127).to(torch.uint8),
        )
        for name in names
    ]
