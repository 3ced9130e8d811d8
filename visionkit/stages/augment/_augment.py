"""Transforms of albumentations, run so that chance depends on the packet alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from visionkit.data import Image, Key
from visionkit.data.geometry import Map
from visionkit.stage import Probability, StageContext, StageParams, derived_seed

Size = tuple[int, int]
Drawn = Mapping[str, Any]
"""What albumentations drew for a picture of ``shape``, and the ``size`` (width, height) of what came out."""
Place = Callable[[Drawn], Map]
"""→ the map from points of the new picture to points of the old one."""


def _both_ways(value: Any) -> Any:
    """A single number is taken in both directions."""
    return (-value, value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"the lower end comes first, got {value[0]:g} and {value[1]:g}")
    return value


_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Range = Annotated[tuple[float, float], AfterValidator(_in_order), WithJsonSchema(_PAIR)]
"""Lower and upper end, both of them meant."""
Around = Annotated[
    tuple[float, float],
    BeforeValidator(_both_ways),
    AfterValidator(_in_order),
    WithJsonSchema({"anyOf": [{"type": "number"}, _PAIR]}),
]
"""Lower and upper end, or one number n for [-n, n]."""


class AugmentParams(StageParams):
    probability: Probability = Field(0.5, description="The share of pictures that are changed.")


class Augmentation:
    """One transform of albumentations for pictures and their keys.

    Its numbers are drawn from a generator of each packet's own, so workers, order and what else is run do not matter.

    Args:
        transform: a transform that works on ``image`` alone.
        context: whose seed and stage id go into the draw.
        place: where the new picture's pixels come from, if the transform moves any.
    """

    def __init__(self, transform: Any, context: StageContext, place: Place | None = None) -> None:
        self._transform = transform
        self._seed, self._id = context.seed, context.stage_id
        self._place = place

    def __call__(self, image: Image, key: Key) -> Image:
        """The picture changed, or as it is where chance passes it over."""
        seed = derived_seed(self._seed, self._id, key.source, key.index, key.variant)
        self._transform.set_random_seed(seed)
        pixels = self._transform(image=image.gray() if image.is_gray else image.rgb())["image"]
        drawn = self._transform.get_applied_params()
        if not drawn:
            return image
        canvas = image.canvas
        if self._place is not None:
            size = pixels.shape[1], pixels.shape[0]
            canvas = canvas.derive(*size, self._place({**drawn, "size": size}))
        if image.is_gray:
            return Image(pixels.reshape(pixels.shape[:2]), "gray", canvas)
        return Image(pixels, "rgb", canvas)
