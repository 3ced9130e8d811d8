"""SVT-AV1 makes itself and its caller real-time where root runs it; whatever is started later would stop the rest."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.media.media_files import make_video, run_sink
from visionkit.data import Image
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.stage import SinkContext

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="policies are read where Linux keeps them")


def test_no_encoder_makes_a_thread_real_time(tmp_path: Path) -> None:
    clip, policies = make_video(tmp_path / "a.mp4", 6, size=(128, 96)), set()

    def draw(image: Image, _: int) -> Image:
        threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
        policies.update(map(os.sched_getscheduler, threads))
        return image

    (source,) = open_sources([clip.path], SourceOptions())
    run_sink(MediaSink(MediaParams(codec="av1")), source, SinkContext(tmp_path / "out"), draw)
    assert policies | {os.sched_getscheduler(0)} == {os.SCHED_OTHER}
