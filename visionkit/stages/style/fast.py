"""``style.fast``: a style that a network has learned, in one pass."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.lazy import np
from visionkit.stage import BatchStage, Pixels, Probability, StageContext, StageParams, WeightsName
from visionkit.stages.style._pixels import finished, padded, shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue

LEAST = 32


class FastParams(StageParams):
    weights: WeightsName = Field("styles26", description="A style network in the weights catalogue.")
    style: int = Field(0, ge=0, description="Which of the network's styles, from 0.")
    blend: dict[int, float] | None = Field(None, description="Several styles by weight instead: {3: 0.7, 9: 0.3}.")
    size: Pixels | None = Field(None, description="Longest side that is painted; larger pictures are scaled there.")
    strength: Probability = Field(1.0, description="How much of the painted picture there is, over the picture.")


class Fast(BatchStage[FastParams]):
    """Paints the picture in a style that a feed-forward network has learned.

    Perceptual Losses for Real-Time Style Transfer, Johnson et al., ECCV 2016, arXiv:1603.08155; several styles in one
    network: A Learned Representation for Artistic Style, Dumoulin et al., ICLR 2017, arXiv:1610.07629.

    Raises:
        WeightsError: the network has fewer styles.

    Example:
        - style.fast: {style: 9, size: 640}
    """

    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Any = context.model(self.params.weights, task="style")
        entry = self._model.entry
        if problems := list(_wrong(self.params, entry)):
            raise WeightsError(problems[0][1], help=problems[0][2])
        self._range = float(entry.settings.get("range", 1))
        self._mixture = _mixture(self.params, int(entry.settings["styles"])) if "styles" in entry.settings else None

    def bucket(self, image: Image) -> Hashable:
        return image.width, image.height

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        return [self._painted(image) for image in images]

    def _painted(self, image: Image) -> Image:
        small = shrunk(image, self.params.size)
        planes = self._run(padded(small, LEAST)) / self._range
        height, width = small.shape[:2]
        return finished(planes[0].transpose(1, 2, 0)[:height, :width], image, self.params.strength)

    def _run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """The network's own output (1, 3, H, W)."""
        if self._mixture is None:
            return np.asarray(self._model.infer(pixels[None])[0])
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / 255
        entry = self._model.entry
        return np.asarray(self._model.run(entry.files[0].name, planes, {entry.settings["inputs"][1]: self._mixture}))

    @classmethod
    def check(cls, params: FastParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        return list(_wrong(params, weights.get(params.weights))) if params.weights in weights else []


def _wrong(params: FastParams, entry: Any) -> Sequence[tuple[str, str, str]]:
    """What does not go with the weights: (parameter, message, help)."""
    if entry.task != "style" or "transform" in entry.settings:
        return [("weights", f"{entry.name!r} is no feed-forward style network", "styles26 is one")]
    count = int(entry.settings.get("styles", 1))
    asked = list(params.blend) if params.blend else [params.style]
    wrong = [style for style in asked if not 0 <= style < count]
    where = "blend" if params.blend else "style"
    found = [(where, f"{entry.name} has the styles 0 to {count - 1}, got {wrong[0]}", "")] if wrong else []
    if params.blend and (min(params.blend.values()) < 0 or sum(params.blend.values()) <= 0):
        found.append(("blend", "weights must not be negative, and not all 0", ""))
    return found


def _mixture(params: FastParams, count: int) -> NDArray[np.float32]:
    """A weight for each style (S,), adding up to 1."""
    weights: Mapping[int, float] = params.blend or {params.style: 1.0}
    mixture = np.zeros(count, np.float32)
    for style, weight in weights.items():
        mixture[style] = weight
    return mixture / mixture.sum()
