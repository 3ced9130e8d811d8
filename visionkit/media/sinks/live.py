"""``live``: the newest picture of every source, for a page in the browser or a window."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import Field

from visionkit.data import Image, Packet
from visionkit.media.sinks.media import shown
from visionkit.stage.params import Pixels
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import SourceInfo

SCREEN = "screen"
"""The run setting that holds the :class:`Screen`."""
NOBODY = "live: nobody shows it; the page comes with visionkit run and visionkit live"


class Screen(Protocol):
    """Whoever shows pictures. Neither call may wait: the other outputs do."""

    def show(self, picture: Image | None, packet: Packet, source: SourceInfo) -> None:
        """The newest picture of a source, None where there is none."""

    def end(self, source: SourceInfo) -> None:
        """No more will come from this source."""


class LiveParams(SinkParams):
    host: str = Field(
        "127.0.0.1", description="The address the page listens on; one that other machines reach takes a token."
    )
    port: int = Field(8600, ge=0, le=65535, description="The port of the page; 0 takes any that is free.")
    quality: int = Field(80, ge=10, le=95, description="Of the JPEG pictures on the page.")
    width: Pixels = Field(1280, description="Wider pictures are made smaller for the page.")
    viewers: int = Field(32, ge=1, le=1000, description="Streams open at a time; more are refused.")


class LiveSink(Sink[LiveParams]):
    """A page with a tile for every source, every parameter as a slider, and what each stage costs and sees.

    It takes the newest frame and nothing waits for it: pictures are encoded only while somebody looks, and whoever
    is slow misses some. ``visionkit live`` is ``run`` with this output.
    """

    takes = "picture"

    def open(self, context: SinkContext) -> None:
        self._screen: Screen | None = context.settings.get(SCREEN)
        if self._screen is None:
            context.report(NOBODY)

    def write(self, packet: Packet, source: SourceInfo, prepared: None) -> None:
        if self._screen is not None:
            self._screen.show(shown(packet), packet, source)

    def end(self, source: SourceInfo) -> None:
        if self._screen is not None:
            self._screen.end(source)

    def close(self, aborted: bool) -> list[Path]:
        return []
