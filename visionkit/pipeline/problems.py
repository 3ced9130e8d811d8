"""Collects everything wrong in a file, with positions, and knows every code the compiler can give."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from visionkit.errors import PipelineError, Position, Problem
from visionkit.expr import ExprError
from visionkit.pipeline.document import QUOTES, Node, Scalar

CODES = {
    "VK100": "the file cannot be read",
    "VK101": "YAML syntax",
    "VK102": "the file is too large, too deep or too many values",
    "VK103": "a key stands twice in one mapping",
    "VK104": "an unknown key",
    "VK105": "a value of the wrong shape: a list, mapping or text was expected",
    "VK106": "a version of the language that this visionkit does not speak",
    "VK107": "an undefined variable",
    "VK108": "a text needs quotes",
    "VK109": "an id that cannot be one, or stands twice",
    "VK110": "an unknown stage or output",
    "VK111": "an unknown parameter",
    "VK112": "a parameter's value is not allowed",
    "VK113": "a parameter is missing",
    "VK114": "weights or class names that do not exist",
    "VK115": "code from the file's own side is not allowed",
    "VK116": "an include that is missing, broken or goes in a circle",
    "VK117": "a cadence that cannot work",
    "VK150": "an expression that is not allowed",
    "VK151": "an unknown name in an expression",
    "VK152": "an unknown column in an expression",
    "VK153": "an expression of the wrong type",
    "VK154": "an expression that is too long or too deep",
    "VK155": "template syntax",
    "VK201": "nothing provides an input",
    "VK202": "several values could feed an input",
    "VK203": "an id that does not exist at this point",
    "VK204": "a value of the wrong type for an input",
    "VK205": "an unknown input",
    "VK206": "results and picture lie on planes that cannot be brought together",
    "VK207": "a stage that cannot stand here",
}


SWITCHED_OFF = "the stage of that id is switched off by enabled:"
MAX_PROBLEMS = 100
LONGEST = 300
"""Characters of a line of a message; a word of the file may be longer."""


@dataclass
class Problems:
    """A growing list; :meth:`raise_if_any` ends the compilation, and so does the hundredth problem.

    Attributes:
        lost: ids of stages that could not be compiled: what follows from their absence is no news.
        off: ids of stages that ``enabled`` switched off.
    """

    found: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    off: set[str] = field(default_factory=set)

    def add(self, code: str, where: str, message: str, at: Node | Position, help: str = "") -> None:
        """Note a problem, once.

        Raises:
            PipelineError: there are more than anybody wants to read.
        """
        assert code in CODES, code
        position = at if isinstance(at, Position) else at.position
        problem = Problem(code, _shortened(where), _shortened(message), _shortened(help), position)
        if problem not in self.found:
            self.found.append(problem)
        if len(self.found) > MAX_PROBLEMS:
            message = f"has more than {MAX_PROBLEMS} problems"
            self.found[-1] = Problem("VK102", "file", message, "mend these first", position)
            self.raise_if_any()

    def add_expression(self, where: str, error: ExprError, node: Node) -> None:
        """An error inside the text of ``node``."""
        name = re.search(r"no value named '(\w+)'", error.message)
        if name and name[1] in self.off:
            error = ExprError(error.code, error.offset, error.message, SWITCHED_OFF)
        self.add(error.code, where, error.message, *expression_place(error, node))

    def misses(self, names: Iterable[str]) -> bool:
        """Whether one of these dotted names speaks of a stage that could not be compiled."""
        return any(name.partition(".")[0] in self.lost for name in names)

    def raise_if_any(self) -> None:
        """End the compilation if anything was found.

        Raises:
            PipelineError: with all problems, in file order.
        """
        if self.found:
            nowhere = Position("", 0, 0)
            raise PipelineError(sorted(self.found, key=lambda p: (p.position or nowhere, p.code)))


def expression_place(error: ExprError, node: Node) -> tuple[Position, str]:
    """Where in the file an error of an expression is, at its exact column where the text stands as it is; the help."""
    if not isinstance(node, Scalar):
        return node.position, error.help
    before = node.text.partition("$")[0]  # behind a variable, columns have moved
    cut = not node.quoted and (
        node.text.count("(") > node.text.count(")") or node.text.count("[") > node.text.count("]")
    )
    help_ = f"{error.help}\nif a comma follows, {QUOTES}: in braces a comma ends a text" if cut else error.help
    return node.position_of(min(error.offset, len(before))), help_


def _shortened(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line if len(line) <= LONGEST else f"{line[: LONGEST - 60]} … {line[-50:]}" for line in lines)
