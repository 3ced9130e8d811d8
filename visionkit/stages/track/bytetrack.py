"""``track.bytetrack``: ByteTrack, from the package ``trackers``."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import trackers
from visionkit.stage import Probability, ScanStage, StageContext, StageParams
from visionkit.stages.track._tracking import COLUMNS, FRAME_RATE, Tracking, lost_track_buffer


class ByteTrackParams(StageParams):
    lost_frames: int = Field(30, ge=0, description="A track that was not seen for more frames than this is over.")
    min_frames: int = Field(2, ge=1, description="A track counts once it was detected this often in a row.")
    start_score: Probability = Field(0.5, description="Detections below this start no track.")
    high_score: Probability = Field(0.5, description="Detections from this on are matched first, the rest fill gaps.")
    min_iou: Probability = Field(0.1, description="A detection belongs to a track only if they overlap this much.")


class ByteTrack(ScanStage[ByteTrackParams]):
    """Follows objects by their boxes; weak detections keep a track alive through a short occlusion.

    On frames where nobody looked for objects, tracks coast: they are moved on as they were moving.

    ByteTrack: Multi-Object Tracking by Associating Every Detection Box, Zhang et al., ECCV 2022, arXiv:2110.06864.

    Example:
        - track.bytetrack: {lost_frames: 60}
    """

    extra_columns = COLUMNS

    def open(self, context: StageContext) -> None:
        p = self.params
        self._tracking = Tracking(
            trackers.ByteTrackTracker(
                lost_track_buffer=lost_track_buffer(p.lost_frames),
                frame_rate=FRAME_RATE,
                track_activation_threshold=p.start_score,
                minimum_consecutive_frames=p.min_frames,
                minimum_iou_threshold=p.min_iou,
                high_conf_det_threshold=p.high_score,
            )
        )

    def reset(self) -> None:
        self._tracking.reset()

    def run(self, objects: Detections | None, image: Image) -> Detections:
        return self._tracking.step(objects, image)
