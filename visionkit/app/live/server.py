"""The web server of the page: granian in a thread of this process, on a socket of ours.

Half a request is cut off after three seconds, and little is kept ready for a viewer that does not take it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from visionkit.errors import UsageError
from visionkit.lazy import load

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HEADER_MS = 3000
"""Time for the head of a request, also for the next one on a connection that is kept."""
BUFFER = 64 * 1024
"""Bytes that the server, and again the system, keep for a slow viewer: a few pictures, not seconds of them."""
CONNECTIONS = 256
PATIENCE = 2.0
"""Seconds that open answers may take when the server stops."""


class Server:
    """Serves an ASGI application until :meth:`stop`.

    Raises:
        MissingExtraError: granian or starlette is not installed.
        UsageError: the port is taken, or the address is not this machine's.
    """

    def __init__(self, host: str, port: int) -> None:
        load("granian")
        load("starlette")
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, app: ASGIApp) -> None:
        """Returns once requests are answered."""
        self._thread = threading.Thread(target=self._run, args=(app,), name="visionkit:live:server", daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        """Ends all answers, also the endless ones."""
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(2 * PATIENCE)
        self._socket.close()

    def _run(self, app: ASGIApp) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(app))

    async def _serve(self, app: ASGIApp) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = _granian(self._tracked(app), self._socket)
        serving = asyncio.ensure_future(server.serve())
        self._ready.set()
        await asyncio.wait({serving, asyncio.ensure_future(self._stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0)
        server.stop()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(serving, PATIENCE)

    def _tracked(self, app: ASGIApp) -> ASGIApp:
        """The application, every answer of which can be ended from here."""

        async def tracked(scope: Scope, receive: Receive, send: Send) -> None:
            task = asyncio.ensure_future(app(scope, receive, send))
            self._tasks.add(task)
            try:
                await task
            except (asyncio.CancelledError, TimeoutError):  # the server stops, or the viewer has gone
                return
            finally:
                self._tasks.discard(task)

        return tracked


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror or error}") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)  # connections inherit it
        made.bind(address)
        made.listen(CONNECTIONS)
    except OSError as error:
        made.close()
        help_ = "--port 0 takes any that is free" if port else ""
        raise UsageError(f"the page cannot listen on {host}:{port}: {error.strerror or error}", help=help_) from None
    made.setblocking(False)
    return made


def _granian(app: ASGIApp, listening: socket.socket) -> Any:
    from granian import _granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.server.embed import Server as Embedded

    class OnSocket(Embedded):
        """Listens on a socket that is open already: one that can be any free port, and has our buffer sizes."""

        def _init_shared_socket(self) -> None:
            holder: Any = _granian.SocketHolder  # its stub has no constructor
            self._ssp: Any = None
            self._shd: Any = holder(listening.detach(), False, CONNECTIONS)  # it closes it

    host, port = listening.getsockname()[:2]
    return OnSocket(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS, max_buffer_size=BUFFER),
        log_enabled=False,
    )
