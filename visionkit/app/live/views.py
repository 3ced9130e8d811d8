"""Pictures of tiles as JPEG, encoded once for all who look, and only when somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from visionkit.app.live.latest import Item, Latest
from visionkit.app.live.looks import look
from visionkit.app.live.screen import Tile
from visionkit.data import Image, Packet
from visionkit.frozen import Frozen
from visionkit.lazy import cv2
from visionkit.media.sinks.pictures import encode_picture


class Jpeg(Frozen):
    """One encoded picture; ``number`` counts those of its view, ``at`` is when the picture came."""

    number: int
    data: bytes
    at: float


def fitted(image: Image, width: int) -> Image:
    """The picture, not wider than ``width``."""
    if image.width <= width:
        return image
    size = (width, max(1, round(image.height * width / image.width)))
    return Image(cv2.resize(image.native(), size, interpolation=cv2.INTER_AREA), "gray" if image.is_gray else "bgr")


class View:
    """One thing to look at: what the output shows of a source, or what a stage makes of it.

    Args:
        tile: the source.
        stage: the id of a stage, "" for the output.
        encode: turns a picture into JPEG; runs on ``pool``.
    """

    def __init__(self, tile: Tile, stage: str, encode: Callable[[Image], bytes], pool: ThreadPoolExecutor) -> None:
        self.tile = tile
        self.stage = stage
        self._encode = encode
        self._pool = pool
        self._lock = asyncio.Lock()
        self._made: Jpeg | None = None

    async def newer(self, after: int, seconds: float) -> Jpeg | None:
        """The newest picture with a number above ``after``; None if none came in time, or there is nothing to see."""
        latest: Latest[Image] | Latest[Packet] = self.tile.results if self.stage else self.tile.picture
        if await latest.newer(after, seconds) is None:
            return None
        async with self._lock:  # the second who asks gets what the first had encoded
            item = latest.item
            if item is None or (self._made is not None and self._made.number >= item.number):
                return self._made
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(self._pool, self._draw, item)
            self._made = Jpeg(item.number, data, item.at)
            return self._made if data else None

    def _draw(self, item: Item[Image] | Item[Packet]) -> bytes:
        image = item.value if isinstance(item.value, Image) else look(item.value, self.stage)
        return self._encode(image) if image is not None else b""


class Views:
    """Every view that somebody has looked at."""

    def __init__(self, quality: int, width: int) -> None:
        self._quality = quality
        self._width = width
        self._pool = ThreadPoolExecutor(1, "visionkit:live:encode")
        self._views: dict[tuple[str, str], View] = {}

    def get(self, tile: Tile, stage: str = "") -> View:
        """The view of a stage's result, or of the output."""
        key = (tile.name, stage)
        if key not in self._views:
            self._views[key] = View(tile, stage, self._encode, self._pool)
        return self._views[key]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _encode(self, image: Image) -> bytes:
        return encode_picture(fitted(image, self._width), "jpg", self._quality)
