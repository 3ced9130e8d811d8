"""What the page answers: pictures, parameters, times, recordings. Nothing here loads code, files or addresses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from visionkit.app.live.controls import stage_nodes
from visionkit.app.live.editor import Editor, told
from visionkit.app.live.graph import drawing
from visionkit.app.live.looks import look
from visionkit.app.live.mjpeg import Stream
from visionkit.app.live.recorder import Recording
from visionkit.app.live.screen import Screen, Tile
from visionkit.app.live.status import Status, metrics
from visionkit.app.live.views import Views
from visionkit.errors import UsageError, VisionkitError
from visionkit.media.sinks.pictures import encode_picture

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LARGEST = 65_536
"""Bytes of what a page may send."""
SLOWEST = 5.0
"""Seconds it may take for that."""
STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "controls.js": "text/javascript",
    "graph.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Page:
    """The page of one run.

    Args:
        screen: what there is to see.
        editor: what there is to change.
        folder: where recordings go.
        viewers: how many streams may be open at a time.
    """

    def __init__(
        self, screen: Screen, editor: Editor, status: Status, views: Views, folder: Path, viewers: int = 32
    ) -> None:
        self._screen, self._editor, self._status, self._views = screen, editor, status, views
        self._folder = folder
        self._most = viewers
        self._viewers = 0
        self._recorded: dict[str, Path] = {}
        self._edits = ThreadPoolExecutor(1, "visionkit:live:edit")
        static = files("visionkit.app.live") / "static"
        self._static = {name: (static / name).read_bytes() for name in (*STATIC, "page.html")}

    def close(self) -> None:
        """Finish recordings."""
        for tile in self._screen.tiles:
            self._stop_recording(tile)
        self._edits.shutdown(wait=False, cancel_futures=True)
        self._views.close()

    def app(self) -> Starlette:
        """The ASGI application, without its guard."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/static/{name}", self._asset),
                Route("/api/plan", self._plan),
                Route("/api/state", self._state),
                Route("/api/set", self._changing(self._set), methods=["POST"]),
                Route("/api/save", self._changing(self._save), methods=["POST"]),
                Route("/api/revert", self._changing(self._revert), methods=["POST"]),
                Route("/api/record", self._changing(self._record), methods=["POST"]),
                Route("/stream/{source:int}", self._stream),
                Route("/still/{source:int}", self._still),
                Route("/snapshot/{source:int}", self._snapshot),
                Route("/recordings/{name}", self._recording),
                Route("/pipeline.yaml", self._text),
                Route("/metrics", self._metrics),
                Route("/health", self._health),
            ]
        )

    async def _page(self, request: Request) -> Response:
        return _answer(self._static["page.html"], "text/html")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _answer(self._static[name], STATIC[name]) if name in STATIC else _missing()

    async def _plan(self, request: Request) -> Response:
        plan = self._editor.plan
        stages = [
            {"id": id_, "name": node.name, "params": [control.as_json() for control in self._editor.controls(node)]}
            for id_, node in stage_nodes(plan.root)
        ]
        path = self._editor.path
        return _json(
            {
                "hash": plan.hash,
                "name": self._editor.name.replace("\\", "/").rpartition("/")[2],
                "description": plan.description,
                "saves": path is not None,
                "stages": stages,
                "graph": drawing(plan),
            }
        )

    async def _state(self, request: Request) -> Response:
        health = self._status.health()
        return _json(
            {
                "hash": self._editor.plan.hash,
                "dirty": self._editor.dirty,
                "health": health.state,
                "sources": self._status.sources(),
                "stages": self._status.stages(),
                "problems": self._screen.problems,
                "viewers": self._viewers,
                "recordings": sorted(self._recorded),
            }
        )

    async def _stream(self, request: Request) -> Any:
        tile = self._tile(request)
        if tile is None:
            return _missing()
        if self._viewers >= self._most:
            return _answer(b"too many viewers\n", "text/plain", 503)
        return self._counted(Stream(self._views.get(tile, self._stage(request))))

    def _counted(self, stream: Stream) -> Any:
        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self._viewers += 1
            try:
                await stream(scope, receive, send)
            finally:
                self._viewers -= 1

        return counted

    async def _still(self, request: Request) -> Response:
        """The newest picture with a number above ``after``, for pages that show many sources."""
        tile = self._tile(request)
        if tile is None:
            return _missing()
        after = request.query_params.get("after", "0")
        view = self._views.get(tile, self._stage(request))
        jpeg = await view.newer(int(after) if after.isdecimal() and len(after) < 19 else 0, 1.0)
        if jpeg is None:
            return _answer(b"", "text/plain", 204)
        return _answer(jpeg.data, "image/jpeg", headers={"X-Number": str(jpeg.number)})

    async def _snapshot(self, request: Request) -> Response:
        """The picture as it is, not made smaller, to keep."""
        tile = self._tile(request)
        if tile is None:
            return _missing()
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._edits, _png, tile, self._stage(request))
        name = f"{_file_name(tile.name)}-{datetime.now():%Y%m%d-%H%M%S}.png"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return _answer(data, "image/png", headers=headers) if data else _missing()

    async def _recording(self, request: Request) -> Response:
        from starlette.responses import FileResponse

        path = self._recorded.get(request.path_params["name"])
        return FileResponse(path, filename=path.name) if path is not None and path.is_file() else _missing()

    async def _text(self, request: Request) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="pipeline.yaml"'}
        return _answer(self._editor.text.encode(), "application/yaml", headers=headers)

    async def _metrics(self, request: Request) -> Response:
        return _answer(metrics(self._status, self._viewers).encode(), "text/plain; version=0.0.4")

    async def _health(self, request: Request) -> Response:
        health = self._status.health()
        return _json({"status": health.state, "stopped": list(health.stopped)}, 200 if health.good else 503)

    def _changing(self, act: Callable[[Mapping[str, Any]], Any]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that changes something: one at a time, on a thread; an error is told as in the terminal."""

        async def endpoint(request: Request) -> Response:
            try:
                given = await _sent(request)
                loop = asyncio.get_running_loop()
                return _json({"ok": True, **(await loop.run_in_executor(self._edits, act, given) or {})})
            except VisionkitError as error:
                return _json({"ok": False, "problem": told(error)}, 422)

        return endpoint

    def _set(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._editor.set(str(given.get("stage", "")), str(given.get("name", "")), given.get("value"))
        return {"hash": self._editor.plan.hash, "dirty": self._editor.dirty}

    def _save(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"saved": self._editor.save().name}

    def _revert(self, given: Mapping[str, Any]) -> None:
        self._editor.revert()

    def _record(self, given: Mapping[str, Any]) -> dict[str, Any]:
        tile = self._numbered(given.get("source"))
        if tile is None:
            raise UsageError("there is no such source", help="reload the page")
        if not given.get("on"):
            return {"recorded": self._stop_recording(tile)}
        if tile.recorder is None or not getattr(tile.recorder, "running", True):
            self._stop_recording(tile)
            self._folder.mkdir(parents=True, exist_ok=True)
            stem = f"{_file_name(tile.name)}-{datetime.now():%Y%m%d-%H%M%S}"
            tile.recorder = Recording(self._folder / f"{stem}.mp4", tile.name)
        return {}

    def _stop_recording(self, tile: Tile) -> str:
        recorder, tile.recorder = tile.recorder, None
        if not isinstance(recorder, Recording):
            return ""
        path = recorder.stop()
        if recorder.problem:
            self._screen.complain(recorder.problem)
        if path is not None:
            self._recorded[path.name] = path
        return path.name if path is not None else ""

    def _tile(self, request: Request) -> Tile | None:
        return self._numbered(request.path_params["source"])

    def _numbered(self, number: Any) -> Tile | None:
        tiles = self._screen.tiles
        return tiles[number] if isinstance(number, int) and 0 <= number < len(tiles) else None

    def _stage(self, request: Request) -> str:
        """The value to show; "" for the output, also where the plan has no such value."""
        asked = request.query_params.get("stage", "")
        known = {value.id.partition(".")[0] for value in self._editor.plan.root.values}
        return asked if asked in known else ""


def _png(tile: Tile, stage: str) -> bytes:
    if not stage:
        picture = tile.picture.item
        return encode_picture(picture.value, "png", None) if picture else b""
    results = tile.results.item
    image = look(results.value, stage) if results else None
    return encode_picture(image, "png", None) if image is not None else b""


async def _sent(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request, small and soon.

    Raises:
        UsageError: it is none of these.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UsageError("only JSON is taken")
    try:
        async with asyncio.timeout(SLOWEST):
            data = await _body(request)
        given = json.loads(data)
    except (TimeoutError, ValueError, RecursionError):
        raise UsageError("what was sent is not JSON, too large or too slow") from None
    if not isinstance(given, dict):
        raise UsageError("what was sent is not an object")
    return given


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > LARGEST:
            raise ValueError("too large")
    return bytes(data)


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name.rpartition("@")[2]).strip("-")[:60] or "source"


def _answer(data: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(data, status, dict(headers or {}), media_type=kind)


def _missing() -> Response:
    return _answer(b"there is nothing here\n", "text/plain", 404)


def _json(value: Any, status: int = 200) -> Response:
    return _answer(json.dumps(value, allow_nan=False, default=str).encode(), "application/json", status)
