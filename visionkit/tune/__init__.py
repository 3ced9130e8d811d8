"""Finds the settings that run a pipeline fastest on this machine: ``Tuner(...).run()``, then ``write_run``."""

from __future__ import annotations

from visionkit.tune.candidates import Candidate
from visionkit.tune.tuner import Result, Tuner
from visionkit.tune.write import write_run

__all__ = ["Candidate", "Result", "Tuner", "write_run"]
