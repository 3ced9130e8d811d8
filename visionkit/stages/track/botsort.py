"""``track.botsort``: BoT-SORT, from the package ``trackers``."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import trackers
from visionkit.stage import Probability, ScanStage, StageContext, StageParams
from visionkit.stages.track._tracking import COLUMNS, FRAME_RATE, Tracking, lost_track_buffer


class BotSortParams(StageParams):
    lost_frames: int = Field(30, ge=0, description="A track that was not seen for more frames than this is over.")
    min_frames: int = Field(2, ge=1, description="A track counts once it was detected this often in a row.")
    start_score: Probability = Field(0.5, description="Detections below this start no track.")
    high_score: Probability = Field(0.5, description="Detections from this on are matched first, the rest fill gaps.")
    min_iou: Probability = Field(0.2, description="A detection belongs to a track only if they overlap this much.")
    camera: bool = Field(True, description="Make up for a moving camera, by optical flow on the picture.")


class BotSort(ScanStage[BotSortParams]):
    """Follows objects by their boxes and makes up for a camera that moves.

    On frames where nobody looked for objects, tracks coast: they are moved on as they were moving.

    BoT-SORT: Robust Associations Multi-Pedestrian Tracking, Aharon et al., 2022, arXiv:2206.14651 (without appearance).

    Example:
        - track.botsort: {lost_frames: 60, camera: false}
    """

    extra_columns = COLUMNS

    def open(self, context: StageContext) -> None:
        p = self.params
        self._tracking = Tracking(
            trackers.BoTSORTTracker(
                lost_track_buffer=lost_track_buffer(p.lost_frames),
                frame_rate=FRAME_RATE,
                track_activation_threshold=p.start_score,
                minimum_consecutive_frames=p.min_frames,
                minimum_iou_threshold_first_assoc=p.min_iou,
                high_conf_det_threshold=p.high_score,
                enable_cmc=p.camera,
            ),
            sees=p.camera,
        )

    def reset(self) -> None:
        self._tracking.reset()

    def run(self, objects: Detections | None, image: Image) -> Detections:
        return self._tracking.step(objects, image)
