"""Who may see the page: the names it goes by, the token, and what a browser may do with its answers.

A page on loopback is reached by every site that the user's browser visits. So a request must name this host (else a
name of the attacker's, bound anew to 127.0.0.1, would make their script of the same origin), must not come from
another site, and, where a token is set, must bring it.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from visionkit.errors import UsageError
from visionkit.frozen import Frozen

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHORTEST = 16
"""Characters of a token."""
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    Raises:
        UsageError: there is no such address.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise UsageError(
            f"--host {host}: {error.strerror or error}", help="127.0.0.1, or an address of this machine"
        ) from None
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def check_token(host: str, token: str) -> None:
    """Refuses a page that others could reach without a token.

    Raises:
        UsageError: there is none, or a short one.
    """
    if token and not re.fullmatch(rf"[\w.~-]{{{SHORTEST},}}", token, re.ASCII):
        message = f"a token has {SHORTEST} or more letters, digits, - and _"
        raise UsageError(message, help="--token auto makes a good one")
    if not token and not is_loopback(host):
        raise UsageError(
            f"--host {host} can be reached from other machines, so it takes a token",
            help="--token auto makes one and prints the address with it; VISIONKIT_TOKEN sets your own",
        )


class Rules(Frozen):
    """What requests must fulfil.

    Attributes:
        host: the address the page listens on.
        reached: other machines reach it.
        port: of the page, for the name of its cookie: cookies are shared by all ports of a host.
        token: "" where none is needed.
        names: further names the page goes by.
    """

    host: str
    reached: bool
    port: int
    token: str = ""
    names: tuple[str, ...] = ()

    @property
    def cookie(self) -> str:
        """The cookie that holds the token."""
        return f"visionkit-{self.port}"

    def knows(self, host: str) -> bool:
        """Whether ``Host: name[:port]`` is a name of this page. An address cannot be bound anew, a name can."""
        name = _name_of(host)
        if name in _LOOPBACK or name in self.names or name == self.host.lower():
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().lower()
            return self.reached and name in (own, own.partition(".")[0], f"{own}.local")
        return self.reached

    def refusal(self, headers: Mapping[str, str], method: str, path: str) -> tuple[int, str] | None:
        """Status and reason, None if the request comes from where it should."""
        host = headers.get("host", "")
        if not self.knows(host):
            return 421, "this page does not go by that name"
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return 403, "requests from other sites are refused"
        site = headers.get("sec-fetch-site", "none")
        opened = method == "GET" and path == "/" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("none", "same-origin") and not opened:
            return 403, "requests from other sites are refused"
        return None

    def brings_token(self, headers: Mapping[str, str], query: str) -> bool:
        """Whether the request has the token: in its cookie, as a bearer, or in the address."""
        if not self.token:
            return True
        return self.fits(_cookie(headers, self.cookie)) or self.fits(_bearer(headers)) or self.fits(token_in(query))

    def fits(self, given: str) -> bool:
        """In time that does not depend on how much of it is right."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


class Guard:
    """ASGI: refuses what the rules refuse, and adds to every answer what keeps a browser careful."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        refused = self._rules.refusal(headers, scope["method"], scope["path"])
        if refused is None and not self._rules.brings_token(headers, query):
            refused = 401, "this page takes a token: open the address that visionkit printed"
        if refused is not None:
            await _refuse(_careful(send, ()), *refused)
            return
        first = self._rules.token and self._rules.fits(token_in(query))
        cookie = f"{self._rules.cookie}={self._rules.token}; HttpOnly; SameSite=Strict; Path=/"
        await self._app(scope, receive, _careful(send, ((b"set-cookie", cookie.encode()),) if first else ()))


def token_in(query: str) -> str:
    """The token of an address."""
    try:
        return parse_qs(query, max_num_fields=20).get("token", [""])[0]
    except ValueError:
        return ""


def _name_of(host: str) -> str:
    """``[::1]:8600`` → ``::1``, ``Localhost.:8600`` → ``localhost``."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().removesuffix(".")


def _cookie(headers: Mapping[str, str], name: str) -> str:
    """The value of a cookie, whatever the cookies of other pages of this host look like."""
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return next((value for key, _, value in pairs if key == name), "")


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _careful(send: Send, more: tuple[tuple[bytes, bytes], ...]) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            kept = () if any(key == b"cache-control" for key, _ in own) else ((b"cache-control", b"no-store"),)
            message = {**message, "headers": [*own, *SECURITY, *kept, *more]}
        await send(message)

    return with_headers


async def _refuse(send: Any, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
