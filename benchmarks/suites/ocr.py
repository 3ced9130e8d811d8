"""Text on pages: RapidOCR's and EasyOCR's networks in visionkit against the two libraries called by hand.

The same pictures with the same weights: the bundled page and sign, and forty lines cut out of the page, which visionkit
recognises in batches and the libraries one by one, as their users do. Every job has a process of its own, where all is
loaded and warmed before the clocks start.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, Worker, measure, worker
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample, efficiency, figure, ratio

LIBRARIES = ("rapidocr", "easyocr")
PAGES = ("page", "sign")
LINES = 40


def read_by_pipeline(library: str, out: str) -> Callable[[], Sample]:
    """A pipeline on the pages, from the first that is asked for to the last row of the table."""
    from visionkit.api import Job, Pipeline
    from visionkit.runtime.batch import BatchOptions

    pipeline = Pipeline.from_text(f"version: 1\nstages:\n  - ocr.{library}: {{id: text}}\noutputs: [jsonl]\n")

    def work() -> Sample:
        shutil.rmtree(out, ignore_errors=True)
        job = Job(pipeline.plan, pipeline._run_settings())
        return Sample(job.run(pages(), out=Path(out), batch=BatchOptions(keep=False)).seconds, 0.0)

    return work


@cache
def read_by_library(library: str, out: str) -> Callable[[], Any]:
    """The library's own call, one page after the other; ``out`` gets the text."""
    import cv2

    call = _reader(library)

    def work() -> None:
        texts = [call(cv2.imread(path)) for path in pages()]
        Path(f"{out}.json").write_text(json.dumps(texts))

    work()
    return work


def pages() -> list[str]:
    """The bundled ones."""
    return [str(ROOT / "samples" / "photos" / f"{page}.jpg") for page in PAGES]


def _reader(library: str) -> Callable[[Any], list[str]]:
    """A picture → its lines, by the library's own call with its own number of threads."""
    if library == "rapidocr":
        from rapidocr import RapidOCR

        engine = RapidOCR(params={"Global.log_level": "error"})
        return lambda pixels: list(engine(pixels).txts or ())
    reader = _easyocr()
    return lambda pixels: [text for _, text, _ in reader.readtext(pixels)]


def _easyocr() -> Any:
    from benchmarks.accuracy.text import easyocr_reader
    from visionkit.backends import ModelCache
    from visionkit.weights import Catalogue, Store

    return easyocr_reader(ModelCache(Catalogue.load(), Store()))


def lines() -> list[Any]:
    """Lines cut out of the page, BGR (h, w, 3)."""
    import cv2
    import numpy as np

    from visionkit.api import Pipeline

    path = str(ROOT / "samples" / "photos" / "page.jpg")
    text = "version: 1\nstages:\n  - ocr.rapidocr: {id: text}\noutputs: []\n"
    (found,) = (result["text"].polygons for result in Pipeline.from_text(text).run(path))
    page, cut = cv2.imread(path), []
    for polygon in found:
        (x1, y1), (x2, y2) = polygon.min(axis=0).astype(int), np.ceil(polygon.max(axis=0)).astype(int)
        cut.append(np.ascontiguousarray(page[max(0, y1) : y2, max(0, x1) : x2]))
    return (cut * LINES)[:LINES]


@cache
def recognised_by_stage(library: str) -> Callable[[], Any]:
    """All lines in one call of the stage, as ``for_each`` hands them to it."""
    from visionkit.backends import ModelCache
    from visionkit.data import Image
    from visionkit.stage.catalogue import stages
    from visionkit.testing.context import CountingContext
    from visionkit.weights import Catalogue, Store

    kind, crops = stages().get(f"ocr.{library}"), lines()
    stage = kind(kind.Params(mode="recognize"))
    stage.open(CountingContext(ModelCache(Catalogue.load(), Store())))

    def work() -> list[str]:
        return [found.text or "" for found in stage.run([Image(crop) for crop in crops])]

    work()
    return work


@cache
def recognised_by_library(library: str) -> Callable[[], Any]:
    """One line after the other, by the library's own call."""
    import cv2

    crops = lines()
    if library == "rapidocr":
        from rapidocr import RapidOCR

        engine = RapidOCR(params={"Global.log_level": "error"})

        def call(crop: Any) -> str:
            return "".join(engine(crop, use_det=False).txts or ())

    else:
        reader = _easyocr()

        def call(crop: Any) -> str:
            return "".join(text for _, text, _ in reader.recognize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)))

    def work() -> list[str]:
        return [call(crop) for crop in crops]

    work()
    return work


def run(table: Table, settings: Settings) -> None:
    """Fill the table; ``--weights easyocr`` measures one library alone."""
    chosen = [name for name in settings.weights if name in LIBRARIES]
    table.suite = "-".join([table.suite, *chosen])
    for library in chosen or LIBRARIES:
        _pages(table, settings, library)
        _lines(table, settings, library)


def _pages(table: Table, settings: Settings, library: str) -> None:
    outs = [str(settings.work / "ocr" / f"{library}-{who}") for who in ("ours", "theirs")]
    (settings.work / "ocr").mkdir(parents=True, exist_ok=True)
    jobs = dict(zip(("ours", "theirs"), (read_by_pipeline, read_by_library), strict=True))
    workers = {who: worker(job, library=library, out=out) for (who, job), out in zip(jobs.items(), outs, strict=True)}
    found = _measured(f"ocr-{library}-pages", workers, settings)
    table.rounds = len(found["ours"])
    what = f"{library}, a page and a sign found and read"
    table.add(f"{what}: times as fast as the library", ratio(found["theirs"], found["ours"]), "×")
    table.add(f"{what}: visionkit", figure(found["ours"]), "s")
    note = "limit: the library's processor time / cores"
    table.add(f"{what}: wall over the limit", efficiency(found["ours"], found["theirs"]), "×", most=1.15, note=note)
    rows = [json.loads(line) for line in (Path(outs[0]) / "results.jsonl").read_text("utf-8").splitlines()]
    ours = [line["text"] for row in rows for line in row["text"]["lines"]]
    theirs = [text for texts in json.loads(Path(f"{outs[1]}.json").read_text()) for text in texts]
    table.add(
        f"{what}: lines the library reads as well",
        _alike(ours, theirs),
        "%",
        note=f"{len(ours)} and {len(theirs)} lines",
    )


def _lines(table: Table, settings: Settings, library: str) -> None:
    both = {"ours": recognised_by_stage, "theirs": recognised_by_library}
    workers = {who: worker(job, library=library) for who, job in both.items()}
    found = _measured(f"ocr-{library}-lines", workers, settings)
    what = f"{library}, {LINES} lines read"
    table.add(
        f"{what} in batches: times as fast as one by one in the library", ratio(found["theirs"], found["ours"]), "×"
    )
    table.add(f"{what}: its processor time over ours", ratio(found["theirs"], found["ours"], "cpu"), "×")
    table.add(f"{what}: visionkit", figure(found["ours"]), "s")
    texts = [measure(job, library=library)[1] for job in both.values()]
    table.add(f"{what}: the same text", _alike(*texts), "%")


def _measured(name: str, jobs: dict[str, Worker], settings: Settings) -> dict[str, list[Sample]]:
    with ExitStack() as stack:
        for job in jobs.values():
            stack.callback(job.close)
        return settings.measured(name, jobs)


def _alike(ours: list[str], theirs: list[str]) -> Figure:
    """How many of our lines are among theirs, in per cent."""
    share = 100 * (Counter(ours) & Counter(theirs)).total() / max(1, len(ours))
    return Figure(share, share, share)
