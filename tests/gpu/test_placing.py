"""Which frames are sent to a device, and that two batches in flight change nothing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from visionkit.api import Job, Pipeline
from visionkit.data import Image
from visionkit.runtime import engine as engine_module
from visionkit.runtime.batch import BatchOptions
from visionkit.runtime.context import RunSettings
from visionkit.runtime.placing import device_of_frames, sending
from visionkit.stages.classify.classify import Classify

pytest.importorskip("torch")
DETECT = "- detect: {weights: yolo11n}"
BODY = "- for_each: {id: each, in: detect, stages: [{classify: {weights: mobilenet_v2}}]}"


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
    assert len(sending(plan(*stages), RunSettings(device=device))) == bool(wanted)


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
