"""The report of a run on files: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from visionkit.errors import SinkError

NAME = "report.html"
_HERE = Path(__file__).parent


def write_report(out: Path, gallery: int = 100, target: Path | None = None) -> Path:
    """Writes what is known of the run in ``out``, with at most ``gallery`` pictures; returns the file.

    Raises:
        UsageError: no run on files has written there.
        SinkError: the file cannot be written.
    """
    from visionkit.app.report_html.collect import facts

    page = render(facts(out, gallery))
    target = target or out / NAME
    part = target.with_name(target.name + ".part")
    try:
        part.write_text(page, "utf-8", "backslashreplace")
        part.replace(target)
    except OSError as error:
        raise SinkError(f"{target}: {error.strerror}") from error
    return target


def render(data: dict[str, object]) -> str:
    """The page. Its data are JSON that a script shows as text, never as markup; no other script may run."""
    script = (_HERE / "page.js").read_text("utf-8")
    mark = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    page = (_HERE / "page.html").read_text("utf-8")
    parts = {"%STYLE%": (_HERE / "page.css").read_text("utf-8"), "%HASH%": mark, "%SCRIPT%": script, "%DATA%": safe}
    for name, part in parts.items():  # the data last: nothing in them is replaced
        page = page.replace(name, part, 1)
    return page
