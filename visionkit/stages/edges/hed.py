"""``edges.hed``: contours as people draw them, by a network."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.backends import Model, fit_batch
from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import BatchStage, Pixels, StageContext, StageParams, WeightsName, wrong_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue


class HedParams(StageParams):
    weights: WeightsName = Field("hed", description="A network of contours in the weights catalogue.")
    size: Pixels = Field(640, description="Longest side the network looks at; larger pictures are scaled there.")


class Hed(BatchStage[HedParams]):
    """Finds the outlines of things and leaves out texture: a grey picture, the brighter the surer.

    It looks at five scales and knows from people what a contour is, where ``edges.canny`` knows differences of
    brightness alone. Holistically-Nested Edge Detection, S. Xie and Z. Tu, ICCV 2015, arXiv:1504.06375.

    Example:
        - edges.hed: {size: 480}
    """

    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="edges")

    def bucket(self, image: Image) -> Hashable:
        return self._size(image)

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        results: dict[int, Image] = {}
        for places, _, batch in self._ready(images):
            for place, chance in zip(places, self._model.infer(batch)[0][:, 0], strict=True):
                results[place] = images[place].replaced(_levels(chance, images[place]))
        return [results[place] for place in range(len(images))]

    def _ready(self, images: Sequence[Image]) -> Any:
        return fit_batch([self._shrunk(image) for image in images], self._model.spec, device=self._model.device)

    def _size(self, image: Image) -> tuple[int, int]:
        ratio = min(1.0, self.params.size / max(image.width, image.height))
        return max(1, round(image.width * ratio)), max(1, round(image.height * ratio))

    def _shrunk(self, image: Image) -> Image:
        size = self._size(image)
        if size == (image.width, image.height):
            return image
        return Image(np.asarray(cv2.resize(image.bgr(), size, interpolation=cv2.INTER_AREA)))

    @classmethod
    def check(cls, params: HedParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        return wrong_task(weights, params.weights, "edges") if params.weights in weights else []


def _levels(chance: NDArray[np.float32], image: Image) -> NDArray[np.uint8]:
    levels = np.rint(chance * 255).astype(np.uint8)
    if levels.shape == (image.height, image.width):
        return levels
    return np.asarray(cv2.resize(levels, (image.width, image.height), interpolation=cv2.INTER_LINEAR))
