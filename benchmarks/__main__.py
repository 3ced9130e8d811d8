"""The command: runs suites and writes a table for each; one that fails does not keep the others from running."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.inputs import videos_in
from benchmarks.machine import describe, load
from benchmarks.suites import SUITES, NotHere, Settings
from benchmarks.table import Table
from visionkit.errors import VisionkitError


def main() -> int:
    """Parse the command line, run, write; 1 if a suite failed."""
    options = _options()
    folder = options.work or Path(tempfile.gettempdir()) / f"visionkit-benchmarks-{os.getuid()}"
    settings = Settings(options.rounds, folder, options.data, options.frames, tuple(options.weights), options.more)
    failed = 0
    for name in options.suites or SUITES:
        module = importlib.import_module(SUITES[name])
        table = Table(name, " ".join((module.__doc__ or "").split()), options.rounds, describe())
        try:
            module.run(table, settings)
        except NotHere as error:
            print(f"{name}: {error}")
            continue
        except (RuntimeError, VisionkitError) as error:
            print(f"{name} failed: {error}", file=sys.stderr)
            failed = 1
            continue
        table.machine |= load("ended")
        print(table.markdown())
        for path in table.write(options.out):
            print(f"wrote {path}")
    return failed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures visionkit against its peers.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}")
    parser.add_argument("-o", "--out", type=Path, default=Path("benchmarks/results"), help="where tables go")
    parser.add_argument("-n", "--rounds", type=int, default=9, help="runs of each job, in turn (9)")
    parser.add_argument("--data", type=Path, help="a folder of real videos instead of a rendered one")
    parser.add_argument("--work", type=Path, help="keeps rendered inputs between runs; a temporary folder if not given")
    parser.add_argument("--frames", type=int, help="frames of a rendered video")
    parser.add_argument("--more", action="store_true", help="adds to the runs that --work keeps from the last call")
    parser.add_argument("--weights", nargs="*", default=[], help="detectors for video, track, gpu; libraries for ocr")
    options = parser.parse_args()
    if unknown := [name for name in options.suites if name not in SUITES]:
        parser.error(f"there is no suite {unknown[0]!r}, but {', '.join(SUITES)}")
    if options.rounds < 1 or (options.frames is not None and options.frames < 1):
        parser.error("--rounds and --frames begin with 1")
    if options.data and not videos_in(options.data):
        parser.error(f"--data {options.data}: there are no videos in it")
    return options


if __name__ == "__main__":
    sys.exit(main())
