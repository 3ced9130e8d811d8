"""Filters alone: the whole way from file to file, against a loop a careful person writes with OpenCV.

Each run is a process of its own; the clock starts when everything is imported and warm, and stops when the output is
closed. The serial loops read and write with cv2; its video writer makes MPEG-4 Part 2, visionkit H.264 at its default,
which costs more and takes half the room, so a second line encodes with the same x264 in both. They leave cv2 and x264
as many threads as those take, which costs processor time; what the limit counts is a loop of the same calls, each on
one thread, and x264 with the threads that visionkit gives it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.child import run as child
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import CORES, Sample, efficiency, figure, ratio
from visionkit.runtime.threads import encoder_threads

FILTER = """
version: 1
stages:
  - filter.blur: {size: 9}
  - edges.canny: {low: 50, high: 150}
outputs:
  - media: {path: "{source.stem}.mp4", speed: SPEED}
"""


def visionkit_job(text: str, source: str, out: str) -> Callable[[], Any]:
    """A pipeline run through the public interface, with all its features on; compiled, and run once on little."""
    from visionkit.api import Pipeline

    shutil.rmtree(out, ignore_errors=True)
    pipeline = Pipeline.from_text(text)
    little = Path(out).parent / "little"
    pipeline.write(inputs.video(little / "two.mp4", 2, 64, 64), out=f"{out}.warm", overwrite=True)
    return lambda: pipeline.write(source, out=out).out


def serial_video(source: str, out: str, x264: str = "", single: bool = False) -> Callable[[], Any]:
    """Read, blur, Canny, write, one after the other; ``single``: each call on one thread."""
    import cv2

    if single:
        cv2.setNumThreads(1)

    def work() -> int:
        reader = opened(source, single)
        writer, count = writer_of(reader, out, x264, single), 0
        while True:
            ok, frame = reader.read()
            if not ok:
                break
            edges = cv2.Canny(cv2.cvtColor(cv2.GaussianBlur(frame, (9, 9), 0), cv2.COLOR_BGR2GRAY), 50, 150)
            writer.write(cv2.cvtColor(edges, cv2.COLOR_GRAY2BGR))
            count += 1
        writer.release()
        return count

    return work


def opened(source: str, single: bool) -> Any:
    """A video, decoded on one thread or as cv2 likes."""
    import cv2

    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1] if single else [])


def writer_of(reader: Any, out: str, x264: str, single: bool) -> Any:
    """For pictures of the reader's size: cv2's mp4v, or x264 at a speed, with visionkit's threads if ``single``."""
    import cv2

    size = (int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    if x264:
        return X264Writer(out, size, x264, encoder_threads(CORES) if single else 0)
    return cv2.VideoWriter(out, cv2.VideoWriter.fourcc(*"mp4v"), 25, size)


class X264Writer:
    """cv2's writer, but H.264 by PyAV."""

    def __init__(self, path: str, size: tuple[int, int], speed: str, threads: int = 0) -> None:
        import av

        from visionkit.media.sinks.encoders import ENCODERS

        self._out = av.open(path, "w")
        stream = self._stream = self._out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = ENCODERS["h264"].options(speed, None)  # type: ignore[arg-type]
        stream.codec_context.thread_count = threads

    def write(self, frame: Any) -> None:
        """Append a picture (H, W, 3) BGR."""
        import av
        import cv2

        yuv = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)
        self._out.mux(self._stream.encode(av.VideoFrame.from_ndarray(yuv, format="yuv420p")))

    def release(self) -> None:
        """Finish the file."""
        self._out.mux(self._stream.encode(None))
        self._out.close()


def decode_only(source: str) -> Callable[[], Any]:
    """The source alone, flat out."""
    import cv2

    def work() -> None:
        reader = cv2.VideoCapture(source)
        while reader.read()[0]:
            pass

    return work


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    frames = settings.frames or 200
    if settings.data:
        source = inputs.excerpt(inputs.videos_in(settings.data)[0], settings.work / f"real-720p-{frames}.mp4", frames)
    else:
        source = inputs.video(settings.work / f"{frames}.mp4", frames)
    table.notes.append(f"{frames} frames, {'a real video scaled to' if settings.data else 'rendered,'} 1280 × 720.")
    out = str(settings.work / "filter")
    video = {"source": str(source)}
    jobs: dict[str, Callable[[], Sample]] = {
        "serial": partial(child, serial_video, **video, out=f"{out}.serial.mp4"),
        "serial x264": partial(child, serial_video, **video, out=f"{out}.x264.mp4", x264="default"),
        "serial x264 fast": partial(child, serial_video, **video, out=f"{out}.fast.mp4", x264="fast"),
        "calls": partial(child, serial_video, **video, out=f"{out}.calls.mp4", x264="default", single=True),
        "calls fast": partial(child, serial_video, **video, out=f"{out}.calls.mp4", x264="fast", single=True),
        "ours": partial(child, visionkit_job, text=FILTER.replace("SPEED", "default"), **video, out=out),
        "fast": partial(child, visionkit_job, text=FILTER.replace("SPEED", "fast"), **video, out=out),
        "decode": partial(child, decode_only, **video),
    }
    found = settings.measured("filter-video", jobs)
    table.rounds = len(found["ours"])
    note = "blur + Canny, 720p"
    table.add(
        "video: times as fast as a serial cv2 loop writing mp4v",
        ratio(found["serial"], found["ours"]),
        "×",
        least=1.4,
        note=note,
    )
    table.add("the same with `speed: fast`", ratio(found["serial"], found["fast"]), "×", least=1.4, note=note)
    table.add(
        "times as fast as that loop writing the same H.264", ratio(found["serial x264"], found["ours"]), "×", note=note
    )
    table.add(
        "processor time over that of the same calls on one thread",
        ratio(found["ours"], found["calls"], "cpu"),
        "×",
        note="1 is no overhead",
    )
    for job, loop, label in (("ours", "calls", ""), ("fast", "calls fast", ", fast")):
        table.add(
            f"wall over the limit{label}",
            efficiency(found[job], found[loop], [found["decode"]]),
            "×",
            most=1.15,
            note="limit: the larger of decode alone and the calls' processor time / cores",
        )
    for name, label in (
        ("serial", "serial, mp4v"),
        ("serial x264", "serial, H.264"),
        ("serial x264 fast", "serial, H.264 fast"),
        ("calls", "the calls on one thread, H.264"),
        ("calls fast", "the calls on one thread, H.264 fast"),
        ("ours", "visionkit"),
        ("fast", "visionkit, fast"),
    ):
        table.add(f"processor time a frame: {label}", figure(found[name], "cpu", 1000 / frames), "ms")
