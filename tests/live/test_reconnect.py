"""Cameras that die, freeze, refuse and never come up: real RTSP servers, a real run."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.live.conftest import CI, PASSWORD, USER, RtspServer, Running, command, measured

pytestmark = pytest.mark.alone
TEXT = "stages:\n  - filter.blur\n  - edges.canny\noutputs:\n  - jsonl\n  - csv\n  - media: {speed: fast}\n"
BACK = 15 if CI else 5


def rows_of(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def texts_below(folder: Path) -> Iterator[str]:
    yield from (path.read_bytes().decode("latin-1") + path.name for path in folder.rglob("*") if path.is_file())


def test_killed_and_started_again(
    rtsp: Callable[..., RtspServer], run: Callable[..., Running], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = rtsp()
    running = run(TEXT, [f"door={server.url()}"])
    running.wait_frames("door", 25)
    server.kill()
    running.wait_for(lambda: running.state("door").state == "waiting", 5)
    time.sleep(4)
    server.start()
    back = running.wait_frames("door", 1)
    measured.info("frames again %.1f s after the server was back", back)
    assert back < BACK
    running.wait_frames("door", 25)
    summary = running.stop()
    (source,) = summary.sources
    assert source.received == source.out + source.dropped + source.failed
    assert source.failed == 0
    assert source.connection is not None
    assert source.connection.gaps == 1

    rows = rows_of(tmp_path / "out")
    (gap,) = (row for row in rows if row.get("event") == "gap")
    at = rows.index(gap)
    assert gap["seconds"] == pytest.approx(rows[at + 1]["pts"] - rows[at - 1]["pts"], abs=0.002)  # type: ignore[operator]
    assert gap["seconds"] > 4  # type: ignore[operator]
    assert {row.get("session", 0) for row in rows[:at]} == {0}
    assert {row.get("session", 0) for row in rows[at:]} == {1}
    csv = (tmp_path / "out" / "results.csv").read_text()
    assert csv.count(",gap,") == 1

    videos = [tmp_path / "out" / name for name in ("door.mp4", "door.2.mp4")]
    counts = []
    for video in videos:
        with av.open(str(video)) as container:
            counts.append(sum(1 for _ in container.decode(video=0)))
    assert sum(counts) == source.out
    for text in (*texts_below(tmp_path), caplog.text):
        assert PASSWORD not in text


def test_a_frozen_one_is_noticed_and_the_other_goes_on(
    rtsp: Callable[..., RtspServer], run: Callable[..., Running]
) -> None:
    frozen, well = rtsp(), rtsp()
    running = run(TEXT, [f"frozen={frozen.url()}", f"well={well.url()}", "never=rtsp://127.0.0.1:9/x"])
    running.wait_frames("frozen", 25)
    running.wait_frames("well", 25)
    began = time.monotonic()
    frozen.freeze()
    try:
        noticed = running.wait_for(lambda: running.state("frozen").state != "up", 15)
        measured.info("frozen server noticed after %.1f s", noticed)
        assert noticed <= 12
        during = [t for t in running.times["well"] if t > began]
        assert len(during) >= 0.8 * 25 * (time.monotonic() - began)
        assert max(b - a for a, b in pairwise(during)) < 1
    finally:
        frozen.thaw()
    assert running.wait_frames("frozen", 1) < BACK + 5  # an attempt may be on its way to the frozen one
    stopped = time.monotonic()
    summary = running.stop()
    assert time.monotonic() - stopped < 5
    never = next(source for source in summary.sources if source.name == "never")
    assert (never.received, never.out) == (0, 0)
    assert all(s.received == s.out + s.dropped + s.failed for s in summary.sources)


def test_a_wrong_password_is_one_clear_error(rtsp: Callable[..., RtspServer], tmp_path: Path) -> None:
    """The command line, with a camera that is well beside it: that one goes on."""
    server = rtsp()
    (tmp_path / "p.yaml").write_text(TEXT)
    wrong = "s3cretWrong"
    done = subprocess.run(
        command(
            *("--debug", "run", str(tmp_path / "p.yaml"), f"bad={server.url(password=wrong)}", f"good={server.url()}"),
            *("--limit", "20", "-o", str(tmp_path / "out"), "--json"),
        ),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("bad: ") == 1
    assert "bad: the user or the password is wrong" in done.stderr
    assert "trying again" not in done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    sources = {source["name"]: source for source in summary["sources"]}
    assert (sources["bad"]["received"], sources["bad"]["failed"]) == (1, 1)
    assert sources["good"]["received"] == 20
    (error,) = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
    assert "password is wrong" in json.loads(error)["message"]
    for text in (done.stdout, done.stderr, *texts_below(tmp_path / "out")):
        assert wrong not in text
        assert PASSWORD not in text
        assert USER not in text
