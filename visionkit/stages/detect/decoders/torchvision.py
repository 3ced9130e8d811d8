"""torchvision's detectors, and ours that speak their protocol: decoded and thinned out by the network itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """Columns over the batch: picture (M,), boxes (M, 4), scores (M,), labels (M,), masks (M, 1, H, W) or keypoints.

    ``settings.first_label`` of the entry is the label of its first class; 0 where the list starts with the background.
    """
    picture, boxes, score, label, *more = outputs
    mine = np.flatnonzero((picture == view.row) & (score >= view.min_score))
    class_id = (label[mine] - int(view.settings.get("first_label", 0))).astype(np.int32)
    extra = more[0][mine] if more else None
    if extra is None:
        return Found(boxes[mine], score[mine], class_id)
    if extra.ndim == 4:
        return Found(boxes[mine], score[mine], class_id, masks=lambda kept: extra[kept, 0])
    return Found(boxes[mine], score[mine], class_id, keypoints=extra)
