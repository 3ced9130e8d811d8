"""Frozen dataclasses whose methods are written when first needed.

``dataclasses.dataclass`` writes and compiles six methods for a frozen class the moment its module is imported, at
some 0.5 ms a class: for visionkit's own hundred that was half of what ``visionkit validate`` cost beyond the
libraries it needs, though one file uses few of them. A subclass of :class:`Frozen` becomes the very class that
``dataclass(frozen=True)`` makes, but with its first instance, or when somebody first looks at its fields.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import Field, field
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

_WRITING = threading.RLock()


class _Pending:
    """Stands where the fields of a class will be, until somebody asks for them."""

    def __init__(self, cls: type[Any], options: dict[str, bool]) -> None:
        self.cls = cls
        self.options = options

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        with _WRITING:
            if self.cls.__dict__["__dataclass_fields__"] is self:
                dataclasses.dataclass(frozen=True, **self.options)(self.cls)
        return self.cls.__dict__["__dataclass_fields__"]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Frozen:
    """Base of frozen dataclasses: ``class Point(Frozen)`` is ``@dataclass(frozen=True) class Point``, made later.

    Options of ``dataclass`` go with the bases: ``class Point(Frozen, eq=False)``.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, **options: bool) -> None:
        super().__init_subclass__()
        pending = _Pending(cls, options)
        setattr(cls, "__dataclass_fields__", pending)  # noqa: B010 (a class variable to mypy)
        if "__init__" in cls.__dict__:  # it would call the next one in line, which may not be written yet
            pending.__get__(None, cls)

    if not TYPE_CHECKING:

        def __init__(self, *args: object, **kwargs: object) -> None:
            with _WRITING:  # another thread may have begun: the fields come before the methods
                dataclasses.fields(self)  # puts the real one over this
            type(self).__init__(self, *args, **kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickled and copied, which calls no ``__init__``."""
        with _WRITING:
            dataclasses.fields(self)
        self.__dict__.update(state)
