"""Random and hostile pipeline files: only positioned errors, quickly, and nothing in a file is ever run.

``VISIONKIT_FUZZ=50000 pytest tests/language/test_fuzz.py -k random`` fuzzes for longer.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.language.corpus import FILES, HOSTILE, INCLUDED
from tests.language.mutations import damaged
from visionkit.errors import PipelineError, Problem
from visionkit.pipeline.compile import compile_text
from visionkit.pipeline.problems import CODES
from visionkit.stage.catalogue import sinks, stages

FUZZ = int(os.environ.get("VISIONKIT_FUZZ", "500"))
LIMIT = 0.1
"""Seconds of CPU time that one file may cost."""

BREAK = re.compile(r"\r\n|\r|\n")
WATCH: dict[str, Any] = {"on": False, "seen": []}
DANGEROUS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "subprocess",
    "socket",
    "exec",
    "compile",
)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it cannot be taken off again, so it only looks while a file is being compiled."""
    if not WATCH["on"]:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event.startswith(DANGEROUS):
        WATCH["seen"].append((event, arguments))


sys.addaudithook(_watch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file stands; everything that files import lazily has been imported."""
    path = tmp_path_factory.mktemp("fuzz")
    (path / "included.yaml").write_text(INCLUDED)
    return path


@pytest.fixture(scope="module", autouse=True)
def warm(folder: Path) -> None:
    every_name = [f"stages: [{name}]" for name in stages().names()]
    every_name += [f"stages: []\noutputs: [{name}]" for name in sinks().names()]
    for text in [*FILES.values(), *HOSTILE.values(), *every_name, "stages: [detect: {weights: yolo}]"]:
        _problems(text, folder)


def _problems(text: str, folder: Path) -> tuple[Problem, ...]:
    try:
        compile_text(text, str(folder / "p.yaml"))
    except PipelineError as error:
        return error.problems
    return ()


def survive(text: str, folder: Path) -> tuple[Problem, ...]:
    """Compiles ``text``; whatever is not a good plan or an error with its place fails the test."""
    WATCH["seen"].clear()
    WATCH["on"] = True
    try:
        problems, seconds = _timed(text, folder)
        if seconds >= LIMIT:  # a collection of garbage may have hit this one: the better of three counts
            seconds = min(seconds, *(_timed(text, folder)[1] for _ in range(2)))
    finally:
        WATCH["on"] = False
    assert seconds < LIMIT, f"{seconds:.3f} s: {text[:300]!r}"
    assert not WATCH["seen"], f"{WATCH['seen'][:1]}: {text[:300]!r}"
    for problem in problems:
        assert_useful(problem, text, folder)
    return problems


def _timed(text: str, folder: Path) -> tuple[tuple[Problem, ...], float]:
    started = time.process_time()
    problems = _problems(text, folder)
    return problems, time.process_time() - started


def assert_useful(problem: Problem, text: str, folder: Path) -> None:
    """A known code, a message of bearable length, and a place inside the file it names."""
    about = f"{str(problem)[:1000]}\n{text[:1000]!r}"
    assert problem.code in CODES, about
    assert problem.message, about
    assert len(str(problem)) < 3000, about
    assert problem.position is not None, about
    known = {str(folder / "p.yaml"): text, str(folder / "included.yaml"): INCLUDED}
    assert problem.position.file in known, about
    rows = BREAK.split(known[problem.position.file])
    assert 1 <= problem.position.line <= len(rows), about
    assert 1 <= problem.position.column <= len(rows[problem.position.line - 1]) + 1, about


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_the_files_to_damage_are_good(text: str, folder: Path) -> None:
    assert _problems(text, folder) == ()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(text: str, folder: Path) -> None:
    survive(text, folder)
    assert not Path("pwned").exists()


def fuzz(seed: int, count: int, folder: Path) -> Counter[str]:
    """How many of ``count`` damaged files showed each code; "good" for those that still compile."""
    rng, found = Random(seed), Counter[str]()
    failures: list[str] = []
    for _ in range(count):
        text = damaged(rng)
        try:
            problems = survive(text, folder)
        except Exception as error:
            failures.append(f"{type(error).__name__}: {str(error)[:1500]}\nof {text!r}")
            assert len(failures) < 10, "\n\n".join(failures)
            continue
        found.update({p.code for p in problems} or {"good"})
    assert not failures, "\n\n".join(failures)
    return found


def report(found: Counter[str], count: int) -> None:
    shown = ", ".join(f"{code} {number}" for code, number in sorted(found.items()))
    sys.stdout.write(f"{count} damaged files, all with positioned errors below {LIMIT * 1000:.0f} ms: {shown}\n")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_random_files(folder: Path) -> None:
    found = fuzz(1, FUZZ, folder)
    report(found, FUZZ)
    assert found["good"] > FUZZ // 50, "the fuzzer hardly ever leaves a file whole: it tests too little"
    assert found["VK101"] < FUZZ * 0.7, "most files do not get past the YAML reader"


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_fifty_thousand_files(folder: Path) -> None:
    found = fuzz(2, 50_000, folder)
    report(found, 50_000)
    assert len(found) > len(CODES) * 0.7, "the fuzzer does not reach most mistakes"
