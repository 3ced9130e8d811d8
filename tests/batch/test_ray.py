"""A run on a Ray cluster: what the local engine writes, byte for byte, whoever dies on the way."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batch.batches import DOCUMENTS_PIPELINE, PIPELINE, Growing, album, everything, pictures, run, sources, state

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
COUNT = 240
SLOW = "import time\n\ndef nap(image):\n    time.sleep(0.03)\n    return image\n"
NAP = "stages:\n  - python: {file: nap.py, function: nap}\n"
TOKEN = secrets.token_hex(32)
ENVIRONMENT = {**os.environ, "RAY_AUTH_TOKEN": TOKEN, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A pipeline, pictures of which 5 % are broken, a video, and what the local engine makes of them."""
    place = tmp_path_factory.mktemp("ray")
    (place / "nap.py").write_text(SLOW)
    (place / "p.yaml").write_text(
        DOCUMENTS_PIPELINE.replace("stages:\n", "stages:\n  - python: {file: nap.py, function: nap}\n")
    )
    album(place / "in", samples / "photos", COUNT, bad=0.05)
    run(place / "p.yaml", place / "in", "-o", place / "calm", "--allow-code", code=3)
    return place


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process that holds a cluster of three nodes, and its address."""
    command = [sys.executable, "-m", "tests.batch.ray_nodes"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=ENVIRONMENT, **pipes)  # type: ignore[call-overload]
    address = process.stdout.readline().strip()
    if not address:
        pytest.skip("three nodes of Ray do not start on this machine")
    with process:
        yield process, address
        process.stdin.close()


@contextmanager
def started(place: Path, out: Path, address: str = "") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "visionkit", "run", place / "p.yaml", place / "in", "-o", out, "--allow-code"]
    command += ["--engine", "ray", *(["--ray-address", address] if address else [])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def rows(out: Path, process: subprocess.Popen[str]) -> Iterator[int]:
    table = Growing(out / "results.jsonl.part")
    while process.poll() is None:
        yield table.lines()
        time.sleep(0.02)


def workers() -> list[int]:
    """Processes of our cluster that run pieces."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = f"RAY_AUTH_TOKEN={TOKEN}".encode() in (folder / "environ").read_bytes()
            if ours and (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                found.append(int(folder.name))
    return found


def test_whoever_dies(place: Path, nodes: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    """A worker is killed, then the driver; the next one goes on with it, and loses a node."""
    (cluster, address), out, killed = nodes, tmp_path / "out", 0
    with started(place, out, address) as process:
        for count in rows(out, process):
            if count > COUNT // 6 and not killed:
                killed = workers()[0]
                os.kill(killed, signal.SIGKILL)
            if count > COUNT // 3:
                process.kill()
    assert killed
    kept = kept_by_the_manifest(out)
    removed = ""
    with started(place, out, address) as process:
        for count in rows(out, process):
            if count > COUNT * 2 // 3 and not removed:
                cluster.stdin.write("remove\n")
                cluster.stdin.flush()
                removed = cluster.stdout.readline().strip()
        text = process.stdout.read()
    assert removed == "removed", text
    gone_on_with(place, out, process, text, kept)


@pytest.mark.nightly
def test_gone_on_with_on_a_cluster_of_its_own(
    place: Path, nodes: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with started(place, out, nodes[1]) as process:
        for count in rows(out, process):
            if count > COUNT // 3:
                process.kill()
    kept = kept_by_the_manifest(out)
    with started(place, out) as process:
        text = process.communicate(timeout=300)[0]
    gone_on_with(place, out, process, text, kept)


def kept_by_the_manifest(out: Path) -> int:
    """How many inputs need not be done again after the driver was killed."""
    before = state(out)
    assert before["pending"], before
    kept = COUNT - int(str(before["pending"]))
    assert kept >= COUNT // 3
    return kept


def gone_on_with(place: Path, out: Path, process: subprocess.Popen[str], text: str, kept: int) -> None:
    """The second run has done what the manifest lacked and nothing else; results are the local engine's."""
    assert process.returncode == 3, text
    assert f"{kept} inputs were done by an earlier run" in text
    assert re.search(rf"of {COUNT - kept} in", text), text
    undisturbed, found = everything(place / "calm"), everything(out)
    assert sorted(found) == sorted(undisturbed)
    assert [name for name in found if found[name] != undisturbed[name]] == []
    assert state(out) | {"begun": ""} == state(place / "calm") | {"begun": ""}
    assert not list((out / ".visionkit").glob("workers-*"))


@pytest.mark.nightly
def test_a_picture_that_kills_its_worker_fails_alone(tmp_path: Path) -> None:
    """On a cluster of one node: everything else is done."""
    place, out = tmp_path, tmp_path / "out"
    pictures(place / "in", 40)
    cv2.imwrite(str(place / "in" / "deadly.png"), np.zeros((13, 64, 3), np.uint8))
    (place / "nap.py").write_text(
        "import os\n\ndef nap(image):\n    return os._exit(1) if image.shape[0] == 13 else image\n"
    )
    (place / "p.yaml").write_text(PIPELINE.replace("stages:\n", NAP))
    with started(place, out) as process:
        text = process.communicate(timeout=500)[0]
    assert process.returncode == 3, text
    assert sources(out) == [f"{i}.png" for i in range(40)]
    (row,) = (json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines())
    assert (row["source"], row["stage"], row["code"]) == ("deadly.png", "worker", "VK340")
    assert "workers died of it" in row["message"]
