"""A run that is seen: the screen its ``live`` output draws on, and the page or window that shows the screen."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from visionkit.api import Job
from visionkit.app.live.editor import Editor
from visionkit.app.live.guard import Guard, Rules, check_token, is_loopback
from visionkit.app.live.page import Page
from visionkit.app.live.screen import Screen
from visionkit.app.live.server import Server
from visionkit.app.live.status import Status
from visionkit.app.live.views import Views
from visionkit.app.live.window import beside_windows, check_windows
from visionkit.app.watch import Watcher
from visionkit.data import Packet
from visionkit.errors import UsageError
from visionkit.frozen import Frozen
from visionkit.media.sinks.live import SCREEN, LiveParams
from visionkit.pipeline.compile import CompileOptions, read_text
from visionkit.pipeline.plan import Plan
from visionkit.resources import resource_dir

AUTO = "auto"
T = TypeVar("T")


class PageOptions(Frozen):
    """What the command line says about the page; None leaves it to the pipeline file.

    Attributes:
        token: who knows it may see the page; "auto" makes one.
        names: further names that the page goes by, such as that of a proxy.
    """

    host: str | None = None
    port: int | None = None
    token: str = ""
    names: tuple[str, ...] = ()


class Origin(Frozen):
    """Where a plan came from, so that it can be changed: the text, what messages call it, how it was compiled."""

    text: str
    name: str
    path: Path | None
    options: CompileOptions

    @classmethod
    def of_file(cls, path: Path, options: CompileOptions) -> Origin:
        """A pipeline file. One that came with visionkit is changed, but never saved to."""
        bundled = False
        with suppress(UsageError):
            bundled = resource_dir("pipelines").resolve() in path.resolve().parents
        return cls(read_text(path), str(path), None if bundled else path, options)


def live_params(plan: Plan) -> LiveParams | None:
    """The parameters of a plan's ``live`` output, None if it has none.

    Raises:
        UsageError: it has several.
    """
    found = [output.params for output in plan.outputs if output.name == "live"]
    if len(found) > 1:
        raise UsageError("a pipeline has at most one live output", help="choose its picture with in:")
    return found[0] if found and isinstance(found[0], LiveParams) else None


class View(Frozen):
    """How a run is to be seen.

    Attributes:
        origin: where its plan came from.
        page: None for no page.
        windows: open a window for every source.
    """

    origin: Origin
    page: PageOptions | None = None
    windows: bool = False

    def settled(self, params: LiveParams) -> View:
        """With host, port and token decided, before anything is opened.

        Raises:
            UsageError: others could reach the page without a token; no window can be opened.
        """
        if self.windows:
            check_windows()
        if self.page is None:
            return self
        host = self.page.host or params.host
        port = params.port if self.page.port is None else self.page.port
        token = secrets.token_urlsafe(24) if self.page.token == AUTO else self.page.token
        check_token(host, token)
        return replace(self, page=replace(self.page, host=host, port=port, token=token))


@contextmanager
def page(
    job: Job, screen: Screen, params: LiveParams, view: View, out: Path, say: Callable[[str], None]
) -> Iterator[str]:
    """Serves the page of a job while the body runs; yields its address. ``say`` hears what the terminal should show.

    Raises:
        UsageError: the port is taken.
    """
    options, origin = view.page or PageOptions(), view.origin
    host = options.host or params.host
    server = Server(host, params.port if options.port is None else options.port)

    def complain(text: str) -> None:
        if text:
            screen.complain(text)
            say(text)
        else:
            screen.content()

    editor = Editor(job, origin.text, origin.name, origin.path, origin.options, complain)
    views = Views(params.quality, params.width)
    shown = Page(screen, editor, Status(job, screen), views, out / "recordings", params.viewers)
    rules = Rules(host, not is_loopback(host), server.port, options.token, options.names)
    try:
        server.start(Guard(shown.app(), rules))
        with _watched(editor, origin, say, complain):
            yield address(host, server.port, options.token)
    finally:
        shown.close()
        server.stop()


def address(host: str, port: int, token: str) -> str:
    """What to open in the browser."""
    everywhere = host in ("0.0.0.0", "::")
    name = socket.gethostname() if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


@contextmanager
def _watched(
    editor: Editor, origin: Origin, say: Callable[[str], None], complain: Callable[[str], None]
) -> Iterator[None]:
    if origin.path is None:
        yield
        return
    with Watcher(editor, origin.path, origin.options, say, complain):
        yield


class Shown:
    """A job whose ``live`` output, if it has one, is seen while it runs.

    Args:
        make: makes the job; its argument is told of every finished packet.
        say: hears what the terminal should show.
    """

    def __init__(
        self,
        plan: Plan,
        view: View | None,
        make: Callable[[Callable[[Packet], None] | None], Job],
        say: Callable[[str], None],
    ) -> None:
        self._params = live_params(plan) if view is not None else None
        self._view = view.settled(self._params) if view is not None and self._params is not None else None
        self._screen = Screen() if self._view is not None else None
        self._say = say
        self.job = make(self._screen.take if self._screen is not None else None)
        if self._screen is not None:
            self.job.for_outputs[SCREEN] = self._screen

    @property
    def watches(self) -> bool:
        """True if the page looks after the file."""
        return self._view is not None and self._view.page is not None and self._view.origin.path is not None

    def run(self, out: Path, work: Callable[[], T]) -> T:
        """Does the work, seen; returns what it returns."""
        view, screen, params = self._view, self._screen, self._params
        if view is None or screen is None or params is None:
            return work()
        with ExitStack() as stack:
            if view.page is not None:
                found = stack.enter_context(page(self.job, screen, params, view, out, self._say))
                self._say(f"live: {found}")
            return beside_windows(screen, self.job.stop, work) if view.windows else work()
