"""``track.ocsort``: OC-SORT, from the package ``trackers``."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import trackers
from visionkit.stage import Probability, ScanStage, StageContext, StageParams
from visionkit.stages.track._tracking import COLUMNS, FRAME_RATE, Tracking, lost_track_buffer


class OcSortParams(StageParams):
    lost_frames: int = Field(30, ge=0, description="A track that was not seen for more frames than this is over.")
    min_frames: int = Field(3, ge=1, description="A track counts once it was detected this often in a row.")
    high_score: Probability = Field(0.5, description="Detections below this are not used.")
    min_iou: Probability = Field(0.3, description="A detection belongs to a track only if they overlap this much.")
    direction: float = Field(0.2, ge=0, le=1, description="How much keeping one's direction counts beside overlap.")


class OcSort(ScanStage[OcSortParams]):
    """Follows objects by their boxes; better than SORT where they turn or are hidden for a while.

    On frames where nobody looked for objects, tracks coast: they are moved on as they were moving.

    Observation-Centric SORT, Cao et al., CVPR 2023, arXiv:2203.14360.

    Example:
        - track.ocsort: {lost_frames: 60}
    """

    extra_columns = COLUMNS

    def open(self, context: StageContext) -> None:
        p = self.params
        self._tracking = Tracking(
            trackers.OCSORTTracker(
                lost_track_buffer=lost_track_buffer(p.lost_frames),
                frame_rate=FRAME_RATE,
                minimum_consecutive_frames=p.min_frames,
                minimum_iou_threshold=p.min_iou,
                direction_consistency_weight=p.direction,
                high_conf_det_threshold=p.high_score,
            )
        )

    def reset(self) -> None:
        self._tracking.reset()

    def run(self, objects: Detections | None, image: Image) -> Detections:
        return self._tracking.step(objects, image)
