"""``--show``: a window for every source, where OpenCV can open one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from visionkit.app.live.screen import Screen
from visionkit.data import Image
from visionkit.errors import UsageError
from visionkit.lazy import cv2

T = TypeVar("T")
PERIOD_MS = 15
LARGEST = (1280, 800)
"""Width and height of a window at first; its user may make it larger."""
_CLOSING = (27, ord("q"))


def check_windows() -> None:
    """Refuses where no window can be opened: OpenCV would end the process.

    Raises:
        UsageError: OpenCV has no windows, or there is no screen to open one on.
    """
    help_ = "visionkit live shows the same in a browser"
    kind = next(
        (line.partition(":")[2].strip() for line in cv2.getBuildInformation().splitlines() if " GUI:" in line), ""
    )
    if kind in ("", "NONE"):
        line = f"{help_}; pip install --force-reinstall opencv-python brings windows"
        raise UsageError("--show: this OpenCV was built without windows (opencv-python-headless)", help=line)
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError("--show: there is no screen (DISPLAY is not set)", help=help_)


def beside_windows(screen: Screen, stop: Callable[[], None], work: Callable[[], T]) -> T:
    """Does the work on another thread while this one, the main one, shows the windows; returns what it returns.

    ``stop`` asks the work to end: the user has closed a window.
    """
    with ThreadPoolExecutor(1, "visionkit:run") as pool:
        future = pool.submit(work)
        Windows(screen, stop).run(lambda: not future.done())
        return future.result()


class Windows:
    """Shows the tiles of a screen; belongs to the thread that made it, which macOS wants to be the main one.

    Args:
        stop: called when the user presses q or Esc, or closes a window.
    """

    def __init__(self, screen: Screen, stop: Callable[[], None]) -> None:
        self._screen = screen
        self._stop = stop
        self._shown: dict[str, int] = {}

    def run(self, running: Callable[[], bool]) -> None:
        """Shows what comes until nothing runs any more."""
        try:
            while running():
                self._update()
        finally:
            cv2.destroyAllWindows()

    def _update(self) -> None:
        for tile in self._screen.tiles:
            item = tile.picture.item
            if item is None or self._shown.get(tile.name) == item.number:
                continue
            if tile.name not in self._shown:
                _open(tile.name, item.value)
            cv2.imshow(tile.name, item.value.bgr())
            self._shown[tile.name] = item.number
        key = cv2.waitKey(PERIOD_MS) & 0xFF
        if key in _CLOSING or any(cv2.getWindowProperty(n, cv2.WND_PROP_VISIBLE) < 1 for n in self._shown):
            self._stop()


def _open(name: str, picture: Image) -> None:
    """A window as large as the picture, where that is not too large; without the buttons of Qt, which take its room."""
    cv2.namedWindow(name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    scale = min(1.0, LARGEST[0] / picture.width, LARGEST[1] / picture.height)
    cv2.resizeWindow(name, max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
