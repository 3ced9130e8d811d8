"""A tracker of the package ``trackers`` fed with our detections, frame by frame."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from visionkit.data import Canvas, Detections, Image
from visionkit.data.geometry import clip_boxes
from visionkit.expr import Kind, Type
from visionkit.lazy import np, supervision

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = MappingProxyType(
    {
        "track_id": Type(Kind.NUMBER, per_row=True),
        "age": Type(Kind.NUMBER, per_row=True),
        "coasted": Type(Kind.BOOL, per_row=True),
    }
)
"""What every tracker adds: ``track_id`` from 1 in each source and session, ``age`` in frames since the track was first
given out, ``coasted`` where the box is a prediction because nothing was detected on the frame."""

FRAME_RATE = 1.0  # time is counted in frames: a gap of five undetected frames is one step of five


def lost_track_buffer(frames: int) -> int:
    """The library's ``lost_track_buffer`` (in thirtieths at our frame rate) that keeps lost tracks for ``frames``."""
    return frames * 30


class Tracking:
    """Follows the objects of one source. Boxes are followed in source-frame pixels.

    Args:
        tracker: of the package ``trackers``, made with ``frame_rate=FRAME_RATE``.
        sees: it wants the picture too, to make up for a moving camera.
    """

    def __init__(self, tracker: Any, sees: bool = False) -> None:
        self._tracker = tracker
        self._sees = sees
        self.reset()

    def reset(self) -> None:
        """Another source or session begins: no tracks, ids from 1."""
        self._tracker.reset()
        self._frame = 0
        self._born: dict[int, int] = {}
        self._last: Detections | None = None
        self._ghost: Any = None

    def step(self, objects: Detections | None, image: Image) -> Detections:
        """The tracks on one frame; ``objects`` is None where nobody looked for any."""
        self._frame += 1
        canvas = image.canvas
        if objects is None:
            return self._coasted(canvas)
        self._ghost = None
        home = _home(canvas, self._sees)
        placed = objects.on(home)
        found = self._tracker.update(
            supervision.Detections(
                xyxy=np.array(placed.xyxy),
                confidence=np.array(placed.score),
                class_id=np.array(placed.class_id, dtype=int),
                data={"row": np.arange(len(placed))},
            ),
            **({"frame": image.bgr()} if self._sees else {}),
            timestamp=float(self._frame),
        )
        ids = np.full(len(objects), -1, np.int64)
        if len(found):
            ids[found.data["row"]] = found.tracker_id
        kept = np.flatnonzero(ids >= 0)
        alive = {track.tracker_id + 1 for track in self._tracker.tracks}
        self._born = {track: frame for track, frame in self._born.items() if track in alive}
        followed = objects if len(kept) == len(objects) else objects.select(kept)
        self._last = self._labelled(followed, ids[kept] + 1, coasted=False)
        return self._last

    def _coasted(self, canvas: Canvas) -> Detections:
        """The tracks of the last frame that was looked at, where they should be by now.

        A copy of the tracker runs ahead, so that frames nobody looked at do not count as missed.
        """
        if self._last is None or not len(self._last):
            return self._labelled(Detections.empty(canvas), np.zeros(0, np.int64), coasted=True)
        if self._ghost is None:
            self._ghost = copy.deepcopy(self._tracker)
        self._ghost.update(supervision.Detections.empty(), timestamp=float(self._frame))
        alive = self._ghost.tracked_objects
        boxes = {int(i) + 1: box for i, box in zip(alive.tracker_id, alive.xyxy, strict=True)}
        assert self._last.track_id is not None
        rows = [row for row, track in enumerate(self._last.track_id.tolist()) if track in boxes]
        before = self._last.select(rows)
        assert before.track_id is not None
        home = _home(canvas, self._sees)
        moved = np.array([boxes[track] for track in before.track_id.tolist()], np.float32).reshape(-1, 4)
        predicted = replace(
            before,
            canvas=home,
            xyxy=clip_boxes(moved, home.width, home.height),
            corners=None,
            polygons=None,
            masks=None,
            keypoints=None,
        )
        return self._labelled(predicted, before.track_id, coasted=True)

    def _labelled(self, objects: Detections, track_id: NDArray[np.int64], coasted: bool) -> Detections:
        ages = [self._frame - self._born.setdefault(track, self._frame) for track in track_id.tolist()]
        columns = {"age": np.array(ages, np.int64), "coasted": np.full(len(ages), coasted)}
        return replace(objects, track_id=track_id, columns={**objects.columns, **columns})


def _home(canvas: Canvas, sees: bool) -> Canvas:
    """Where boxes are followed: the source frame, or the picture itself for trackers that look at it."""
    return canvas if sees or canvas.to_frame is None else canvas.as_frame()
