"""The command line on real files: exit codes, signals, corrupt inputs, hot reload."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

PIPELINE = "stages:\n  - filter.blur: {size: 5}\n  - edges.canny\n"


def visionkit(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "visionkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    return path


def picture(path: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    cv2.imwrite(str(path), cv2.resize(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8), (80, 60)))
    return path


def video(path: Path, frames: int, size: tuple[int, int] = (160, 120)) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames):
            pixels = np.full((size[1], size[0], 3), i % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "bgr24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_picture_a_folder_and_a_video_with_the_same_file(pipeline: Path, tmp_path: Path) -> None:
    picture(tmp_path / "one.jpg")
    (tmp_path / "many").mkdir()
    for i in range(4):
        picture(tmp_path / "many" / f"größe {i}.png", i)
    video(tmp_path / "clip.mp4", 20)
    for source, made in (
        ("one.jpg", ["one.jpg"]),
        ("many", [f"größe {i}.png" for i in range(4)]),
        ("clip.mp4", ["clip.mp4"]),
    ):
        out = tmp_path / f"out {source}"
        done = visionkit("run", pipeline, tmp_path / source, "-o", out)
        assert done.returncode == 0, done.stderr
        assert sorted(p.name for p in out.iterdir()) == sorted([".visionkit", *made, "results.jsonl"])
        assert "done of" in done.stdout
    with av.open(str(tmp_path / "out clip.mp4" / "clip.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_corrupt_pictures_cost_a_row_each_and_an_exit_code(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(5):
        picture(folder / f"{i}.jpg", i)
    (folder / "bad1.jpg").write_bytes(b"not a picture")
    (folder / "bad2.png").write_bytes((folder / "1.jpg").read_bytes()[:200])
    done = visionkit("run", pipeline, folder, "-o", tmp_path / "out")
    assert done.returncode == 3, done.stderr
    errors = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_text().splitlines()]
    assert sorted(e["source"] for e in errors) == ["bad1.jpg", "bad2.png"]
    assert len(list((tmp_path / "out").glob("[0-9].jpg"))) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "p.yaml"], 2, "no input"),
        (["run", "nowhere.yaml", "x.jpg"], 2, "nowhere.yaml: there is no such file"),
        (["run", "p.yaml", "nowhere.jpg"], 2, "nowhere.jpg"),
        (["run", "wrong.yaml", "one.jpg"], 4, "VK110"),
        (["run", "p.yaml", "one.jpg", "--set", "oops"], 2, "--set"),
        (["run", "p.yaml", "one.jpg", "--device", "gpu"], 2, "--device must be auto, cpu, cuda, cuda:0"),
        (["run", "p.yaml", "one.jpg", "--stage", "filter.gray"], 2, "but p.yaml is given too"),
        (["run", "p.yaml", "one.jpg", "-o", "one.jpg"], 5, "one.jpg: is a file, but results go into a folder"),
        (["run", "p.yaml", "one.jpg", "one.jpg"], 5, "the same input was given twice"),
        (["run", "same.yaml", "one.jpg", "bad.jpg"], 5, "put a placeholder into it"),
        (["frobnicate"], 2, "frobnicate"),
        (["run", "stop.yaml", "bad.jpg", "--on-error", "stop"], 8, "decode failed on bad.jpg"),
    ],
)
@pytest.mark.usefixtures("pipeline")
def test_exit_codes(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    picture(tmp_path / "one.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"x")
    (tmp_path / "wrong.yaml").write_text("stages: [filter.blurr]")
    (tmp_path / "stop.yaml").write_text(PIPELINE)
    (tmp_path / "same.yaml").write_text(PIPELINE + "outputs: [media: {path: same.png}]\n")
    done = visionkit(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_terminal_says_why_inputs_failed(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture(folder / "good.jpg")
    for i in range(5):
        (folder / f"bad{i}.jpg").write_bytes(b"not a picture")
    out = tmp_path / "out"
    done = visionkit("run", pipeline, folder, "-o", out, "-q")
    assert done.returncode == 3
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [f"bad{i}.jpg" in line for i, line in enumerate(lines[:3])] == [True] * 3
    assert lines[3:] == [f"... and 2 more, see {out / 'errors.jsonl'}"]
    (folder / "late.jpg").write_bytes(b"nor is this")
    more = visionkit("run", pipeline, folder, "-o", out)
    assert "late.jpg" in more.stderr
    assert "bad0.jpg" not in more.stderr
    again = visionkit("run", pipeline, folder, "-o", out)
    assert again.returncode == 3
    assert again.stdout.startswith("nothing to do\nnote: 7 inputs were done by an earlier run, 6 of them failed")
    assert "bad0.jpg" in again.stderr
    profiled = visionkit("profile", pipeline, folder / "bad0.jpg")
    assert profiled.returncode == 3
    assert "bad0.jpg" in profiled.stderr


def test_an_error_of_ones_own_function_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("def f(bgr):\n    return {}['a']\n")
    (tmp_path / "p.yaml").write_text("stages:\n  - python: {file: my.py, function: f}\n")
    source = picture(tmp_path / "a.png")
    run = ("run", tmp_path / "p.yaml", source, "--allow-code")
    done = visionkit(*run, "-o", tmp_path / "skipped")
    assert done.returncode == 3
    assert done.stderr == "failed: a.png: KeyError: 'a' (my.py:2)\n"
    done = visionkit("--debug", *run, "-o", tmp_path / "stopped", "--on-error", "stop")
    assert done.returncode == 8
    assert "VK340  python failed on a.png" in done.stderr
    assert f'File "{tmp_path / "my.py"}", line 2, in f' in done.stderr


def test_live_has_no_page_for_an_input_that_is_not_there(pipeline: Path, tmp_path: Path) -> None:
    done = visionkit("live", pipeline, tmp_path / "nope.jpg", "--port", 0)
    assert done.returncode == 2
    assert "nope.jpg: there is no such file" in done.stderr
    assert "http://" not in done.stderr + done.stdout


def test_existing_results_need_overwrite(pipeline: Path, tmp_path: Path) -> None:
    source = picture(tmp_path / "one.jpg")
    out = tmp_path / "out"
    assert visionkit("run", pipeline, source, "-o", out).returncode == 0
    again = visionkit("run", pipeline, source, "-o", out, "--no-resume")
    assert again.returncode == 5
    assert "--overwrite" in again.stderr
    assert visionkit("run", pipeline, source, "-o", out, "--overwrite").returncode == 0


def test_stages_without_a_file(tmp_path: Path) -> None:
    done = visionkit(
        "run",
        "--stage",
        "filter.blur: {size: 3}",
        "--stage",
        "edges.canny",
        picture(tmp_path / "a.png"),
        "-o",
        tmp_path / "o",
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o" / "a.png").is_file()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 4,000 frames."""
    return video(tmp_path_factory.mktemp("long") / "long.mp4", 4000, (320, 240))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_playable_video(
    number: signal.Signals, pipeline: Path, long: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "visionkit", "run", str(pipeline), str(long), "-o", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if any(p.stat().st_size > 20_000 for p in out.glob("*.part")):
            break
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "stopped before the end" in stdout
    (made,) = [p for p in out.iterdir() if p.suffix == ".mp4"]
    rows = len((out / "results.jsonl").read_text().splitlines())
    with av.open(str(made)) as container:
        assert 0 < sum(1 for _ in container.decode(video=0)) == rows < 4000
    assert not list(out.glob("*.part"))


def test_watch_takes_over_a_saved_file_and_shows_a_broken_one(pipeline: Path, tmp_path: Path) -> None:
    source = video(tmp_path / "long.mp4", 3000)
    pipeline.write_text("stages:\n  - filter.bilateral: {id: v, diameter: 19}\n  - filter.gray: {id: g}\n")
    out = tmp_path / "out"
    log = tmp_path / "stderr.txt"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "visionkit", "run", str(pipeline), str(source), "-o", str(out), "--watch"],
            stderr=stderr,
        )

    def wait_for(text: str) -> None:
        for _ in range(400):
            if text in log.read_text():
                return
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not said: {log.read_text()}")

    try:
        for _ in range(400):
            if list(out.glob("*.part")):
                break
            time.sleep(0.05)
        pipeline.write_text("stages:\n  - filter.nlmm\n")
        wait_for("VK110")
        wait_for("the plan before goes on")
        pipeline.write_text("stages:\n  - filter.invert\n")
        wait_for("new plan")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    with av.open(str(out / "long.mp4")) as container:
        frames = [f.to_ndarray(format="gray").mean() for f in container.decode(video=0)]
    assert len(frames) == 3000
    with av.open(str(source)) as container:
        bare = [f.to_ndarray(format="gray").mean() for f in container.decode(video=0)]
    assert abs(frames[0] - bare[0]) < 12, "the first frames ran the old plan"
    assert abs(frames[-1] - (255 - bare[-1])) < 12, "the last frames ran the new plan"


def test_two_outputs_with_one_path_are_named(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(f"{PIPELINE}outputs:\n  - csv: {{path: x.txt}}\n  - jsonl: {{path: x.txt}}\n")
    done = visionkit("run", tmp_path / "p.yaml", picture(tmp_path / "a.png"), "-o", tmp_path / "out")
    assert done.returncode == 4
    assert "'csv' and 'jsonl' have the same path 'x.txt'" in done.stderr
