"""Takes passwords and tokens out of texts that people will read."""

from __future__ import annotations

import re

_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)([^\s\"'<>]+)", re.IGNORECASE)
_AMAZON = "x-amz-(?:signature|credential|security-token)"
_WORDS = "token|access_?token|key|api_?key|access_?key|password|passwd|pwd|pass|auth|sig|signature|secret"
_SECRET = re.compile(rf"([?&;](?:{_AMAZON}|{_WORDS})=)[^&;#\s]*", re.IGNORECASE)


def redact(url: str) -> str:
    """``url`` without user, password and secret query values: ``rtsp://***@host/live``.

    Cameras' passwords are often pasted unescaped, with ``@``, ``/`` or ``#`` inside. So where the part before the
    first slash looks like credentials, all up to the *last* ``@`` goes: rather too much than a piece of a password.
    """
    head, separator, rest = url.partition("://")
    if not separator:
        return url
    return _SECRET.sub(r"\1***", f"{head}://{_without_user(rest)}")


def _without_user(rest: str) -> str:
    authority = rest.partition("/")[0]
    has_user = "@" in authority or (":" in authority and "@" in rest)
    return "***@" + rest.rpartition("@")[2] if has_user else rest


def redact_text(text: str) -> str:
    """``text`` with every URL in it redacted."""
    return _URL.sub(lambda match: redact(match.group(0)), text)
