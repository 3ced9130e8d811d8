"""What the page refuses: other names, other sites, no token, half a request, what is no parameter."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.page.conftest import Live, wait_for
from visionkit.app.live.guard import Rules

TOKEN = "a-token_0123456789"
TEXT = """\
version: 1
stages:
  - filter.brightness: {add: 1}
  - draw.title: {text: hello, font: null}
  - background.replace: {picture: other.png, enabled: false}
  - detect: {id: found, weights: ssd_mobilenet_v2, enabled: false}
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A page with a token, of a photo; four viewers at most."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "p.yaml").write_text(f"{TEXT}outputs:\n  - live: {{viewers: 4}}\n")
    cv2.imwrite(str(folder / "photo.png"), np.full((48, 64, 3), 90, np.uint8))
    page = Live(folder, "p.yaml", "photo.png", env={"VISIONKIT_TOKEN": TOKEN})
    wait_for(lambda: page.ask("/health", headers=BEARER)[0] == 200, 30)
    yield page
    page.stop()


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def status(page: Live, path: str = "/api/state", body: Any = None, **headers: str) -> int:
    return page.ask(path, body, headers={**BEARER, **{key.replace("_", "-"): value for key, value in headers.items()}})[
        0
    ]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "10.0.0.1", "[::2]"]
)
def test_another_name_is_refused(locked: Live, host: str) -> None:
    """DNS rebinding: a name of the attacker's that leads to 127.0.0.1."""
    assert status(locked, Host=host.format(port=locked.port)) == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:{port}", "127.0.0.1:9", "[::1]:{port}"])
def test_its_own_names_are_not(locked: Live, host: str) -> None:
    assert status(locked, Host=host.format(port=locked.port)) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
    ],
)
def test_another_site_is_refused(locked: Live, headers: dict[str, str]) -> None:
    for path, body in (("/api/state", None), ("/stream/0", None), ("/api/save", {})):
        assert status(locked, path, body, **headers) == 403


def test_a_link_from_another_site_opens_the_page(locked: Live) -> None:
    assert status(locked, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == 200
    assert status(locked, "/api/state", Origin=f"http://127.0.0.1:{locked.port}") == 200


@pytest.mark.parametrize(
    "path", ["/", "/static/page.js", "/api/state", "/stream/0", "/metrics", "/health", "/pipeline.yaml"]
)
def test_nothing_without_the_token(locked: Live, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"visionkit-{locked.port}=wrong"}):
        answer, _, data = locked.ask(path, headers=headers)
        assert answer == 401
        assert TOKEN.encode() not in data
    assert locked.ask(f"{path}?token={TOKEN[:-1]}")[0] == 401


def test_the_token_goes_into_a_cookie(locked: Live) -> None:
    answer, headers, _ = locked.ask(f"/?token={TOKEN}")
    assert answer == 200
    pair, *attributes = headers["set-cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert locked.ask("/api/state", headers={"Cookie": f'odd="; x; {pair}'})[0] == 200
    assert "set-cookie" not in locked.ask("/api/state", headers={"Cookie": pair})[1]


def test_the_token_leaves_the_address_bar(browser: Any, locked: Live) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(locked.url)
    assert TOKEN in locked.url
    tab.wait_for_selector(".tile")
    assert tab.evaluate("location.href") == f"http://127.0.0.1:{locked.port}/"
    assert tab.evaluate("document.cookie") == ""
    assert context.cookies()[0]["value"] == TOKEN
    context.close()


def test_every_answer_is_careful(locked: Live) -> None:
    for path, answer in (("/", 200), ("/api/state", 200), ("/none", 404), ("/api/set", 405)):
        found, headers, _ = locked.ask(path, headers=BEARER)
        assert found == answer
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert not [name for name in headers if name.startswith("access-control")], "no CORS"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.py",
        "/static/%2e%2e%2fpage.py",
        "/recordings/..%2f..%2fp.yaml",
        "/recordings/x.mp4",
        "/stream/1",
        "/still/99999999999999999999",
    ],
)
def test_nothing_else_can_be_fetched(locked: Live, path: str) -> None:
    assert status(locked, path) == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"stage": "draw_title", "name": "font", "value": "/etc/passwd"}, "cannot be changed from here"),
        ({"stage": "filter_brightness", "name": "nothing", "value": 1}, "has no parameter"),
        ({"stage": "nobody", "name": "add", "value": 1}, "there is no stage"),
        (
            {"stage": "filter_brightness", "name": "add", "value": "3}\n  - python: {file: x.py, function: f"},
            "no value",
        ),
        ({"stage": "filter_brightness", "name": "add", "value": "3}, {python: 1"}, "VK112"),
        ({"stage": "filter_brightness", "name": "add", "value": {"python": 1}}, "no value"),
        ({"stage": "filter_brightness", "name": "add", "value": 1e999}, "finite"),
        ({"stage": "draw_title", "name": "text", "value": "{().__class__}"}, "VK15"),
        ([], "not an object"),
    ],
)
def test_only_declared_parameters_can_be_changed(locked: Live, body: Any, said: str) -> None:
    before = locked.ask("/pipeline.yaml", headers=BEARER)[2]
    answer, _, data = locked.ask("/api/set", body, headers=BEARER)
    assert answer == 422
    assert said in json.loads(data)["problem"]
    assert locked.ask("/pipeline.yaml", headers=BEARER)[2] == before
    assert (locked.folder / "p.yaml").read_text().startswith(TEXT)


