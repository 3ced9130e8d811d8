"""``matte``: how much of every pixel belongs to what the picture is about."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.backends import Model, fit_batch, input_size
from visionkit.data import Image, Matte
from visionkit.errors import WeightsError
from visionkit.lazy import np
from visionkit.stage import BatchStage, StageContext, StageParams, WeightsName
from visionkit.stages.segment._planes import on_picture

if TYPE_CHECKING:
    from visionkit.weights import Catalogue


class MatteParams(StageParams):
    weights: WeightsName = Field("u2netp", description="A saliency network in the weights catalogue.")


class MatteStage(BatchStage[MatteParams]):
    """Separates the subject from its background, softly: 1 inside, 0 outside, in between at hair and edges.

    U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection, Qin et al., 2020, arXiv:2005.09007.

    Example:
        - matte
        - background.blur: {size: 0.05}
    """

    on_device = True
    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="segment")
        if self._model.entry.settings.get("output") != "saliency":
            raise WeightsError(f"{self.params.weights!r} gives classes, not a matte", help="the stage segment runs it")

    def bucket(self, image: Image) -> Hashable:
        return input_size(image.width, image.height, self._model.spec)

    def run(self, images: Sequence[Image]) -> Sequence[Matte]:
        results: dict[int, Matte] = {}
        for places, fitted, batch in fit_batch(images, self._model.spec, device=self._model.device):
            planes = self._model.infer(batch)[0][:, 0]
            for row, place in enumerate(places):
                plane, image = planes[row], images[place]
                low, high = float(plane.min()), float(plane.max())
                stretched = (plane - low) / max(high - low, 1e-6)  # as the project's own demo does
                alpha = on_picture(stretched.astype(np.float32), fitted[row], image.width, image.height)
                results[place] = Matte(image.canvas, np.clip(alpha, 0, 1))
        return [results[place] for place in range(len(images))]

    @classmethod
    def check(cls, params: MatteParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights or weights.get(params.weights).settings.get("output") == "saliency":
            return []
        return [("weights", f"{params.weights!r} gives no matte", "u2netp does")]
