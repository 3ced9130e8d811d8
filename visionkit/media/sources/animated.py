"""Animated WebP, which FFmpeg does not read: frame by frame with Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.lazy import load, np
from visionkit.media.sources.headers import Header
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.pictures import over_white, refuse_bomb
from visionkit.media.sources.video import failing
from visionkit.stage.source import Frame, SourceInfo


def webp_frames(info: SourceInfo, options: SourceOptions) -> Iterator[Frame]:
    """The frames of an animated WebP; ``pts`` is the sum of the durations before."""
    try:
        with load("PIL.Image").open(info.path) as picture:
            refuse_bomb(Header(*picture.size), str(info.path))
            yield from _frames(info, options, picture)
    except (OSError, ValueError, SourceError) as error:
        message = error.message if isinstance(error, SourceError) else f"{info.path}: {error}"
        yield Frame(info, 0, failing(SourceError(message)), 0)


def _frames(info: SourceInfo, options: SourceOptions, picture: Any) -> Iterator[Frame]:
    pts, index, slot = Fraction(0), 0, -1
    for number in range(picture.n_frames):
        picture.seek(number)
        pixels = _bgr(picture.convert("RGBA"))
        now = -1 if options.fps is None else int(pts * Fraction(options.fps).limit_denominator(1001))
        inside = pts >= (options.from_ or 0) and (options.to is None or pts < options.to)
        if inside and (options.fps is None or now != slot):
            yield Frame(info, index, lambda pixels=pixels: Image(pixels), pixels.nbytes, pts)  # type: ignore[misc]
            slot, index = now, index + 1
        pts += Fraction(int(picture.info.get("duration") or 100), 1000)


def _bgr(picture: Any) -> Any:
    rgba = np.asarray(picture)
    return np.ascontiguousarray(over_white(rgba[..., 2::-1], rgba[..., 3:]))
