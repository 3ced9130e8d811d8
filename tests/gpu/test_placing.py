"""Which frames are sent to a device, and that two batches in flight change nothing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from visionkit.api import Job, Pipeline
from visionkit.data import Image
from visionkit.errors import UsageError
from visionkit.runtime import engine as engine_module
from visionkit.runtime.batch import BatchOptions
from visionkit.runtime.context import RunSettings
from visionkit.runtime.placing import device_of_frames, sending
from visionkit.stages.classify.classify import Classify

torch = pytest.importorskip("torch")
DETECT = "- detect: {weights: yolo11n}"
BODY = "- for_each: {id: each, in: detect, stages: [{classify: {weights: mobilenet_v2}}]}"


def has_gpu() -> bool:
    return bool(torch.cuda.is_available())


def plan(*stages: str) -> Pipeline:
    return Pipeline.from_text("version: 1\nstages:\n" + "".join(f"  {stage}\n" for stage in stages)).plan


@pytest.mark.parametrize(
    ("stages", "device", "wanted"),
    [
        ((DETECT,), "cuda", "cuda"),
        ((DETECT,), "cpu", ""),
        ((DETECT, "- draw.boxes"), "cuda:1", "cuda:1"),
        (("- filter.median", DETECT), "cuda", ""),
        (("- contours: {id: detect}", BODY), "cuda", "cuda"),
        (("- filter.median",), "cuda", ""),
    ],
)
def test_frames_go_where_the_first_that_looks_at_them_works(stages, device, wanted) -> None:
    assert device_of_frames(plan(*stages), RunSettings(device=device)) == wanted
    if wanted and not has_gpu():
        with pytest.raises(UsageError, match="finds no NVIDIA GPU"):
            sending(plan(*stages), RunSettings(device=device))
    elif not wanted:
        assert sending(plan(*stages), RunSettings(device=device)) == []


def test_a_gpu_that_is_not_there_is_one_clear_error(samples, tmp_path) -> None:
    if has_gpu():
        pytest.skip("this machine has a GPU")
    for text in ("stages: [filter.box]", "stages: [{detect: {weights: yolo11n}}]"):
        pipeline = Pipeline.from_text(f"version: 1\n{text}\noutputs: [jsonl]\nrun: {{device: cuda}}\n")
        with pytest.raises(UsageError, match=r"device cuda: torch .* finds no NVIDIA GPU") as caught:
            Job(pipeline.plan, pipeline._run_settings()).run([str(samples / "tiny.mp4")], out=tmp_path)
        assert "nvidia-smi" in caught.value.help


def test_two_batches_in_flight_keep_the_order(monkeypatch, tmp_path) -> None:
    """The engine as it is on a GPU, with a network that is none: every result belongs to its frame, in order."""
    seen: set[int] = set()
    gate = threading.Barrier(2, timeout=20)

    class Slow(Classify):
        def open(self, context: object) -> None:
            self.first = True

        def bucket(self, image: Image) -> None:
            return None

        def run(self, images):
            if self.first:
                self.first = False
                gate.wait()  # both instances are at work at once
            seen.add(threading.get_ident())
            from visionkit.data import Labels

            level = [int(image.tensor("cpu", "gray")[0, 0, 0]) for image in images]
            return [Labels(np.array([one], np.int32), np.ones(1, np.float32), tuple("x" * 256)) for one in level]

    monkeypatch.setattr("visionkit.stages.classify.classify.Classify.open", Slow.open)
    monkeypatch.setattr("visionkit.stages.classify.classify.Classify.bucket", Slow.bucket)
    monkeypatch.setattr("visionkit.stages.classify.classify.Classify.run", Slow.run)
    monkeypatch.setattr(engine_module, "sending", lambda *_: [("send", lambda token: token.values[0].put("cpu"))])
    pipeline = Pipeline.from_text("version: 1\nstages:\n  - classify: {weights: mobilenet_v2}\noutputs: [jsonl]\n")
    found: list[tuple[int, int]] = []

    def told(packet) -> None:
        assert packet.values["source"].device == "cpu"
        found.append((int(packet.values["source"].gray()[0, 0]), int(packet.values["classify"].class_id[0])))

    pictures = [Image(np.full((8, 8, 3), level, np.uint8)) for level in range(40)]
    job = Job(pipeline.plan, RunSettings(batch=3, workers=2), told)
    summary = job.run(pictures, out=tmp_path, outputs=False, batch=BatchOptions(keep=False))
    assert summary.out == 40
    assert found == [(level, level) for level in range(40)]
    assert len(seen) == 2
