"""``track.sort``: SORT, from the package ``trackers``."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import trackers
from visionkit.stage import Probability, ScanStage, StageContext, StageParams
from visionkit.stages.track._tracking import COLUMNS, FRAME_RATE, Tracking, lost_track_buffer


class SortParams(StageParams):
    lost_frames: int = Field(30, ge=0, description="A track that was not seen for more frames than this is over.")
    min_frames: int = Field(3, ge=1, description="A track counts once it was detected this often in a row.")
    start_score: Probability = Field(0.25, description="Detections below this start no track.")
    min_iou: Probability = Field(0.3, description="A detection belongs to a track only if they overlap this much.")


class Sort(ScanStage[SortParams]):
    """Follows objects by their boxes alone: a Kalman filter and the best assignment. The simplest and fastest.

    On frames where nobody looked for objects, tracks coast: they are moved on as they were moving.

    Simple Online and Realtime Tracking, Bewley et al., ICIP 2016, arXiv:1602.00763.

    Example:
        - track.sort: {lost_frames: 60}
    """

    extra_columns = COLUMNS

    def open(self, context: StageContext) -> None:
        p = self.params
        self._tracking = Tracking(
            trackers.SORTTracker(
                lost_track_buffer=lost_track_buffer(p.lost_frames),
                frame_rate=FRAME_RATE,
                track_activation_threshold=p.start_score,
                minimum_consecutive_frames=p.min_frames,
                minimum_iou_threshold=p.min_iou,
            )
        )

    def reset(self) -> None:
        self._tracking.reset()

    def run(self, objects: Detections | None, image: Image) -> Detections:
        return self._tracking.step(objects, image)
