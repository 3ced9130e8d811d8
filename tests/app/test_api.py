"""The Python API: results come in order, show themselves, and leaving early ends the run."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Annotated
from visionkit.errors import PipelineError, StageError, UsageError, VisionkitError

FILTER = "vars: {size: 3}\nstages:\n  - filter.blur: {id: soft, size: $size}\n  - edges.canny: {id: edges}\n"


def pictures(count: int) -> list[np.ndarray]:
    return [np.random.default_rng(i).integers(0, 255, (40, 60, 3), dtype=np.uint8) for i in range(count)]


def test_results_come_in_order_and_equal_opencv() -> None:
    given = pictures(12)
    results = list(Pipeline.from_text(FILTER, size=5).run(*given))
    assert [r.packet.key.index for r in results] == [
        r.packet.key.index for r in sorted(results, key=lambda r: r.packet.key)
    ]
    for pixels, result in zip(given, results, strict=True):
        assert np.array_equal(result["soft"].bgr(), cv2.GaussianBlur(pixels, (5, 5), 0))


def test_a_result_shows_itself_and_is_plain_data() -> None:
    (result,) = Pipeline.from_text("stages:\n  - contours: {id: shapes}\n  - draw.boxes\n").run(pictures(1)[0])
    assert isinstance(result.image, Annotated)
    assert result._repr_png_().startswith(b"\x89PNG")
    assert len(result.detections) == len(result.to_dict()["shapes"])


def test_leaving_early_ends_the_run_and_its_threads() -> None:
    before = threading.active_count()
    for result in Pipeline.from_text(FILTER).run(*pictures(200)):
        if result.packet.key.index >= 0:
            break
    del result
    for thread in threading.enumerate():
        if thread.name.startswith("visionkit"):
            thread.join(10)
    assert threading.active_count() <= before


def test_errors_reach_the_caller() -> None:
    with pytest.raises(PipelineError):
        Pipeline.from_text("stages: [filter.blurr]")
    with pytest.raises(UsageError):
        list(Pipeline.from_text(FILTER).run("nowhere.jpg"))
    for work in (Pipeline.from_text(FILTER).run, Pipeline.from_text(FILTER).write):
        with pytest.raises(UsageError, match="list of paths"):
            list(work(["a.jpg", "b.jpg"]))  # type: ignore[call-overload]
    wrong = Pipeline.from_text("stages:\n  - crop: {x: 500, y: 500, width: 10, height: 10, on_error: stop}\n")
    with pytest.raises(StageError):
        list(wrong.run(pictures(1)[0]))


def test_a_frame_that_failed_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    (result,) = Pipeline.from_text("stages:\n  - contours: {id: shapes}\n").run(str(broken))
    assert not result.ok
    assert result.failure is not None
    assert result.failure.stage == "decode"
    for ask in (lambda: result.detections, lambda: result.image, lambda: result["shapes"], result._repr_png_):
        with pytest.raises(VisionkitError, match=r"broken\.jpg") as caught:
            ask()
        assert caught.value.code == "VK320"
    assert result.to_dict()["source"] == "broken.jpg"
    assert len(repr(result)) < 200
    (good,) = Pipeline.from_text("stages: [contours]").run(pictures(1)[0])
    assert good.ok
    assert "contours" in repr(good)
    assert len(repr(good)) < 200


def test_a_function_of_ones_own_needs_permission(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def negative(bgr):\n    return 255 - bgr\n")
    path = tmp_path / "p.yaml"
    path.write_text("stages:\n  - python: {file: mine.py, function: negative, id: n}\n")
    with pytest.raises(PipelineError, match="--allow-code"):
        Pipeline.load(path)
    (picture,) = pictures(1)
    (result,) = Pipeline.load(path, allow_code=True).run(picture)
    assert np.array_equal(result["n"].bgr(), 255 - picture)


def test_a_device_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="must be auto, cpu, cuda"):
        Pipeline.from_text(FILTER).with_settings(device="gpu")
    with pytest.raises(PipelineError, match=r":5:15  VK112  run.device\n  must be auto, cpu, cuda"):
        Pipeline.from_text(FILTER + "run: {device: gpu}\n")


def test_settings_change_speed_only() -> None:
    given = pictures(20)
    text = FILTER + "  - background.mog2: {id: moving, in: soft}\noutputs: [jsonl]\n"
    found = []
    for settings in ({"workers": 1, "batch": 1}, {"workers": 4, "batch": 8}):
        results = Pipeline.from_text(text).with_settings(**settings).run(*given)
        found.append([r["moving"].gray().tobytes() for r in results])
    assert found[0] == found[1]
