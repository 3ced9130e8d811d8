"""``classify``: the classes of a whole picture, by any classifier of the weights catalogue."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from visionkit.backends import Model, fit_batch, input_size
from visionkit.data import Image, Labels
from visionkit.errors import WeightsError
from visionkit.lazy import np
from visionkit.stage import BatchStage, Probability, StageContext, StageParams, WeightsName, wrong_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue

Activation = Literal["auto", "softmax", "sigmoid", "none"]


class ClassifyParams(StageParams):
    weights: WeightsName = Field("mobilenet_v2_onnx", description="A classifier in the weights catalogue.")
    top_k: int = Field(5, ge=1, description="Keep so many classes, the best.")
    min_score: Probability = Field(0.0, description="Drop classes that score lower.")
    activation: Activation = Field(
        "auto",
        description="From logits to scores: softmax (one class of several), sigmoid (each class for itself, or one "
        "logit for yes or no), none (they are scores), auto (what the catalogue says, else softmax).",
    )


class Classify(BatchStage[ClassifyParams]):
    """Names what a picture shows, best class first.

    The picture is prepared as torchvision or timm prepare it for the network, to the pixel. A network with a single
    output decides between two classes: the score of the second is the sigmoid of its output.

    Example:
        - classify: {top_k: 3}
    """

    on_device = True
    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="classify")
        entry = self._model.entry
        chosen = self.params.activation if self.params.activation != "auto" else entry.settings.get("activation")
        self._activate = ACTIVATIONS[chosen or "softmax"]
        self._names = entry.classes

    def bucket(self, image: Image) -> Hashable:
        return input_size(image.width, image.height, self._model.spec)

    def run(self, images: Sequence[Image]) -> Sequence[Labels]:
        results: dict[int, Labels] = {}
        for places, _, batch in fit_batch(images, self._model.spec, device=self._model.device):
            logits = np.asarray(self._model.infer(batch)[0], np.float32).reshape(len(places), -1)
            for place, row in zip(places, logits, strict=True):
                results[place] = self._labels(row)
        return [results[place] for place in range(len(images))]

    def _labels(self, logits: NDArray[np.float32]) -> Labels:
        scores = self._activate(logits)
        if len(scores) == 1:
            scores = np.array([1 - scores[0], scores[0]])
        names = self._names or tuple(str(number) for number in range(len(scores)))
        if len(names) != len(scores):
            raise WeightsError(f"{self._model.entry.name} has {len(scores)} outputs and {len(names)} class names")
        best = np.argsort(-scores, kind="stable")[: self.params.top_k]
        best = best[scores[best] >= self.params.min_score]
        return Labels(best.astype(np.int32), scores[best], names)

    @classmethod
    def check(cls, params: ClassifyParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        return wrong_task(weights, params.weights, "classify", "classifiers") if params.weights in weights else []


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """One class of several: scores (K,) that sum to 1."""
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    """Each class for itself: scores (K,) in 0..1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))


def unchanged(scores: NDArray[Any]) -> NDArray[Any]:
    """The network gives scores."""
    return scores


ACTIVATIONS = MappingProxyType({"softmax": softmax, "sigmoid": sigmoid, "none": unchanged})
