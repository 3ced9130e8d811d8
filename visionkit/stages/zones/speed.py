"""``track.speed``: how fast each tracked object moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Detections
from visionkit.expr import Record, Type
from visionkit.lazy import np
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stage.fields import NUMBERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

BORDER = 2.0  # pixels: an edge of a box so near the frame's is where the frame ends, not where the object does
FEWEST = 3  # observations


class SpeedParams(StageParams):
    window: float = Field(1.0, gt=0, le=60, description="Seconds of the past that are looked at; half of it is needed.")
    metres_per_pixel: float | None = Field(
        None, gt=0, le=1e6, description="The size of a pixel of the source frame where things move; gives mps and kmh."
    )


class Speed(ScanStage[SpeedParams]):
    """Says how fast each tracked object moves: column ``speed``, in pixels of the source frame per second.

    A straight line through where its centre was over the last ``window`` seconds, by the times of the video, so an
    irregular frame rate does not matter. Boxes of frames nobody looked at (coasted) are predictions and do not count;
    of a box that the frame cuts, the free edge does. Null while half a window has not been seen, and for pictures.
    With ``metres_per_pixel`` also ``mps`` (metres per second) and ``kmh``: for a camera that looks straight at things
    all equally far away.

    Example:
        - track.speed: {window: 0.5}
    """

    needs_tracks = True

    @classmethod
    def columns(cls, params: SpeedParams) -> Mapping[str, Type | Record]:
        return dict.fromkeys(["speed", "mps", "kmh"] if params.metres_per_pixel else ["speed"], NUMBERS)

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._past: dict[int, deque[tuple[float, ...]]] = {}

    def run(self, objects: Detections) -> Detections:
        speed = np.full(len(objects), np.nan)
        if objects.track_id is not None and self.now is not None:
            now = float(self.now)
            self._forget(now - self.params.window)
            edges, coasted = _edges(objects), objects.columns.get("coasted", np.zeros(len(objects), bool))
            for row, track in enumerate(objects.track_id.tolist()):
                past = self._past.setdefault(track, deque())
                if not coasted[row]:
                    past.append((now, *edges[row].tolist()))
                speed[row] = _speed(np.array(past, np.float64).reshape(-1, 5), self.params.window / 2)
        mps = speed * (self.params.metres_per_pixel or np.nan)
        found = {"speed": speed, "mps": mps, "kmh": mps * 3.6}
        return objects.with_columns({name: found[name] for name in self.columns(self.params)})

    def _forget(self, start: float) -> None:
        """What was seen before ``start`` seconds, and tracks of which nothing is left."""
        for track, past in list(self._past.items()):
            while past and past[0][0] < start:
                past.popleft()
            if not past:
                del self._past[track]


def _edges(objects: Detections) -> Numbers:
    """Left, top, right and bottom of each object in source-frame pixels (N, 4), NaN where the frame cuts it.

    Raises:
        DataError: the objects have no place in the source frame.
    """
    edges = objects.lifted().xyxy.astype(np.float64)
    ends = np.array([objects.canvas.frame_width, objects.canvas.frame_height], np.float64)
    cut = np.concatenate([edges[:, :2] < BORDER, edges[:, 2:] > ends - BORDER], axis=1)
    return np.where(cut, np.nan, edges)


def _speed(past: Numbers, least: float) -> float:
    """Of one object in pixels per second, NaN where too little is known.

    Args:
        past: (M, 5): seconds, left, top, right, bottom.
        least: seconds that must lie between first and last.
    """
    left, top, right, bottom = (_slope(past[:, 0], past[:, edge], least) for edge in (1, 2, 3, 4))
    return float(np.hypot(_middle(left, right), _middle(top, bottom)))


def _slope(times: Numbers, places: Numbers, least: float) -> float:
    """Of the straight line nearest to the places that are known."""
    known = ~np.isnan(places)
    times, places = times[known], places[known]
    if len(times) < FEWEST or times[-1] - times[0] < least:
        return np.nan
    since = times - times.mean()
    return float(since @ places / (since @ since))


def _middle(one: float, other: float) -> float:
    """The mean, or the one that is known."""
    if np.isnan(one) or np.isnan(other):
        return other if np.isnan(one) else one
    return (one + other) / 2
