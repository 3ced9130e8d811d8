"""``track.object``: one thing followed by what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.data.geometry import clip_boxes
from visionkit.lazy import np
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stages.track._median_flow import moved_box
from visionkit.stages.track._tracking import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = 4  # pixels a side


class TrackObjectParams(StageParams):
    box: tuple[float, float, float, float] | None = Field(
        None, description="Left, top, right and bottom of the thing on the first frame, in pixels of the frame."
    )
    name: str = Field("object", min_length=1, description="The class of what is followed, where no detector named it.")


class TrackObject(ScanStage[TrackObjectParams]):
    """Follows one thing without a detector: the ``box`` on the first frame, or else the best object found first.

    Median Flow on OpenCV's optical flow: points are followed to the next frame and back, those that come home vote for
    the move and the change of size (Forward-Backward Error: Automatic Detection of Tracking Failures, Kalal et al.,
    ICPR 2010). When too few come home the thing is lost, until a detector, if there is one, finds something again.

    Example:
        - track.object: {box: [20, 16, 60, 48], name: ball}
    """

    extra_columns = COLUMNS

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._track = 0
        self._last: Detections | None = None
        self._pixels: NDArray[np.uint8] | None = None

    def run(self, image: Image, objects: Detections | None) -> Detections:
        gray, before = image.gray(), self._pixels
        box = None
        if self._last is not None and before is not None and before.shape == gray.shape:
            box = moved_box(before, gray, self._last.xyxy[0].astype(np.float64))
        found = self._begun(image, objects) if box is None else self._continued(image, box)
        self._pixels = gray
        self._last = found if len(found) else None
        return found

    def _continued(self, image: Image, box: NDArray[np.float64]) -> Detections:
        assert self._last is not None
        return self._made(image, box, self._last, int(self._last.columns["age"][0]) + 1)

    def _begun(self, image: Image, objects: Detections | None) -> Detections:
        """A new track: the box of the parameters for the first, then the best object found."""
        start = Detections.empty(image.canvas, (self.params.name,))
        if self._track == 0 and self.params.box is not None:
            frame = image.canvas if image.canvas.to_frame is None else image.canvas.as_frame()
            start = Detections(frame, [self.params.box], [1.0], [0], (self.params.name,)).on(image.canvas)  # type: ignore[arg-type]
        elif objects is not None and len(objects):
            start = objects.on(image.canvas).select([int(objects.score.argmax())])
        if not len(start) or _too_small(clip_boxes(start.xyxy, image.width, image.height)[0]):
            return self._nothing(image)
        self._track += 1
        return self._made(image, start.xyxy[0].astype(np.float64), start, 0)

    def _made(self, image: Image, box: NDArray[np.float64], like: Detections, age: int) -> Detections:
        clipped = clip_boxes(box[None].astype(np.float32), image.width, image.height)
        if _too_small(clipped[0]):
            return self._nothing(image)
        columns = {"age": np.array([age]), "coasted": np.array([False])}
        track = np.array([self._track])
        return Detections(
            image.canvas, clipped, like.score, like.class_id, like.class_names, track_id=track, columns=columns
        )

    def _nothing(self, image: Image) -> Detections:
        columns = {"age": np.zeros(0, int), "coasted": np.zeros(0, bool)}
        nobody = Detections.empty(image.canvas, (self.params.name,)).with_columns(columns)
        return Detections(**{**nobody.__dict__, "track_id": np.zeros(0, np.int64)})


def _too_small(box: NDArray[np.float32]) -> bool:
    return bool((box[2:] - box[:2]).min() < SMALLEST)
