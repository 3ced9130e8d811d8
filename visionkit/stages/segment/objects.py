"""``segment.objects``: every connected patch of a mask as an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Detections, Masks, Region, SemanticMask
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SegmentObjectsParams(StageParams):
    classes: tuple[str, ...] | None = Field(None, description="Only patches of these classes; None: all but the first.")
    min_area: int = Field(64, ge=1, description="Drop smaller patches, in pixels of the mask.")


class SegmentObjects(MapStage[SegmentObjectsParams]):
    """Makes an object of every connected patch of a mask, with its box and its own mask, the largest first.

    The score is the mean probability of its pixels, or 1 where the mask has none.

    Example:
        - segment
        - segment.objects: {classes: [person], min_area: 400}
    """

    def run(self, mask: SemanticMask) -> Detections:
        wanted = self.params.classes
        names = mask.class_names
        ids = [i for i, name in enumerate(names) if (i > 0 if wanted is None else name in wanted)]
        found = [patch for class_id in ids for patch in self._patches(mask, class_id)]
        found.sort(key=lambda patch: -int(np.count_nonzero(patch[2])))
        return Detections(
            mask.canvas,
            np.array([(x, y, x + b.shape[1], y + b.shape[0]) for _, (x, y), b, _ in found], np.float32).reshape(-1, 4),
            np.array([score for *_, score in found], np.float32),
            np.array([class_id for class_id, *_ in found], np.int32),
            names,
            masks=Masks(tuple(Region(b, mask.canvas.crop(x, y, b.shape[1], b.shape[0])) for _, (x, y), b, _ in found)),
        )

    def _patches(
        self, mask: SemanticMask, class_id: int
    ) -> list[tuple[int, tuple[int, int], NDArray[np.uint8], float]]:
        """Class, corner, bitmap and score of each patch."""
        plane = cv2.inRange(mask.ids, class_id, class_id)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
        patches = []
        for label in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[label])
            if area < self.params.min_area:
                continue
            window = (slice(y, y + height), slice(x, x + width))
            bitmap = (labels[window] == label).astype(np.uint8)
            score = 1.0 if mask.score is None else float(mask.score[window][bitmap > 0].mean())
            patches.append((class_id, (x, y), bitmap, score))
        return patches
