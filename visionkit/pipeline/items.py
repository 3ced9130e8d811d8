"""One item of a list of stages or outputs: ``name`` or ``{name: params}``, with the language's own keys set apart."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Literal

from visionkit.expr.parser import RESERVED as KEYWORDS
from visionkit.frozen import Frozen
from visionkit.pipeline.conditions import PACKET_NAMES
from visionkit.pipeline.document import Listing, Mapping, Node, Scalar
from visionkit.pipeline.variables import Variables

STAGE_KEYS = ("id", "in", "when", "enabled", "on_error")
FOR_EACH_KEYS = (*STAGE_KEYS, "as", "pad", "every", "until", "set", "stages")
USE_KEYS = ("id", "in", "enabled", "file", "vars")
OUTPUT_KEYS = ("id", "in", "when", "enabled")
_ID = r"[A-Za-z_]\w*"


class Item(Frozen):
    """``params`` holds what is left for the stage, ``keys`` the language's own."""

    name: str
    node: Node
    params: Mapping
    keys: dict[str, Node] = field(default_factory=dict)


def read_items(node: Node | None, where: str, variables: Variables, keys_of: dict[str, tuple[str, ...]]) -> list[Item]:
    """The items of a list; what is not an item is noted as a problem and left out."""
    if not isinstance(node, Listing):
        if node is not None:
            variables.problems.add("VK105", where, "must be a list: each item starts with '- '", node)
        return []
    items = [_item(child, where, variables, keys_of) for child in node.items]
    return [item for item in items if item is not None]


def _item(node: Node, where: str, variables: Variables, keys_of: dict[str, tuple[str, ...]]) -> Item | None:
    problems = variables.problems
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return Item(node.value, node, Mapping((), node.position))
    if not isinstance(node, Mapping) or not node.items:
        problems.add(
            "VK105", where, "an item is a name, or a name with its parameters", node, "- detect: {min_score: 0.4}"
        )
        return None
    (key, value), *others = node.items
    if others:
        extra = ", ".join(k.text for k, _ in others)
        help_ = f"indent the parameters below {key.text}: , or start a new item with '- '"
        problems.add(
            "VK105", where, f"an item has one name, but {extra} stands beside {key.text!r}", others[0][0], help_
        )
        return None
    if isinstance(value, Scalar) and value.value is None:
        value = Mapping((), value.position)
    if not isinstance(value, Mapping):
        problems.add("VK105", key.text, "parameters are a mapping: {name: value}", value)
        return None
    own = keys_of.get(key.text, keys_of[""])
    keys = {k.text: v for k, v in value if k.text in own}
    rest = tuple((k, v) for k, v in value if k.text not in own)
    return Item(key.text, Mapping(((key, value),), key.position), Mapping(rest, value.position), keys)


def read_id(item: Item, taken: set[str], variables: Variables) -> str:
    """The item's id, its own or one made from the name: ``draw.boxes`` → ``draw_boxes``, then ``draw_boxes_2``."""
    node = item.keys.get("id")
    if node is None:
        base = re.sub(r"\W", "_", item.name)
        number, chosen = 1, base
        while chosen in taken:
            number += 1
            chosen = f"{base}_{number}"
        return chosen
    id_ = variables.text(node, f"{item.name}.id") if isinstance(node, Scalar) else ""
    if problem := misnamed(id_):
        variables.problems.add("VK109", f"{item.name}.id", f"an id {problem}, got {id_!r}", node)
        return f"_{len(taken)}"
    if id_ in taken:
        variables.problems.add("VK109", f"{item.name}.id", f"the id {id_!r} is taken by an earlier stage", node)
    return id_


def misnamed(name: str) -> str:
    """What is wrong with a name that expressions are to use; empty if nothing is."""
    if not re.fullmatch(_ID, name):
        return "must be letters, digits and _, and start with a letter"
    if name in KEYWORDS:
        return "must not be a word of the language"
    return "must not be one of the packet's own names" if name in PACKET_NAMES else ""


def read_flag(item: Item, key: str, variables: Variables, default: bool = True) -> bool:
    """``enabled: $flag``."""
    node = item.keys.get(key)
    if node is None:
        return default
    value = variables.plain(node, f"{item.name}.{key}")
    if not isinstance(value, bool):
        variables.problems.add("VK112", f"{item.name}.{key}", f"must be true or false, got {value!r}", node)
        return default
    return value


def read_on_error(item: Item, variables: Variables) -> Literal["skip", "stop"] | None:
    """``on_error: stop``, None if it is not there."""
    node = item.keys.get("on_error")
    if node is None:
        return None
    value = variables.plain(node, f"{item.name}.on_error")
    if value in ("skip", "stop"):
        return "stop" if value == "stop" else "skip"
    variables.problems.add("VK112", f"{item.name}.on_error", f"must be one of skip, stop, got {value!r}", node)
    return None
