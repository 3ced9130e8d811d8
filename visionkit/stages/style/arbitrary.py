"""``style.arbitrary``: the style of any picture, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.lazy import cv2, np
from visionkit.stage import BatchStage, GivenFile, Probability, StageContext, StageParams, WeightsName
from visionkit.stages.style._pixels import finished, style_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue

STYLE_SIDE = 256


class ArbitraryParams(StageParams):
    style: GivenFile = Field(description="The picture whose style is taken.")
    weights: WeightsName = Field("arbitrary_style", description="A pair of style networks in the weights catalogue.")
    keep: Probability = Field(0.0, description="How much of the picture's own style stays: 0 none, 1 all.")
    strength: Probability = Field(1.0, description="How much of the painted picture there is, over the picture.")


class Arbitrary(BatchStage[ArbitraryParams]):
    """Paints the picture in the style of another one, which no network has to be trained for.

    Exploring the structure of a real-time, arbitrary neural artistic stylization network, Ghiasi et al., BMVC 2017,
    arXiv:1705.06830. The bundled pair paints 384 × 384 pixels, scaled back to the size of the picture.

    Raises:
        UsageError: the style cannot be read as a picture.

    Example:
        - style.arbitrary: {style: starry_night.jpg}
    """

    def open(self, context: StageContext) -> None:
        self._model: Any = context.model(self.params.weights, task="style")
        settings = self._model.entry.settings
        if "transform" not in settings:
            raise WeightsError(f"{self.params.weights!r} has styles of its own", help="the stage style.fast runs it")
        self._predict, self._transform = settings["predict"], settings["transform"]
        self._style = self._read(style_picture(self.params.style, "style.arbitrary"))

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        return [self._painted(image) for image in images]

    def _painted(self, image: Image) -> Image:
        height, width = self._model.entry.preprocessing.size
        small = cv2.resize(image.rgb(), (width, height), interpolation=cv2.INTER_AREA)
        style = self._style
        if self.params.keep:
            style = (1 - self.params.keep) * style + self.params.keep * self._read(image.rgb())
        name = self._model.inputs(self._transform)[1]
        made = self._model.run(self._transform, _planes(small), {name: style.astype(np.float32)})
        return finished(made[0], image, self.params.strength)

    def _read(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The style of RGB pixels as numbers (1, 1, 1, 100)."""
        small = cv2.resize(pixels, (STYLE_SIDE, STYLE_SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(self._model.run(self._predict, _planes(small)), np.float32)

    @classmethod
    def check(cls, params: ArbitraryParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights or "transform" in weights.get(params.weights).settings:
            return []
        return [("weights", f"{params.weights!r} does not take the style of a picture", "arbitrary_style does")]


def _planes(pixels: Any) -> NDArray[np.float32]:
    return np.asarray(np.ascontiguousarray(pixels[None], np.float32) / 255, np.float32)
