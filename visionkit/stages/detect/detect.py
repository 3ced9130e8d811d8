"""``detect``: objects found by any detector of the weights catalogue."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.backends import Fitted, Model, fit_batch, input_size, nms, nms_rotated, soft_nms
from visionkit.data import Detections, Image
from visionkit.data.geometry import clip_boxes, hull
from visionkit.errors import VisionkitError, did_you_mean
from visionkit.lazy import np
from visionkit.stage import BatchStage, Probability, StageContext, StageParams, WeightsName, wrong_task
from visionkit.stages.detect._masks import cut_masks
from visionkit.stages.detect._thin import Rules, thinned
from visionkit.stages.detect.decoders import Found, View, decoder_of, output_of

if TYPE_CHECKING:
    from visionkit.weights.catalogue import Catalogue


class DetectParams(StageParams):
    weights: WeightsName = Field("ssd_mobilenet_v2", description="A detector in the weights catalogue.")
    classes: tuple[str, ...] | None = Field(None, description="Keep only objects of these classes.")
    min_score: Probability = Field(0.25, description="Drop objects that score lower.")
    iou: Probability = Field(0.5, description="Of two boxes of a class that overlap more, the better stays.")
    agnostic: bool = Field(False, description="Boxes of different classes suppress each other as well.")
    soft: bool = Field(False, description="Lower the scores of overlapped boxes instead of dropping them (Soft-NMS).")
    multi_label: bool = Field(
        False, description="YOLO: a box counts for every class it scores for, not for its best alone."
    )
    margin: int = Field(
        0, ge=0, le=256, description="YOLO: grey pixels to add along each side: things at the edge are found better."
    )
    top_k: int | None = Field(None, ge=1, description="Keep at most so many objects, the best.")


class Detect(BatchStage[DetectParams]):
    """Finds objects with any detector of the catalogue.

    Boxes are xyxy in pixels of the incoming picture, cut to it, best first; networks that also give masks, keypoints or
    rotated boxes give those. What the network sees of a picture depends on that picture alone.

    Example:
        - detect: {classes: [person, car], min_score: 0.4}
    """

    on_device = True
    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="detect")
        self._decode = decoder_of(self._model)
        self._names = self._model.entry.classes or ("object",)
        self._wanted = _class_ids(self.params.classes, self._names)
        self._thins = output_of(self._model) == "yolo"

    @cached_property
    def _rules(self) -> Rules:
        p = self.params
        iou = None if p.soft else p.iou
        return Rules(len(self._names), p.min_score, iou, self._wanted, p.agnostic, p.multi_label)

    def bucket(self, image: Image) -> Hashable:
        return input_size(image.width, image.height, self._model.spec, self.params.margin)

    def run(self, images: Sequence[Image]) -> Sequence[Detections]:
        results: dict[int, Detections] = {}
        for places, fitted, batch in fit_batch(images, self._model.spec, self.params.margin, self._model.device):
            found = self._found(batch, *fitted[0].pixels.shape[:2])
            for place, one, ready in zip(places, found, fitted, strict=True):
                results[place] = self._result(one, ready, images[place])
        return [results[place] for place in range(len(images))]

    def _found(self, batch: Any, height: int, width: int) -> list[Found]:
        """What is in each picture of a batch; a tensor's outputs come down without what cannot stay."""
        if isinstance(batch, np.ndarray) or not self._thins:
            outputs = self._model.infer(batch)
            return [self._decode(outputs, self._view(row, width, height)) for row in range(len(batch))]
        parts = thinned(self._model.forward(batch), self._rules)  # type: ignore[attr-defined]  # it takes tensors
        return [self._decode(part, self._view(0, width, height)) for part in parts]

    def _view(self, row: int, width: int, height: int) -> View:
        p, settings = self.params, self._model.entry.settings
        return View(row, width, height, p.min_score, len(self._names), settings, p.multi_label)

    def _result(self, found: Found, fitted: Fitted, image: Image) -> Detections:
        kept, score = self._kept(found)
        corners = None if found.corners is None else fitted.to_image(found.corners[kept])
        boxes = fitted.to_image(found.xyxy[kept]) if corners is None else hull(np.asarray(corners, np.float64))
        keypoints = None
        if found.keypoints is not None:
            points = found.keypoints[kept]
            keypoints = np.concatenate([fitted.to_image(points[..., :2]), points[..., 2:]], axis=2)
        boxes = clip_boxes(boxes, image.width, image.height)
        return Detections(
            image.canvas,
            boxes,
            np.clip(score, 0, 1),
            found.class_id[kept],
            self._names,
            corners=corners,
            keypoints=keypoints,
            masks=None if found.masks is None else cut_masks(found.masks(kept), boxes, fitted, image),
        )

    def _kept(self, found: Found) -> tuple[Any, Any]:
        """Indices and scores of what stays, best first."""
        p = self.params
        good = found.score >= p.min_score
        if self._wanted is not None:
            good &= np.isin(found.class_id, self._wanted)
        index = np.flatnonzero(good)
        boxes, scores = found.xyxy[index], found.score[index]
        classes = None if p.agnostic else found.class_id[index]
        if p.soft:
            picked, lowered = soft_nms(boxes, scores, classes, p.min_score, top_k=p.top_k)
            return index[picked], lowered
        if found.corners is not None:
            picked = nms_rotated(found.corners[index], scores, classes, p.iou, p.top_k)
        else:
            picked = nms(boxes, scores, classes, p.iou, p.top_k)
        return index[picked], scores[picked]

    @classmethod
    def check(cls, params: DetectParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights:  # a file, or an unknown name, which the compiler reports for every stage
            return []
        entry = weights.get(params.weights)
        if wrong := wrong_task(weights, params.weights, "detect", "detectors"):
            return wrong
        unknown = [name for name in params.classes or () if name not in entry.classes]
        message = "{!r} is not a class of " + entry.name
        return [("classes", message.format(name), _class_help(name, entry.classes)) for name in unknown]


def _class_help(name: str, known: Sequence[str]) -> str:
    listed = ", ".join(known[:12]) + (f" … ({len(known)} in all)" if len(known) > 12 else "")
    return did_you_mean(name, known) or f"it knows {listed or 'no class names'}"


def _class_ids(wanted: Sequence[str] | None, names: Sequence[str]) -> list[int] | None:
    """Raises :class:`VisionkitError` for a name the network does not know."""
    if wanted is None:
        return None
    for name in wanted:
        if name not in names:
            raise VisionkitError(f"detect: {name!r} is not a class of these weights", help=_class_help(name, names))
    return [index for index, name in enumerate(names) if name in wanted]
