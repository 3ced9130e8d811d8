"""Stages without models for testing the engine: tiny pictures in, tiny pictures out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import ClassVar

import numpy as np
from pydantic import Field

from visionkit.data import Detections, Image, Scores
from visionkit.stage import BatchStage, Frame, MapStage, ScanStage, SourceInfo, StageParams
from visionkit.stage.fields import NUMBER, NUMBERS

TARGETS = {
    f"toy.{name}": f"tests.runtime.toys:{cls}"
    for name, cls in {
        "add": "Add",
        "mix": "Mix",
        "batch": "Batch",
        "scan": "Scan",
        "fail": "Fail",
        "count": "Count",
        "objects": "Objects",
        "score": "Score",
        "noop": "Noop",
    }.items()
}


class AddParams(StageParams):
    n: int = 1


class Noop(MapStage[StageParams]):
    """Does nothing."""

    def run(self, image: Image) -> Image:
        return image


class Add(MapStage[AddParams]):
    """Adds n to every pixel."""

    def run(self, image: Image) -> Image:
        return image.replaced(image.gray() + np.uint8(self.params.n))


class Mix(MapStage[StageParams]):
    """Adds a second picture to the first, where there is one."""

    def run(self, image: Image, other: Image | None) -> Image:
        extra = other.gray() if other is not None else np.uint8(7)
        return image.replaced(image.gray() + extra)


class BatchParams(StageParams):
    n: int = 3
    poison: int = Field(-1, description="A batch with a picture of this value fails.")
    slow: float = 0.0


class Batch(BatchStage[BatchParams]):
    """Multiplies by n; remembers how many calls there were."""

    side_by_side = True

    def open(self, context: object) -> None:
        self.calls: list[int] = []

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        self.calls.append(len(images))
        if self.params.slow:
            time.sleep(self.params.slow)
        if any(int(i.gray()[0, 0]) == self.params.poison for i in images):
            raise RuntimeError("poisoned")
        return [i.replaced(i.gray() * np.uint8(self.params.n)) for i in images]


class Scan(ScanStage[StageParams]):
    """Adds everything seen so far: wrong at once if the order is."""

    def open(self, context: object) -> None:
        self.total = np.uint8(0)

    def reset(self) -> None:
        self.total = np.uint8(0)

    def run(self, image: Image | None) -> Scores:
        with np.errstate(over="ignore"):
            self.total = self.total * np.uint8(31) + np.uint8(image.gray()[0, 0] if image is not None else 1)
        return Scores({"total": float(self.total)})


class FailParams(StageParams):
    modulo: int = 5


class Fail(MapStage[FailParams]):
    """Fails where the pixel is a multiple."""

    def run(self, image: Image) -> Image:
        if int(image.gray()[0, 0]) % self.params.modulo == 0:
            raise ValueError("a multiple")
        return image.replaced(image.gray() + np.uint8(1))


class Count(MapStage[StageParams]):
    """The first pixel as a number."""

    extra_columns: ClassVar = {"pixel": NUMBER}

    def run(self, image: Image) -> Scores:
        return Scores({"pixel": float(image.gray()[0, 0])})


class ObjectsParams(StageParams):
    most: int = 4
    tracked: bool = True


class Objects(MapStage[ObjectsParams]):
    """One-pixel objects on a row, as many as the first pixel says; their tracks are their places."""

    @classmethod
    def columns(cls, params: ObjectsParams) -> dict[str, object]:
        return {"track_id": NUMBERS} if params.tracked else {}

    def run(self, image: Image) -> Detections:
        first = int(image.gray()[0, 0])
        places = [i for i in range(min(self.params.most, image.width)) if (first >> i) & 1 or i == first % 3]
        xyxy = np.array([[i, 0, i + 1, 1] for i in places], np.float32).reshape(-1, 4)
        n = len(places)
        tracks = np.array(places, np.int64) if self.params.tracked else None
        return Detections(image.canvas, xyxy, np.full(n, 0.5), np.zeros(n), track_id=tracks)


class Score(BatchStage[BatchParams]):
    """A reading of a crop: its pixel, and a score made of it."""

    side_by_side = True
    extra_columns: ClassVar = {"value": NUMBER, "score": NUMBER}

    def run(self, images: Sequence[Image]) -> Sequence[Scores]:
        if self.params.slow:
            time.sleep(self.params.slow)
        return [Scores({"value": float(i.gray()[0, 0]), "score": float(i.gray()[0, 0] % 100) / 100}) for i in images]


class ToySource:
    """Small grey frames, seeded; ``sizes`` makes some frames large, for the credits."""

    def __init__(self, name: str, count: int, seed: int = 0, sources: int = 1, width: int = 4) -> None:
        self.name = name
        self.live = False
        self._count = count
        self._rng = np.random.default_rng(seed)
        self._infos = [SourceInfo(f"{name}{i}", "video") for i in range(sources)]
        self.infos = self._infos
        self._pixels = self._rng.integers(0, 256, (sources, count, 2, width), dtype=np.uint8)
        self._bytes = self._rng.integers(1, 400, (sources, count))

    def image(self, source: int, index: int) -> Image:
        return Image(self._pixels[source, index].copy(), "gray")

    def frames(self) -> Iterator[Frame]:
        for s, info in enumerate(self._infos):
            for i in range(self._count):
                nbytes = int(self._bytes[s, i])
                yield Frame(info, i, lambda s=s, i=i: self.image(s, i), nbytes, Fraction(i, 25))