def test_only_small_json_is_taken(locked: Live) -> None:
    assert locked.ask("/api/set", b"stage=x", headers={**BEARER, "Content-Type": "text/plain"})[0] == 422
    assert locked.ask("/api/set", b"[" * 60_000, headers=BEARER)[0] == 422
    assert locked.ask("/api/set", b" " * 200_000, headers=BEARER)[0] == 422
    assert locked.ask("/api/set", method="GET", headers=BEARER)[0] == 405


def connected(page: Live, text: str) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", page.port), timeout=15)
    found.sendall(text.format(token=TOKEN, port=page.port).encode())
    return found


HEAD = "HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"


HALVES = (
    "",
    "GET / HTT",
    f"GET /stream/0 {HEAD}X: ",
    f"POST /api/set {HEAD}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{{{",
)


def test_half_a_request_is_cut_off_and_costs_nothing(locked: Live) -> None:
    started = time.monotonic()
    open_ = [connected(locked, text) for text in HALVES for _ in range(25)]
    quick = time.monotonic()
    assert status(locked) == 200
    assert time.monotonic() - quick < 2
    for connection in open_:
        while connection.recv(65536):
            pass
        connection.close()
    assert time.monotonic() - started < 12


def test_more_viewers_than_allowed_are_refused(locked: Live) -> None:
    viewers = [connected(locked, f"GET /stream/0 {HEAD}\r\n") for _ in range(4)]
    heads = [viewer.recv(1000) for viewer in viewers]
    assert all(b" 200 " in head and b"multipart/x-mixed-replace" in head for head in heads)
    assert status(locked, "/stream/0") == 503
    for viewer in viewers:
        viewer.close()
    wait_for(lambda: json.loads(locked.ask("/api/state", headers=BEARER)[2])["viewers"] == 0, 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "can be reached from other machines, so it takes a token"),
        (["--host", "::"], "takes a token"),
        (["--token", "short"], "a token has 16 or more"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
    ],
)
def test_it_refuses_to_start(tmp_path: Path, arguments: list[str], said: str) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((8, 8, 3), np.uint8))
    command = [
        sys.executable,
        "-m",
        "visionkit",
        "live",
        "--stage",
        "filter.blur",
        "photo.png",
        "--port",
        "0",
        *arguments,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "http://" not in done.stderr


def test_a_token_that_was_made(live: Callable[..., Live], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((8, 8, 3), np.uint8))
    page = live("--stage", "filter.blur", tmp_path / "photo.png", "--token", "auto")
    token = page.url.partition("token=")[2]
    assert len(token) >= 32
    assert page.ask("/health")[0] == 401
    assert page.ask("/health", headers={"Authorization": f"Bearer {token}"})[0] in (200, 503)


@pytest.mark.parametrize(
    ("host", "refused"),
    [("192.168.7.7:8600", False), ("cam.example", False), ("evil.example", True), ("192.168.7.7.evil.example", True)],
)
def test_names_of_a_page_that_others_reach(host: str, refused: bool) -> None:
    """An address cannot be bound anew, a name can: of those only the ones it was given are taken."""
    rules = Rules("0.0.0.0", reached=True, port=8600, token=TOKEN, names=("cam.example",))
    assert (rules.refusal({"host": host}, "GET", "/") is not None) is refused
    assert not rules.brings_token({"host": host}, "")
    assert rules.brings_token({"host": host}, f"token={TOKEN}")
