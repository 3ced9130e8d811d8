"""Looks at a running job a hundred times a second: what each thread is in, what it used, what waits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

from visionkit.profile.gpu import Gpu
from visionkit.profile.libraries import Libraries

PERIOD = 0.01
NATIVE_EVERY = 50
"""Samples between two looks at threads that Python knows nothing of."""
_TASKS = Path("/proc/self/task")


class Sample(NamedTuple):
    """One thread at one moment: when, who, the library ("" waits), nanoseconds of processor time since the last."""

    at: int
    thread: int
    library: str
    cpu: int


class Depths(NamedTuple):
    """What waited before each segment at one moment."""

    at: int
    waiting: Mapping[str, int]


class Sampler:
    """A thread that watches visionkit's own threads between ``start`` and ``stop``.

    Args:
        waiting: what waits before each segment now.

    Attributes:
        names: names of the threads that were seen, by their identity.
        native: seconds of processor time of threads that libraries started, by the name of the thread.
        delay: seconds that the threads could have run but no core was free, as far as the system says.
        gpu: its load, where there is one that can be asked.
    """

    def __init__(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        self.samples: list[Sample] = []
        self.depths: list[Depths] = []
        self.names: dict[int, str] = {}
        self.native: dict[str, float] = {}
        self.delay = 0.0
        self.gpu = Gpu()
        self._waiting = waiting
        self._libraries = Libraries()
        self._clocks: dict[int, tuple[int, int]] = {}
        self._tasks: dict[str, tuple[str, float]] = {}
        self._before: dict[str, tuple[str, float]] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="visionkit-sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what libraries' threads used is summed up."""
        self._done.set()
        self._thread.join()
        self.gpu.close()
        for task, (name, seconds) in self._tasks.items():
            spent = seconds - self._before.get(task, ("", 0.0))[1]
            self.native[name] = self.native.get(name, 0.0) + spent

    def _loop(self) -> None:
        turn = 0
        while not self._done.wait(PERIOD):
            self._look_at_stacks()
            self.depths.append(Depths(perf_counter_ns(), self._waiting()))
            turn += 1
            if turn % NATIVE_EVERY == 0:
                self._look_at_tasks()
                if self.samples:  # networks are loaded: an idle GPU is the run's
                    self.gpu.look()
        self._look_at_tasks()

    def _look_at_stacks(self) -> None:
        threads = {thread.ident: thread for thread in threading.enumerate() if thread.name.startswith("visionkit:")}
        now, frames = perf_counter_ns(), sys._current_frames()
        for ident, thread in threads.items():
            frame = frames.get(ident or 0)
            if ident is None or frame is None:
                continue
            if not self.samples:  # what was used before, to load networks, is not the run's
                self._look_at_tasks()
                self._before = dict(self._tasks)
            self.names[ident] = thread.name
            spent = self._spent(thread.native_id)
            self.samples.append(Sample(now, ident, self._libraries.of(frame), spent))

    def _spent(self, task: int | None) -> int:
        """Nanoseconds of processor time since the last look; 0 where the system does not say."""
        try:
            ran, waited = map(int, (_TASKS / str(task) / "schedstat").read_text().split()[:2])
        except (OSError, ValueError):
            return 0
        before = self._clocks.setdefault(task or 0, (ran, waited))
        self._clocks[task or 0] = ran, waited
        self.delay += (waited - before[1]) / 1e9
        return ran - before[0]

    def _look_at_tasks(self) -> None:
        """Processor time of the threads that Python did not start: a decoder's, an engine's, an encoder's."""
        own = {str(thread.native_id) for thread in threading.enumerate()}
        for folder in _TASKS.iterdir() if _TASKS.is_dir() else ():
            try:
                clock = int((folder / "schedstat").read_text().split()[0])
                name = (folder / "comm").read_text().strip()
            except (OSError, ValueError, IndexError):
                continue
            if folder.name not in own:
                self._tasks[folder.name] = (_native(name), clock / 1e9)


def _native(name: str) -> str:
    """FFmpeg's decoders name their threads; the others have the name of the process."""
    return "av (decoder threads)" if name.startswith("av:") else "threads of libraries"
