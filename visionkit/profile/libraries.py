"""Which library a Python thread is in, from its stack alone.

C functions have no frame of their own. What the innermost frame is calling is read from the instruction it stands at:
its place in the source, the expression there, and the object which that begins with (``cv2.blur(...)``: cv2).
"""

from __future__ import annotations

import ast
import linecache
import sys
import sysconfig
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from visionkit.lazy import LazyModule

OWN = "visionkit"
WAITING = ""
_HERE = str(Path(__file__).parent)
_PACKAGES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
_STANDARD = sysconfig.get_path("stdlib")
_WAITS = frozenset({"_queue", "queue", "_thread", "threading", "time", "select", "selectors", "socket", "subprocess"})


class Libraries:
    """Names the library of a stack; what was parsed is kept."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[CodeType, int], ast.expr | None] = {}

    def of(self, frame: FrameType | None) -> str:
        """Such as "cv2", "av", "visionkit"; "" for a thread that waits."""
        while frame is not None and frame.f_code.co_filename.startswith(_HERE):
            frame = frame.f_back  # the watcher of conversions stands between
        while frame is not None:
            name = _package_of(frame.f_code.co_filename)
            if name in _WAITS:
                return WAITING
            if name == OWN:
                called = self._called(frame)
                return WAITING if called in _WAITS else called or OWN
            if name:
                return name
            frame = frame.f_back
        return OWN

    def _called(self, frame: FrameType) -> str:
        key = (frame.f_code, frame.f_lasti)
        if key not in self._parsed:
            self._parsed[key] = _expression(frame)
        node = self._parsed[key]
        return "" if node is None else _library(node, frame)


def _package_of(file: str) -> str:
    """The package a source file belongs to; of the standard library only modules that wait are named."""
    for folder in _PACKAGES:
        if file.startswith(folder):
            return Path(file).relative_to(folder).parts[0].removesuffix(".py")
    if file.startswith((_STANDARD, "<frozen")):
        stem = Path(file).stem
        return stem if stem in _WAITS else ""
    return OWN


def _expression(frame: FrameType) -> ast.expr | None:
    """What stands at the instruction that a frame is at, None if that is unknown or no expression."""
    code = frame.f_code
    first, last, left, right = next(islice(code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if first is None or last is None or left is None or right is None:
        return None
    rows = [linecache.getline(code.co_filename, row).encode() for row in range(first, last + 1)]
    if not all(rows):
        return None
    rows[-1] = rows[-1][:right]
    rows[0] = rows[0][left:]
    try:
        return ast.parse("(" + b"".join(rows).decode() + ")", mode="eval").body
    except SyntaxError:
        return None


def _library(node: ast.expr, frame: FrameType) -> str:
    """The library of the innermost object that can be looked up without running anything."""
    if isinstance(node, ast.Call):
        return _library(node.func, frame)
    known, found = _object(node, frame)
    if known and (name := _home(found)):
        return name
    for part in _parts(node):
        if name := _library(part, frame):
            return name
    return ""


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression is made of, the first part first."""
    if isinstance(node, ast.Await | ast.Attribute | ast.Subscript | ast.Starred):
        yield node.value
    else:
        yield from (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _object(node: ast.expr, frame: FrameType) -> tuple[bool, Any]:
    """Whether a name or an attribute could be looked up, and what it stands for. Properties are not called."""
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals):
            if node.id in names:
                return True, names[node.id]
        return False, None
    if not isinstance(node, ast.Attribute):
        return False, None
    known, owner = _object(node.value, frame)
    if not known:
        return False, None
    if isinstance(owner, ModuleType | LazyModule):  # what is asked of a module belongs to that module
        return True, owner
    own = getattr(owner, "__dict__", None)
    return (True, own[node.attr]) if isinstance(own, dict) and node.attr in own else (False, None)


def _home(found: Any) -> str:
    """The package an object comes from, "" for what is built in or our own."""
    if isinstance(found, LazyModule):
        name = str(found.__dict__["_name"])
    elif isinstance(found, ModuleType):
        name = found.__name__
    else:
        name = str(getattr(found, "__module__", None) or type(found).__module__)
    root = name.partition(".")[0]
    standard = root in sys.stdlib_module_names and root not in _WAITS
    return "" if standard or root == OWN else root
