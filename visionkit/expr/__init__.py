"""The small language of pipeline files: expressions, templates and what a track remembers."""

from visionkit.expr.errors import ExprError
from visionkit.expr.expression import Expression
from visionkit.expr.memory import Memory
from visionkit.expr.reducers import Setter
from visionkit.expr.template import Template
from visionkit.expr.types import Kind, Record, Scope, Type, with_rows

__all__ = ["ExprError", "Expression", "Kind", "Memory", "Record", "Scope", "Setter", "Template", "Type", "with_rows"]
