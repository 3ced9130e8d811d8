"""A stream of JPEG pictures in one endless response, which every browser plays in an ``<img>``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from visionkit.app.live.views import View

BOUNDARY = b"visionkit-3f6d0c8e5b1a4f7290ce-next-picture"
"""Long enough not to stand in a JPEG by chance."""
STALLED = 10.0
"""Seconds after which a viewer that takes nothing is let go."""


class Stream:
    """One viewer of one view. It gets the newest picture whenever it is ready for one; the rest it never sees."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        pictures = asyncio.ensure_future(self._pictures(send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({pictures, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pictures, gone):
                task.cancel()
            await asyncio.gather(pictures, gone, return_exceptions=True)

    async def _pictures(self, send: Send) -> None:
        await _body(send, _HEAD)
        number = 0
        while True:
            jpeg = await self._view.newer(number, 1.0)
            if jpeg is None or jpeg.number == number:
                await asyncio.sleep(0.02)
                continue
            number = jpeg.number
            # The head of the next one at once: Chromium shows a picture when it has seen that, else one frame late.
            await _body(send, jpeg.data + b"\r\n" + _HEAD)


async def _body(send: Send, data: bytes) -> None:
    message: dict[str, Any] = {"type": "http.response.body", "body": data, "more_body": True}
    async with asyncio.timeout(STALLED):  # wait_for of Python 3.11 may swallow that it is cancelled
        await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_HEAD = b"--" + BOUNDARY + b"\r\nContent-Type: image/jpeg\r\n\r\n"  # its length is not known yet
_HEADERS = [
    (b"content-type", b"multipart/x-mixed-replace; boundary=" + BOUNDARY),
    (b"cache-control", b"no-store"),
]
