"""What a compilation may know besides the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from visionkit.frozen import Frozen

LiveOutput = Literal["file", "also", "only"]


class CompileOptions(Frozen):
    """Settings of a compilation.

    Attributes:
        variables: values of ``--set``, over the environment, over the file's own.
        allow_code: ``- python:`` stages may import the user's files.
        check_weights: weights and class names are looked up in the catalogue, and files the user names on the disk.
        live: the outputs are those of the "file"; those and "also" ``live``; or "only" ``live``.
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    allow_code: bool = False
    check_weights: bool = True
    live: LiveOutput = "file"
