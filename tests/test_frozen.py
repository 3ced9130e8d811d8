"""Frozen classes are the standard library's frozen dataclasses, whichever way they are met first."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
import threading
from dataclasses import field

import pytest

from visionkit.frozen import Frozen


def test_it_is_what_dataclass_makes() -> None:
    class Point(Frozen):
        x: int
        tags: list[str] = field(default_factory=list)

    @dataclasses.dataclass(frozen=True)
    class Far(Point):
        z: int = 4

        def __post_init__(self) -> None:
            assert self.z > 0

    point = Point(1)
    assert point == Point(1, []) != Point(2)
    assert repr(point).endswith("Point(x=1, tags=[])")
    assert dataclasses.replace(point, x=3).x == 3
    assert dataclasses.is_dataclass(Point)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="positional arguments"):
        Point(1, [], 3)  # type: ignore[call-arg]
    assert [f.name for f in dataclasses.fields(Far)] == ["x", "tags", "z"]
    assert Far(1).z == 4
    match point:
        case Point(x, _):
            assert x == 1


def test_subclasses_and_options() -> None:
    class Base(Frozen, eq=False):
        a: int = 1

    class Own(Base):
        def __init__(self, text: str) -> None:
            super().__init__(len(text))

    assert Own("four").a == 4
    assert Base() != Base()


def test_nothing_is_written_before_it_is_needed() -> None:
    class Point(Frozen):
        x: int = 1

    assert "__repr__" not in Point.__dict__
    Point()
    assert "__repr__" in Point.__dict__
    assert "__init__" in Point.__dict__


class Kept(Frozen):
    a: int


def test_a_first_instance_out_of_a_pickle_is_whole() -> None:
    stored = pickle.dumps([Kept(1), Kept(1)])
    code = (
        "import pickle, sys; sys.path.insert(0, sys.argv[1])\n"
        f"one, two = pickle.loads({stored!r})\n"
        "assert one == two and hash(one) == hash(two) and repr(one) == 'Kept(a=1)', one\n"
    )
    folder = __file__.rpartition("/")[0]
    subprocess.run([sys.executable, "-c", code, folder], check=True, cwd=folder)
    assert copy.deepcopy(Kept(2)) == Kept(2)


def test_many_threads_may_make_the_first() -> None:
    """Whatever comes between two steps of the one that writes the methods."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            assert _made_by_threads(8) == [7] * 8
    finally:
        sys.setswitchinterval(interval)


def _made_by_threads(count: int) -> list[int]:
    class Point(Frozen):
        x: int = 1
        y: int = 1
        z: int = 1

    start, made = threading.Barrier(count), []

    def make() -> None:
        start.wait()
        made.append(Point(7).x)

    threads = [threading.Thread(target=make) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made
