"""``segment``: the class of every pixel, by any segmentation network of the weights catalogue."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.backends import Fitted, Model, fit_batch, input_size
from visionkit.data import Image, SemanticMask
from visionkit.errors import VisionkitError, did_you_mean
from visionkit.lazy import np
from visionkit.stage import BatchStage, Probability, StageContext, StageParams, WeightsName, wrong_task
from visionkit.stages.segment._planes import best_class, on_picture, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue


class SegmentParams(StageParams):
    weights: WeightsName = Field(
        "unet_mobilenet_person", description="A segmentation network in the weights catalogue."
    )
    classes: tuple[str, ...] | None = Field(None, description="Keep only these classes; all else becomes background.")
    min_score: Probability = Field(0.0, description="Pixels less sure than this become background.")
    threshold: Probability = Field(
        0.5, description="For a network with one class: from which probability on it is there."
    )


class Segment(BatchStage[SegmentParams]):
    """Says of every pixel what it shows: U-Net and its kin, DeepLabV3, LR-ASPP.

    The mask has the size of the picture; class 0 is the background. A network with a single plane tells one class from
    the background.

    Example:
        - segment: {classes: [person], min_score: 0.5}
    """

    on_device = True
    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="segment")
        entry = self._model.entry
        self._names = entry.classes or ("background", "object")
        self._activation = entry.settings.get("activation")
        self._dropped = _dropped(self.params.classes, self._names)

    def bucket(self, image: Image) -> Hashable:
        return input_size(image.width, image.height, self._model.spec)

    def run(self, images: Sequence[Image]) -> Sequence[SemanticMask]:
        results: dict[int, SemanticMask] = {}
        for places, fitted, batch in fit_batch(images, self._model.spec, device=self._model.device):
            logits = self._model.infer(batch)[0]
            for row, place in enumerate(places):
                results[place] = self._mask(logits[row], fitted[row], images[place])
        return [results[place] for place in range(len(images))]

    def _mask(self, logits: NDArray[Any], fitted: Fitted, image: Image) -> SemanticMask:
        size = image.width, image.height
        if len(logits) == 1:
            inside = on_picture(probabilities(logits, self._activation or "sigmoid")[0], fitted, *size)
            ids: NDArray[Any] = (inside >= self.params.threshold).astype(np.uint8)
            score = np.maximum(inside, 1 - inside)
        else:
            planes = probabilities(logits, self._activation or "softmax")
            ids, score = best_class(planes, fitted, *size)
        drop = np.isin(ids, self._dropped) if self._dropped else np.zeros(ids.shape, bool)
        ids[drop | (score < self.params.min_score)] = 0
        return SemanticMask(image.canvas, ids, self._names, np.clip(score, 0, 1))

    @classmethod
    def check(cls, params: SegmentParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights:
            return []
        entry = weights.get(params.weights)
        if wrong := wrong_task(weights, params.weights, "segment"):
            return wrong
        if entry.settings.get("output") == "saliency":
            return [("weights", f"{entry.name!r} gives a matte, not classes", "the stage matte runs it")]
        names = entry.classes or ("background", "object")
        unknown = [name for name in params.classes or () if name not in names]
        help_ = f"it knows {', '.join(names)}"
        return [
            ("classes", f"{name!r} is not a class of {entry.name}", did_you_mean(name, names) or help_)
            for name in unknown
        ]


def _dropped(wanted: Sequence[str] | None, names: Sequence[str]) -> list[int]:
    """Raises :class:`VisionkitError` for a name the network does not know."""
    if wanted is None:
        return []
    for name in wanted:
        if name not in names:
            raise VisionkitError(f"segment: {name!r} is not a class of these weights", help=did_you_mean(name, names))
    return [index for index, name in enumerate(names) if index and name not in wanted]
