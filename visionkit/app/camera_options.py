"""Options of every command that opens cameras and streams."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from visionkit.errors import UsageError

Size = Annotated[str, typer.Option("--size", metavar="WxH", help="Picture size to ask a webcam for, such as 1280x720.")]
FourCC = Annotated[str, typer.Option("--fourcc", metavar="CODE", help="Format to ask a webcam for, such as MJPG.")]
Stall = Annotated[
    float | None,
    typer.Option("--stall", metavar="SECONDS", help="Connect anew when no frame came for so long; 8 if not given."),
]


def parse_size(text: str) -> tuple[int, int] | None:
    """``"1280x720"`` → ``(1280, 720)``, None for an empty text.

    Raises:
        UsageError: anything else.
    """
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", text)
    if found is None:
        raise UsageError(f"--size {text!r}: must be width and height in pixels", help="for example --size 1280x720")
    return int(found[1]), int(found[2])
