"""The suite finds what it is there to find: one bad stage for every rule."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import ConfigDict, Field

from visionkit.data import ABSENT, Detections, Image, Scores
from visionkit.stage import BatchStage, MapStage, ScanStage, StageContext, StageParams
from visionkit.testing import CountingContext, check_stage


class Params(StageParams):
    level: int = Field(3, ge=0, description="A level.")


def check(stage_class: Any, **options: Any) -> None:
    check_stage(stage_class, fresh_import=False, **options)


class GoodMap(MapStage[Params]):
    """Adds a level.

    Example:
        - good.map: {level: 4, when: level > 3}
    """

    def run(self, image: Image) -> Image:
        return image.replaced(np.clip(image.native().astype(int) + self.params.level, 0, 255).astype(np.uint8))


class GoodScan(ScanStage[Params]):
    """Says how much the brightness changed; nothing for the first picture.

    Example:
        - good.scan
    """

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._before: float | None = None

    def run(self, image: Image, objects: Detections | None = None) -> Scores:
        before, self._before = self._before, float(image.gray().mean())
        return ABSENT if before is None else Scores({"change": self._before - before})  # type: ignore[return-value]


class Network:
    """Half of the brightness of each picture of a batch."""

    def infer(self, batch: Any) -> Any:
        return (batch.mean(axis=(1, 2, 3), keepdims=True) / 2,)


class Models:
    def model(self, name: str, task: str) -> Network:
        return Network()

    def file(self, name: str, part: str | None = None) -> Path:
        raise AssertionError("not asked for")


class GoodBatch(BatchStage[Params]):
    """Measures brightness with a network.

    Example:
        - good.batch:
    """

    def open(self, context: StageContext) -> None:
        self._model = context.model("brightness", task="measure")

    def bucket(self, image: Image) -> Hashable:
        return image.width, image.height

    def run(self, images: Sequence[Image]) -> Sequence[Scores]:
        (halves,) = self._model.infer(np.stack([image.bgr() for image in images]))
        return [Scores({"half": float(half.item())}) for half in halves]


@pytest.mark.parametrize("stage_class", [GoodMap, GoodScan, GoodBatch])
def test_good_stages_pass(stage_class: Any) -> None:
    check(stage_class, context=CountingContext(Models()))


class Undescribed(StageParams):
    level: int = 3


class Changeable(StageParams):
    model_config = ConfigDict(frozen=False)


class WithoutDescription(GoodMap, MapStage[Undescribed]):
    """Adds a level.

    Example:
        - good.map
    """


class WithChangeableParams(GoodMap, MapStage[Changeable]):
    """Adds a level.

    Example:
        - good.map
    """

    def run(self, image: Image) -> Image:
        return image


class WithoutExample(GoodMap):
    """Adds a level."""


class WithWrongExample(GoodMap):
    """Adds a level.

    Example:
        - good.map: {level: -3}
    """


class WithoutSentence(GoodMap):
    """adds a level

    Example:
        - good.map
    """


class WrongType(GoodMap):
    """Adds a level.

    Example:
        - good.map
    """

    def run(self, image: Image) -> Image:
        return Scores({})  # type: ignore[return-value]


class OnlyColour(GoodMap):
    """Adds a level.

    Example:
        - good.map
    """

    def run(self, image: Image) -> Image:
        assert len(image.native().shape) == 3, "no channels"
        return image


class UndeclaredColumn(MapStage[Params]):
    """Measures objects.

    Example:
        - bad.column
    """

    def run(self, objects: Detections) -> Detections:
        return objects.with_columns({"speed": np.zeros(len(objects))})


class MissingColumn(UndeclaredColumn):
    """Measures objects.

    Example:
        - bad.column
    """

    extra_columns: ClassVar = {"colour": None}

    def run(self, objects: Detections) -> Detections:
        return objects


class NotEmpty(MapStage[Params]):
    """Keeps the best object.

    Example:
        - bad.best
    """

    def run(self, objects: Detections) -> Detections:
        return objects.select([int(objects.score.argmax())])


class NotAbsent(ScanStage[Params]):
    """Passes objects on.

    Example:
        - bad.absent
    """

    def run(self, objects: Detections | None) -> Detections:
        assert objects is not None, "no objects"
        return objects


class WritesIntoItsInput(GoodMap):
    """Adds a level.

    Example:
        - good.map
    """

    def run(self, image: Image) -> Image:
        import ctypes

        pixels = image.native()
        ctypes.memset(pixels.ctypes.data, 7, 1)  # as a library would that knows nothing of NumPy's flags
        return image


class Remembers(GoodMap):
    """Adds a level.

    Example:
        - good.map
    """

    def run(self, image: Image) -> Image:
        self._seen = getattr(self, "_seen", 0) + 1
        return image.replaced(np.full((3, 3), self._seen, np.uint8), image.canvas.crop(0, 0, 3, 3))


class ForgetsNot(GoodScan):
    """Says how much the brightness changed.

    Example:
        - good.scan
    """

    def open(self, context: StageContext) -> None:
        self._before = None

    def reset(self) -> None:
        pass


class Shares(GoodScan):
    """Says how much the brightness changed.

    Example:
        - good.scan
    """

    _memory: ClassVar[list[float]] = []

    def reset(self) -> None:
        self._memory.clear()

    def run(self, image: Image) -> Scores:
        self._memory.append(float(image.gray().mean()))
        return Scores({"change": self._memory[-1] - self._memory[0]})


class OneByOne(GoodBatch):
    """Measures brightness with a network.

    Example:
        - good.batch
    """

    def run(self, images: Sequence[Image]) -> Sequence[Scores]:
        return [Scores({"half": float(self._model.infer(image.bgr()[None])[0].item())}) for image in images]


class MixesUp(GoodBatch):
    """Measures brightness with a network.

    Example:
        - good.batch
    """

    def run(self, images: Sequence[Image]) -> Sequence[Scores]:
        (halves,) = self._model.infer(np.stack([image.bgr() for image in images]))
        return [Scores({"half": float(halves.mean())}) for _ in images]


class Loses(GoodBatch):
    """Measures brightness with a network.

    Example:
        - good.batch
    """

    def run(self, images: Sequence[Image]) -> Sequence[Scores]:
        return list(super().run(images))[1:]


BAD = {
    WithoutDescription: "the parameter 'level' has no description",
    WithChangeableParams: "its parameters can be changed",
    WithoutExample: "has no 'Example:'",
    WithWrongExample: "greater than or equal to 0",
    WithoutSentence: "first line of the docstring is no sentence",
    WrongType: "result is declared Image, got Scores",
    OnlyColour: "no channels",
    UndeclaredColumn: r"columns \['speed'\] are not declared",
    MissingColumn: r"columns \['colour'\] are declared but not there",
    NotEmpty: "empty sequence",
    NotAbsent: "no objects",
    WritesIntoItsInput: r"changed what it was given: inputs.image\S*\(\)",
    Remembers: "depends on what came before",
    ForgetsNot: r"remembers across reset\(\)",
    Shares: "two instances interfere",
    OneByOne: r"calls its networks more than once: \{'brightness': 3\}",
    MixesUp: "not what its parts are: batch",
    Loses: "one packet in, 0 out",
}


@pytest.mark.parametrize(("stage_class", "message"), BAD.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_bad_stages_are_found(stage_class: Any, message: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=message):
        check(stage_class, context=CountingContext(Models()))


def test_inputs_of_ones_own() -> None:
    """A stage on data the suite has no example of is checked with inputs that the caller makes."""

    class Own:
        pass

    class OwnStage(MapStage[Params]):
        """Takes what only its author knows.

        Example:
            - own.stage
        """

        def run(self, image: Image, own: Any) -> Image:
            return image

    OwnStage.run.__annotations__["own"] = Own
    with pytest.raises(TypeError, match="no example of Own"):
        check(OwnStage)
    own = Own()
    check(OwnStage, inputs=lambda image: {"image": image, "own": own})
