"""``run --watch``: a saved pipeline file takes over while frames flow; a broken one is shown and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from visionkit.errors import VisionkitError
from visionkit.pipeline.compile import CompileOptions, compile_file
from visionkit.pipeline.plan import Plan

PERIOD = 0.2
"""Seconds between looks at the file."""


class Running(Protocol):
    """What goes on with another plan: a job, or an editor in front of it."""

    @property
    def plan(self) -> Plan: ...
    def reload(self, plan: Plan) -> bool: ...


class Watcher:
    """Compiles a file anew whenever it is saved and hands the plan to a running job.

    Args:
        path: the pipeline file; files it uses are watched too.
        say: tells the user what happened.
        complain: tells what is wrong with the file; ``say`` if not given.
    """

    def __init__(
        self,
        job: Running,
        path: Path,
        options: CompileOptions,
        say: Callable[[str], None],
        complain: Callable[[str], None] | None = None,
    ) -> None:
        self._job = job
        self._complain = complain or say
        self._path = path
        self._options = options
        self._say = say
        self._seen = self._stamp()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="visionkit:watch", daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _stamp(self) -> dict[str, tuple[int, int]]:
        """Time and size of the file and of all pipeline files beside it, which it may use."""
        found = {}
        for path in {self._path, *self._path.parent.glob("*.yaml")}:
            try:
                status = path.stat()
            except OSError:  # an editor may be replacing it right now
                continue
            found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found

    def _loop(self) -> None:
        while not self._done.wait(PERIOD):
            stamp = self._stamp()
            if stamp != self._seen and str(self._path) in stamp:
                self._seen = stamp
                self._reload()

    def _reload(self) -> None:
        try:
            plan = compile_file(self._path, self._options)
            if plan.hash == self._job.plan.hash and plan.outputs == self._job.plan.outputs:
                return
            if self._job.reload(plan):
                self._say(f"{self._path}: new plan {plan.hash} runs")
        except VisionkitError as error:
            self._complain(f"{error}\n{self._path}: the plan before goes on")
