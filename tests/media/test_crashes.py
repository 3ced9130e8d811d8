"""A killed run leaves what plays, a full disk a named error and no half file under a final name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from tests.media.media_files import make_video, playable_times

ENDLESS = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from visionkit.data import Image, Key, Packet
from visionkit.media.sinks.jsonl import JsonlParams, JsonlSink
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.stage import SinkContext, SourceInfo

out, path = Path(sys.argv[1]), sys.argv[2] or None
info = SourceInfo("v", "video", path, "v.mp4", fps=25.0)
sinks = [MediaSink(MediaParams(speed="fast", quality=95)), JsonlSink(JsonlParams())]
for sink in sinks:
    sink.open(SinkContext(out))
noise = np.random.default_rng(0)
for index in range(100_000):
    picture = Image(noise.integers(0, 255, (48, 64, 3), np.uint8))
    packet = Packet(Key("v", 0, index), Fraction(index, 25), path, {"source": picture})
    for sink in sinks:
        sink.write(packet, info, sink.prepare(packet, info))
    if index == 400:
        print("far enough", flush=True)
"""

FULL = """
import sys
from pathlib import Path
import numpy as np
from visionkit.data import Image, Scores
from visionkit.errors import DiskFullError
from visionkit.media.sinks.jsonl import JsonlParams, JsonlSink
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.media.sources import open_sources
from visionkit.stage import SinkContext
from tests.media.media_files import run_sink

out = Path(sys.argv[2]) / "out"
noise = np.random.default_rng(0)
draw = lambda image, index: Image(noise.integers(0, 255, (240, 320, 3), np.uint8))
(source,) = open_sources([sys.argv[1]])
sink = JsonlSink(JsonlParams()) if sys.argv[3] == "jsonl" else MediaSink(MediaParams(quality=100))
if sys.argv[3] == "jsonl":
    sink.text = lambda packet, source: "x" * 60_000 + chr(10)
try:
    run_sink(sink, source, SinkContext(out), draw)
except DiskFullError as error:
    print("named", error.code, str(out) in error.message, error.help)
else:
    print("nothing happened")
sink.close(True)
print(sorted(p.name for p in out.iterdir()))
"""


def start(code: str, *arguments: str, wrap: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [*wrap, sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("with_audio", [False, True])
def test_a_killed_run_leaves_a_playable_part(tmp_path: Path, with_audio: bool) -> None:
    path = str(make_video(tmp_path / "v.mp4", 400, ticks=(3600,)).path) if with_audio else ""
    process = start(ENDLESS, str(tmp_path / "out"), path)
    assert process.stdout is not None
    assert process.stdout.readline() == "far enough\n", process.communicate()[1]
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    part = tmp_path / "out" / "v.mp4.part"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["results.jsonl.part", "v.mp4.part"]
    times = playable_times(part)
    assert len(times) >= 200  # of 400 frames, the last group of 100 and what the encoder held may be lost
    assert [float(t) for t in times[:3]] == [0.0, 0.04, 0.08]
    with av.open(str(part)) as container:
        assert bool(container.streams.audio) == with_audio
    rows = (tmp_path / "out" / "results.jsonl.part").read_text().splitlines()
    assert len(rows) > 400


def _mount_tmpfs() -> tuple[str, ...] | None:
    """A command prefix that gives a process a private mount of 1 MiB at ``$SMALL``; None where that is not allowed."""
    script = 'mount -t tmpfs -o size=1m small "$SMALL" && exec "$@"'
    wrap = ("unshare", "-m", "sh", "-c", script, "_")
    try:
        done = subprocess.run([*wrap, "true"], env={**os.environ, "SMALL": "/mnt"}, capture_output=True, check=False)
    except OSError:
        return None
    return wrap if done.returncode == 0 else None


@pytest.mark.parametrize("kind", ["video", "picture", "jsonl"])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    wrap = _mount_tmpfs()
    if wrap is None:
        pytest.skip("mounting a small disk (unshare -m, tmpfs) is not permitted here")
    given = make_video(tmp_path / "v.mp4", 60, audio=None).path
    if kind == "picture":
        given = tmp_path / "in"
        given.mkdir()
        from visionkit.lazy import cv2, np

        for i in range(10):
            cv2.imwrite(str(given / f"{i}.png"), np.zeros((4, 4, 3), np.uint8))
    small = tmp_path / "small"
    small.mkdir()
    monkeypatch.setenv("SMALL", str(small))
    output, errors = start(FULL, str(given), str(small), kind, wrap=wrap).communicate(timeout=100)
    assert output.startswith("named VK331 True make room"), output + errors
    left = output.splitlines()[1]
    if kind == "video":
        assert left == "['v.mp4.part']"
    elif kind == "jsonl":
        assert left == "['results.jsonl.part']"
    else:
        assert ".part" not in left
        assert left.count(".png") == 4  # those of 230 KB that fit are whole
