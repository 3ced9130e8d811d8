"""What expressions, templates and setters share: frozen texts that pydantic can read as stage parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import FrozenInstanceError
from typing import Any, NoReturn, Self

from pydantic_core import core_schema


class Parsed(ABC):
    """A text and what was read from it. It cannot be changed; two of the same text and class are equal.

    ``label: Template = Template.parse("{score}")`` in a parameter model takes a str or an instance; a mistake becomes
    a ``ValidationError`` whose ``ctx["error"]`` is the ExprError with its offset. (No dataclass: pydantic would write
    the fields of one, not its text, into a JSON Schema's default.)
    """

    text: str

    def __init__(self, text: str, **parts: Any) -> None:
        self.__dict__.update(text=text, **parts)

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``; raises ExprError."""

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to {name!r}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.text == other.text

    def __hash__(self) -> int:
        return hash((type(self), self.text))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({self.text!r})"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # Closures cannot be pickled; the text is all there is to know.
        return type(self).parse, (self.text,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _read(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError(f"must be a text, got {type(value).__name__}; put quotes around it")
        return cls.parse(value)
