"""What every measurement works with: data, networks, opened stages; and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2

from visionkit.backends import ModelCache
from visionkit.data import Image
from visionkit.stage.catalogue import stages
from visionkit.testing.context import CountingContext
from visionkit.weights import Catalogue, Store

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """One number.

    Attributes:
        family: of stages.
        what: what was measured.
        ours: what the stage gives.
        unit: of the numbers; "" for scores from 0 to 1.
        library: what the library called by hand gives, where that is a number of the same kind.
        least, most: what was asked of ``ours``; ``apart``: how far it may be from ``library``.
        on: on how much of what.
    """

    family: str
    what: str
    ours: float
    unit: str = ""
    library: float | None = None
    least: float | None = None
    most: float | None = None
    apart: float | None = None
    on: str = ""

    @property
    def asked(self) -> str:
        """What was asked, in words; empty if nothing was."""
        unit = f" {self.unit}" if self.unit else ""
        if self.apart is not None:
            return f"± {self.apart:g}{unit}"
        if self.least is not None:
            return f"≥ {self.least:g}{unit}"
        return "" if self.most is None else f"≤ {self.most:g}{unit}"

    @property
    def reached(self) -> bool | None:
        """Whether it was; None if nothing was asked."""
        if self.apart is not None and self.library is not None:
            return bool(abs(self.ours - self.library) <= self.apart)
        if self.least is not None:
            return bool(self.ours >= self.least)
        return None if self.most is None else bool(self.ours <= self.most)


class Lab:
    """Data and networks. ``data``: the folder with coco128, bccd, pennfudan, membrane and videos."""

    def __init__(self, data: Path, models: ModelCache | None = None) -> None:
        self.data = data
        self.samples = ROOT / "samples"
        self.models = models or ModelCache(Catalogue.load(), Store())

    @contextmanager
    def stage(self, name: str, **params: Any) -> Iterator[Any]:
        """The stage called ``name``, opened."""
        made = stages().get(name)
        stage = made(made.Params(**params))
        stage.open(CountingContext(self.models))
        try:
            yield stage
        finally:
            stage.close()

    @cached_property
    def photos(self) -> list[Image]:
        """The 128 photos of COCO128."""
        return [Image(cv2.imread(str(path))) for path in self.photo_paths]

    @property
    def photo_paths(self) -> list[Path]:
        return sorted((self.data / "coco128" / "images").glob("*.jpg"))

    @cached_property
    def sample_photos(self) -> list[Image]:
        """The bundled photos."""
        return [Image(cv2.imread(str(path))) for path in sorted((self.samples / "photos").glob("*.jpg"))]
