"""Counts the conversions and copies of pictures while a profile is made.

The functions that make them are replaced by ones that measure, and put back at the end: those of OpenCV and NumPy where
:mod:`visionkit.lazy` keeps them, our own where they live and wherever they were imported to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from threading import get_ident
from time import perf_counter_ns
from typing import Any, NamedTuple

from visionkit.lazy import LazyModule, cv2, load, np

LEAST = 64 * 1024
"""Bytes of a result that counts."""


class Conversion(NamedTuple):
    """One conversion or copy: what, when (ns), the thread, nanoseconds it took, bytes of the result."""

    what: str
    at: int
    thread: int
    took: int
    nbytes: int


_OWN = {
    ("visionkit.media.sources.video", "frame_image"): "decoder's frame → array",
    ("visionkit.media.sinks.video", "i420"): "picture → encoder's frame, in all",
    ("visionkit.backends.preprocess", "normalised"): "uint8 → float32, normalised",
    ("visionkit.backends.torchnet", "TorchModel.pictures"): "uint8 → float32, for torch",
    ("visionkit.data.device", "upload"): "pixels sent to the device",
    ("visionkit.data.device", "download"): "pixels fetched from the device",
}
_COPIES = {"ascontiguousarray": "made contiguous", "stack": "stacked to a batch", "concatenate": "joined"}


@contextmanager
def watching() -> Iterator[list[Conversion]]:
    """What is seen until the context is left."""
    seen: list[Conversion] = []
    with ExitStack() as stack:
        names = _color_names()
        stack.enter_context(_lazily(cv2, "cvtColor", seen, lambda args: names.get(args[1], "a colour conversion")))
        stack.enter_context(_lazily(cv2, "copyMakeBorder", seen, lambda _: "bars or borders added"))
        for name, what in _COPIES.items():
            stack.enter_context(_lazily(np, name, seen, _always(what)))
        for (module, name), what in _OWN.items():
            stack.enter_context(_everywhere(module, name, seen, what))
        yield seen


def _watched(function: Callable[..., Any], seen: list[Conversion], name: Callable[[tuple[Any, ...]], str]) -> Any:
    def watched(*args: Any, **options: Any) -> Any:
        begun = perf_counter_ns()
        made = function(*args, **options)
        took = perf_counter_ns() - begun
        size = _size(made)
        if size >= LEAST and not (args and made is args[0]):
            seen.append(Conversion(name(args), begun, get_ident(), took, size))
        return made

    return watched


def _always(what: str) -> Callable[[tuple[Any, ...]], str]:
    return lambda _: what


def _size(made: Any) -> int:
    """Bytes of an array, a tensor, a picture or a frame of a video."""
    if hasattr(made, "planes"):
        return sum(plane.buffer_size for plane in made.planes)
    size = getattr(made, "nbytes", 0)
    return size if isinstance(size, int) else 0


@contextmanager
def _lazily(module: Any, name: str, seen: list[Conversion], what: Callable[[tuple[Any, ...]], str]) -> Iterator[None]:
    assert isinstance(module, LazyModule)
    original = getattr(module, name)
    module.__dict__[name] = _watched(original, seen, what)
    try:
        yield
    finally:
        module.__dict__[name] = original


@contextmanager
def _everywhere(module: str, name: str, seen: list[Conversion], what: str) -> Iterator[None]:
    home: Any = import_module(module)
    *owner, last = name.split(".")
    for part in owner:
        home = getattr(home, part)
    original = getattr(home, last)
    replacement = _watched(original, seen, _always(what))
    places = [home] if owner else _having(last, original)
    for place in places:
        setattr(place, last, replacement)
    try:
        yield
    finally:
        for place in places if owner else _having(last, replacement):
            setattr(place, last, original)


def _having(name: str, function: Any) -> list[Any]:
    """The modules of visionkit that have this very function."""
    modules = [module for key, module in list(sys.modules.items()) if key.startswith("visionkit")]
    return [module for module in modules if vars(module).get(name) is function]


def _color_names() -> dict[int, str]:
    """``{6: "BGR → GRAY", ...}`` from the names of OpenCV's constants, the plainest where several share a number."""
    found: dict[int, str] = {}
    constants = vars(load("cv2"))
    for name in sorted(constants, key=lambda name: (len(name), name)):
        have, two, want = name.removeprefix("COLOR_").partition("2")
        if name.startswith("COLOR_") and two:
            want, _, kind = want.partition("_")
            pair = (f"{have} {kind}", want) if have == "YUV" else (have, f"{want} {kind}")
            found.setdefault(constants[name], " → ".join(text.strip() for text in pair))
    return found
