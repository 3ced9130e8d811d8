"""What ``ps`` shows of this process: no passwords."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from visionkit.media.redact import redact

_ARG_START = 48  # field of /proc/self/stat, see proc(5)


def hide_credentials() -> None:
    """Overwrites user, password and tokens of addresses in the command line that other users see (Linux)."""
    with suppress(OSError, ValueError, IndexError):
        line = Path("/proc/self/cmdline").read_bytes()
        hidden = b"\0".join(_hidden(argument) for argument in line.split(b"\0"))
        if hidden != line and len(hidden) == len(line):
            _overwrite(line, hidden)


def _hidden(argument: bytes) -> bytes:
    """The argument with stars in the place of what is secret, as long as before."""
    clean = redact(argument.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    stars = max(0, 3 + len(argument) - len(clean))
    return clean.replace(b"***", b"*" * stars, 1)


def _overwrite(line: bytes, hidden: bytes) -> None:
    import ctypes

    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()  # begins with the third
    start, end = int(fields[_ARG_START - 3]), int(fields[_ARG_START - 2])
    if end - start == len(line) and ctypes.string_at(start, len(line)) == line:
        ctypes.memmove(start, hidden, len(hidden))
