"""What visionkit imports, what pyproject.toml installs and what a MissingExtraError advises are one thing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from visionkit.lazy import EXTRAS

COMES_ALONG = {"pydantic_core"}  # pinned by pydantic to the one version it works with


@cache
def requirements(root: Path) -> Mapping[str, frozenset[str]]:
    """Extra → the distributions it names itself and through other extras; the core is ""."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    written = {"": project["dependencies"], **project["optional-dependencies"]}

    def names(extra: str) -> Iterator[str]:
        for line in written[extra]:
            name, inner = re.match(r"([\w.-]+)(?:\[([\w,]+)])?", line).groups()
            if name == "visionkit":
                for other in inner.split(","):
                    yield from names(other)
            else:
                yield _canonical(name)

    return {extra: frozenset(names(extra)) for extra in written}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def distributions(module: str) -> frozenset[str]:
    """The distributions that provide the top-level ``module``."""
    return frozenset(map(_canonical, packages_distributions().get(module, ())))


def imported(path: Path) -> Iterator[str]:
    """The top-level modules a file imports: at the top, in a function, or by ``load("name")``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.Call(func=ast.Name(id="load"), args=[ast.Constant(value=str(module)), *_]):
                yield module


def used(root: Path) -> dict[str, str]:
    """Third-party top-level module → a file of visionkit that imports it."""
    found: dict[str, str] = {}
    for path in sorted((root / "visionkit").rglob("*.py")):
        for name in imported(path):
            found.setdefault(name.partition(".")[0], path.relative_to(root).as_posix())
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names | {"visionkit"}}


@pytest.mark.parametrize(("module", "extra"), sorted(EXTRAS.items()))
def test_the_advised_extra_installs_the_package(root: Path, module: str, extra: str) -> None:
    if not distributions(module):
        pytest.skip(f"{module} is not installed here")
    assert distributions(module) & requirements(root)[extra]


def test_every_package_used_is_in_the_core_or_has_its_extra(root: Path) -> None:
    core = requirements(root)[""]
    missing = {
        module: path
        for module, path in used(root).items()
        if not (distributions(module) & core or module in EXTRAS or module in COMES_ALONG)
    }
    assert not missing, "neither in the core's dependencies nor in EXTRAS of visionkit/lazy.py"


def test_all_has_every_extra_but_dev(root: Path) -> None:
    extras = requirements(root)
    assert extras["all"] == frozenset().union(*(extras[name] for name in extras.keys() - {"", "all", "dev"}))


def test_the_core_brings_neither_torch_nor_agpl(root: Path) -> None:
    assert requirements(root)[""].isdisjoint({"torch", "torchvision", "ultralytics", "easyocr"})


def test_constraints_pin_each_package_once_and_name_no_place(root: Path) -> None:
    lines = [x for x in (root / "constraints.txt").read_text("utf-8").splitlines() if not x.startswith("#")]
    pins = [re.fullmatch(r"([\w.-]+)==[\w.+!]+( ; .+)?", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
    names = [_canonical(pin[1]) for pin in pins]
    assert len(set(names)) == len(names)
    wanted = requirements(root)["all"] | requirements(root)["dev"] | requirements(root)[""]
    assert wanted <= set(names)
