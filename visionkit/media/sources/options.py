"""What a caller may say about how inputs are read."""

from __future__ import annotations

import math
from fractions import Fraction

from visionkit.errors import UsageError
from visionkit.frozen import Frozen


class SourceOptions(Frozen):
    """How inputs are read.

    Attributes:
        sequence: the pictures of a folder are the frames of one source, not sources of their own.
        from_: skip what lies before this time of a video, in seconds.
        to: stop a video before this time, a live source so long after its first frame, in seconds.
        fps: take at most so many frames a second of a video or stream; for ``sequence``, the rate they are played at;
            what a webcam is asked for.
        limit: stop after so many frames of each lane (all files given together are one lane).
        recursive: folders are searched with all folders below them.
        size: width and height to ask a camera for.
        fourcc: pixel format to ask a camera for, such as "MJPG".
        variants: run every file through the pipeline so many times; what is random differs each time. None: as often as
            the pipeline file says, else once.
        reduced: decode JPEGs at a half, a quarter or an eighth of their size where the pipeline shrinks them before
            anything looks at them; faster, with slightly other pixels.
        threads: decoder threads, 0 for as many as there are cores (live sources: one each).
        replay: play files at their own rate, again and again, each as a live source.
        device: a GPU such as "cuda:0" whose own decoder is used for videos that it can decode; "" is the CPU.
        stall: give up the connection to a live source after so many seconds without a frame.
    """

    sequence: bool = False
    from_: Fraction | float | None = None
    to: Fraction | float | None = None
    fps: float | None = None
    limit: int | None = None
    recursive: bool = True
    size: tuple[int, int] | None = None
    fourcc: str | None = None
    variants: int | None = None
    reduced: bool = False
    threads: int = 0
    replay: bool = False
    stall: float | None = None
    device: str = ""

    def __post_init__(self) -> None:
        for name in ("from_", "to"):
            object.__setattr__(self, name, _as_written(getattr(self, name)))
        start, stop = self.from_ or 0, self.to
        if start < 0 or (stop is not None and stop <= start):
            what = f"--from {float(start):g}" + ("" if stop is None else f" --to {float(stop):g}")
            raise UsageError(f"{what}: nothing lies there", help="give seconds, --from from 0 up, --to after it")
        if self.fps is not None and self.fps <= 0:
            raise UsageError(f"--fps {self.fps:g}: must be more than 0")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit {self.limit}: must be 1 or more")
        if self.variants is not None and self.variants < 1:
            raise UsageError(f"--variants {self.variants}: must be 1 or more")
        if self.stall is not None and self.stall <= 0:
            raise UsageError(f"--stall {self.stall:g}: must be more than 0")
        if self.fourcc is not None and len(self.fourcc) != 4:
            raise UsageError(f"fourcc {self.fourcc!r}: must be four letters, such as MJPG")


def _as_written(seconds: Fraction | float | None) -> Fraction | None:
    """0.2 is a fifth of a second, not the float next to it: the frame of that time counts."""
    if seconds is None or isinstance(seconds, Fraction):
        return seconds
    if not math.isfinite(seconds):
        raise UsageError(f"{seconds} is no time of a video", help="give seconds")
    return Fraction(repr(seconds))
