"""Runs one job in a process of its own, so that no job finds the threads, caches or settings of another.

``python -m benchmarks.child MODULE:FUNCTION JSON`` calls the function with the JSON's values. The function prepares
(imports, opens nothing) and returns what is timed; what that returns is passed on. With ``--serve`` it does so once for
each line it reads: imports are paid once.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.timing import Sample

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 3600.0
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


class Worker:
    """A process that does one job again and again, each time it is called; between calls it waits.

    Args:
        command: a program that, for each line it reads, does the job and prints its sample.
        environment: variables besides our own.
    """

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._command = command
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the process
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        self._process = subprocess.Popen(
            command, cwd=ROOT, text=True, env={**os.environ, **(environment or {})}, **pipes
        )

    def __call__(self) -> Sample:
        """One run.

        Raises:
            RuntimeError: the process ended; the message has its last words.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(LIMIT, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.startswith(MARK):
                    return Sample(*json.loads(line.removeprefix(MARK))[:3])
        except BrokenPipeError:
            pass
        finally:
            watchdog.cancel()
        self._errors.seek(0)
        raise RuntimeError(f"{self._command[2:4]} ended: {self._errors.read().strip()[-600:]}")

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._errors.close()


def worker(job: Callable[..., Any], **arguments: Any) -> Worker:
    """A process that does ``job``; it prepares anew for each run, outside the clock."""
    target = f"{job.__module__}:{job.__qualname__}"
    return Worker([sys.executable, "-m", "benchmarks.child", target, json.dumps(arguments), "--serve"])


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


def main(target: str, arguments: str, serve: str = "") -> None:
    """Call the job and print its sample, or do so for each line of input."""
    module, _, name = target.partition(":")
    factory = partial(getattr(importlib.import_module(module), name), **json.loads(arguments))
    if not serve:
        once(factory)
    for _line in sys.stdin if serve else ():
        once(factory)


def once(factory: Callable[[], Callable[[], Any]]) -> None:
    """Prepare, run, print the sample."""
    job = factory()
    cpu, started = processor_time(), perf_counter()
    result = job()
    wall, cpu = perf_counter() - started, processor_time() - cpu
    if isinstance(result, Sample):  # it knows better what belongs to it
        wall, cpu, result = result.wall, result.cpu, None
    peak = most_resident()
    print(MARK + json.dumps([wall, cpu, peak, result]), flush=True)


def most_resident() -> float:
    """Megabytes this program had at most; getrusage counts what its parent had when it forked as well."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:4])
