"""A folder of 1080p JPEGs: read, scale to half, write, against the loop everybody writes with OpenCV.

Each run is a process of its own; the clock starts when everything is imported and warm, and stops when the last file is
there. The pictures that visionkit writes are those of the loop, byte for byte (the suite checks it), except with
``--reduced-decode``, where libjpeg scales while it decodes. The loop lets OpenCV take the threads it wants; the second
one is told to take one, as its own threads hardly help it. "bare" is what can be had of reduced decode at
all: a pool of threads that do nothing but call OpenCV.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.child import measure
from benchmarks.child import run as child
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Sample, efficiency, figure, ratio
from visionkit.runtime.context import cores

PHOTOS = 240
MANY = 600
PIPELINE = """
stages:
  - resize: {width: 960, height: 540, interpolation: area}
outputs:
  - media
"""


def loop(source: str, out: str, threads: int = 0) -> Callable[[], int]:
    """Read, resize, write, one picture after the other."""
    import cv2

    _warm(cv2)
    _emptied(out)
    if threads:
        cv2.setNumThreads(threads)

    def work() -> int:
        paths = sorted(Path(source).glob("*.jpg"))
        for path in paths:
            small = cv2.resize(cv2.imread(str(path)), (960, 540), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(Path(out) / path.name), small, [cv2.IMWRITE_JPEG_QUALITY, 95])
        return len(paths)

    return work


def bare(source: str, out: str) -> Callable[[], int]:
    """As fast as OpenCV goes: threads that decode at half the size, encode and write, and check nothing."""
    import cv2
    import numpy as np

    from visionkit.runtime.threads import keep_memory

    _warm(cv2)
    _emptied(out)
    keep_memory()
    cv2.setNumThreads(1)

    def one(path: Path) -> None:
        small = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
        cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tofile(str(Path(out) / path.name))

    def work() -> int:
        paths = sorted(Path(source).glob("*.jpg"))
        with ThreadPoolExecutor(cores()) as pool:
            return len(list(pool.map(one, paths)))

    return work


def many(source: str, out: str, engine: str) -> Callable[[], float]:
    """The same by either engine; what it returns are the seconds from the first picture to the last, start-up apart."""
    from visionkit.api import Pipeline
    from visionkit.runtime.batch import BatchOptions

    _emptied(out)
    batch = BatchOptions(engine="ray" if engine == "ray" else "local")
    return lambda: Pipeline.from_text(PIPELINE).write(source, out=out, batch=batch).seconds


def pipeline(source: str, out: str, reduced: bool = False) -> Callable[[], int]:
    """The same as a pipeline, with manifest, checks and all; compiled, and run once on one small picture."""
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions

    options = SourceOptions(reduced=reduced)
    made = Pipeline.from_text(PIPELINE)
    little = inputs.photos(Path(out).parent / "little", 4)
    made.write(little, out=f"{out}.warm", overwrite=True, options=options)
    _emptied(out)
    return lambda: made.write(source, out=out, options=options).out


def _warm(cv2: Any) -> None:
    import numpy as np

    data = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1]
    cv2.resize(cv2.imdecode(data, cv2.IMREAD_COLOR), (32, 32), interpolation=cv2.INTER_AREA)


def _emptied(out: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    Path(out).mkdir(parents=True)


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    count = settings.frames or PHOTOS
    source, out = str(inputs.photos(settings.work / f"photos{count}", count)), settings.work / "folder"
    jobs: dict[str, Callable[[], Sample]] = {
        "loop": partial(child, loop, source=source, out=str(out / "loop")),
        "one thread": partial(child, loop, source=source, out=str(out / "one"), threads=1),
        "ours": partial(child, pipeline, source=source, out=str(out / "ours")),
        "reduced": partial(child, pipeline, source=source, out=str(out / "reduced"), reduced=True),
        "bare": partial(child, bare, source=source, out=str(out / "bare")),
    }
    found = settings.measured("folder", jobs)
    table.rounds = len(found["ours"])
    _engines(table, settings, out)
    same = sum(_same(out / "ours" / path.name, path) for path in (out / "loop").glob("*.jpg"))
    if same != count:
        raise RuntimeError(f"{count - same} of {count} pictures are not those of the loop")
    wide = f"1080p, {cores()} cores"
    table.add("times as fast as the loop, same bytes", ratio(found["loop"], found["ours"]), "×", least=1.9, note=wide)
    table.add("times as fast as the loop on one thread", ratio(found["one thread"], found["ours"]), "×", note=wide)
    fast = ratio(found["loop"], found["reduced"])
    table.add("with `--reduced-decode`: times as fast as the loop", fast, "×", least=3.3, note=wide)
    most = ratio(found["loop"], found["bare"])
    table.add("OpenCV alone, bare threads at half the size: times as fast as the loop", most, "×", note=wide)
    share = ratio(found["bare"], found["reduced"])
    table.add("with `--reduced-decode`: times as fast as the bare threads", share, "×", note=wide)
    limit = efficiency(found["ours"], found["one thread"])
    table.add(
        "wall over the limit", limit, "×", most=1.15, note="limit: processor time of the loop on one thread / cores"
    )
    limit = efficiency(found["reduced"], found["bare"])
    note = "limit: processor time of the bare threads / cores"
    table.add("with `--reduced-decode`: wall over the limit", limit, "×", most=1.15, note=note)
    for name in ("ours", "reduced"):
        spent = ratio(found[name], found["loop"], "cpu")
        table.add(f"processor time over that of the loop: {name}", spent, "×", note="1 is no overhead")
    for name in jobs:
        for what, of in (("processor time", "cpu"), ("time on the clock", "wall")):
            table.add(f"{what} a picture: {name}", figure(found[name], of, 1000 / count), "ms")


def _engines(table: Table, settings: Settings, out: Path) -> None:
    """The engine of one process against Ray's on this machine."""
    source = str(inputs.photos(settings.work / f"photos{MANY}", MANY))

    def took(engine: str) -> Sample:
        return Sample(measure(many, source=source, out=str(out / engine), engine=engine)[1], 0.0)

    jobs = {engine: partial(took, engine) for engine in ("local", "ray")}
    seconds = settings.measured("folder-engines", jobs, warm_up=0)
    note = f"{MANY} pictures, start-up apart"
    share = ratio(seconds["local"], seconds["ray"])
    table.add("Ray on this machine, times as fast as the local engine", share, "×", least=0.85, note=note)
    for engine, samples in seconds.items():
        table.add(f"time on the clock a picture: {engine}", figure(samples, "wall", 1000 / MANY), "ms", note=note)


def _same(path: Path, other: Path) -> bool:
    return path.read_bytes() == other.read_bytes()
