"""Runs one job in a process of its own, so that no job finds the threads, caches or settings of another.

``python -m benchmarks.child MODULE:FUNCTION JSON`` calls the function with the JSON's values. The function prepares
(imports, opens nothing) and returns what is timed; what that returns is passed on.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.timing import Sample

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1200.0
MARK = "benchmark:"


def run(job: Callable[..., Any], **arguments: Any) -> Sample:
    """What ``job`` took in a fresh process."""
    return measure(job, **arguments)[0]


def measure(job: Callable[..., Any], **arguments: Any) -> tuple[Sample, Any]:
    """What ``job`` took in a fresh process, and what it returned.

    Raises:
        RuntimeError: it failed; the message has its last words.
    """
    target = f"{job.__module__}:{job.__qualname__}"
    command = [sys.executable, "-m", "benchmarks.child", target, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise RuntimeError(f"{target} failed: {done.stderr.strip()[-600:]}")
    wall, cpu, peak, result = json.loads(lines[-1].removeprefix(MARK))
    return Sample(wall, cpu, peak), result


def process(command: list[str], environment: dict[str, str] | None = None) -> Sample:
    """A whole process, from its start to its end."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, timeout=LIMIT, env=env, text=True, check=False, **quiet)  # type: ignore[call-overload]
    wall, after = perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{command[1:4]} failed: {done.stderr.strip()[-600:]}")
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def processor_time() -> float:
    """Seconds of processor time of this process and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(target: str, arguments: str) -> None:
    """Call the job and print its sample."""
    module, _, name = target.partition(":")
    job = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    cpu, started = processor_time(), perf_counter()
    result = job()
    wall, cpu = perf_counter() - started, processor_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(MARK + json.dumps([wall, cpu, peak, result]))


if __name__ == "__main__":
    main(*sys.argv[1:3])
