"""Checks of array fields: shape and dtype, with expected and actual in the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.errors import DataError
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Dimension = int | str | None


def frozen_array(name: str, value: Any, dtype: Any, shape: tuple[Dimension, ...], **sizes: int) -> NDArray[Any]:
    """``value`` as a read-only array of ``dtype`` whose shape matches.

    A dimension is a number, None (any), or a letter: looked up in ``sizes``, any if it is not there.

    Raises:
        DataError: with expected and actual shape.
    """
    array = np.asarray(value, dtype=dtype)
    if array.size == 0 and array.ndim != len(shape):
        array = array.reshape([0 if d is None or isinstance(d, str) else d for d in shape])
    wanted = tuple(sizes.get(d) if isinstance(d, str) else d for d in shape)
    same_rank = array.ndim == len(shape)
    if not same_rank or [w for w, got in zip(wanted, array.shape, strict=True) if w is not None and w != got]:
        text = ", ".join(
            str(d if isinstance(d, str) and d not in sizes else w) for d, w in zip(shape, wanted, strict=True)
        )
        raise DataError(f"{name}: expected shape ({text}), got {array.shape}")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array
