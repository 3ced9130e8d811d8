"""What expressions, templates and setters share: they are texts that pydantic can read as stage parameters."""

from __future__ import annotations

from typing import Any, Self

from pydantic_core import core_schema


class Parsed:
    """Mixin: ``label: Template = Template.parse("{score}")`` in a parameter model takes a str or an instance.

    A mistake becomes a ``ValidationError`` whose ``ctx["error"]`` is the ExprError with its offset.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # Closures cannot be pickled; the text is all there is to know.
        return type(self).parse, (self.text,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text], mode="left_to_right"),
            serialization=core_schema.to_string_ser_schema(),
        )
