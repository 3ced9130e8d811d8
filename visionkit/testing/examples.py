"""The YAML examples in the docstrings of stages."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from visionkit.stage import Stage
from visionkit.stage.catalogue import stages

RESERVED = {"id", "in", "when", "enabled", "on_error", "every", "until", "set", "as", "stages"}


def example_text(stage_class: type[Stage[Any]]) -> str:
    """What stands under ``Example:`` in the docstring, dedented; "" if there is none."""
    lines = (inspect.getdoc(stage_class) or "").splitlines()
    if "Example:" not in lines:
        return ""
    block: list[str] = []
    for line in lines[lines.index("Example:") + 1 :]:
        if line and not line.startswith(" "):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block)).strip()


def example_params(stage_class: type[Stage[Any]]) -> list[dict[str, Any]]:
    """The parameters that the example gives to this stage, one mapping for each time it occurs.

    Raises:
        ValueError: the example is missing, is no list of stages, or does not name the stage.
    """
    text = example_text(stage_class)
    if not text:
        raise ValueError(f"{stage_class.__name__}: the docstring has no 'Example:' with a list item for a pipeline")
    items = YAML(typ="safe").load(text)
    if not isinstance(items, list):
        raise ValueError(f"{stage_class.__name__}: the example is no list of stages: {text}")
    names = names_of(stage_class)
    pairs = [(item, {}) if isinstance(item, str) else next(iter(item.items())) for item in items]
    found = [_params(given) for name, given in pairs if not names or name in names]
    if not found:
        raise ValueError(f"{stage_class.__name__}: the example names {[n for n, _ in pairs]}, not {sorted(names)}")
    return found


def names_of(stage_class: type[Stage[Any]]) -> set[str]:
    """What the catalogue calls the class; nothing for one it does not know."""
    target = f"{stage_class.__module__}:{stage_class.__qualname__}"
    return {name for name, known in stages().targets.items() if known == target}


def _params(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (given or {}).items() if key not in RESERVED}
