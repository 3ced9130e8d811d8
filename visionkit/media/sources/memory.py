"""Pictures that are in memory already: NumPy arrays and :class:`Image` objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from visionkit.data import Image
from visionkit.errors import UsageError
from visionkit.lazy import np
from visionkit.stage.source import Frame, SourceInfo


class MemorySource:
    """A lane of pictures given as arrays, each a source of its own named ``array-0``, ``array-1`` ..."""

    live = False

    def __init__(
        self, pictures: Sequence[Any], limit: int | None = None, name: str = "memory", variants: int = 1
    ) -> None:
        self.name = name
        images = [as_image(picture) for picture in pictures]
        self._images = [image for image in images for _ in range(variants)][:limit]
        self.infos: Sequence[SourceInfo] | None = [
            _info(image, i // variants, i % variants, f"_{i % variants}" if variants > 1 else "")
            for i, image in enumerate(self._images)
        ]

    def frames(self) -> Iterator[Frame]:
        for info, image in zip(self.infos or (), self._images, strict=True):
            yield Frame(info, 0, lambda image=image: image, image.nbytes)  # type: ignore[misc]


def _info(image: Image, number: int, variant: int, tail: str) -> SourceInfo:
    name = f"array-{number}{tail}"
    return SourceInfo(name, "image", None, f"{name}.png", image.width, image.height, frames=1, variant=variant)


def as_image(picture: Any) -> Image:
    """An array (H, W) grey or (H, W, 3) BGR, uint8, as an :class:`Image` of its own; the array is copied.

    Raises:
        UsageError: another shape or dtype.
    """
    if isinstance(picture, Image):
        return Image(picture.native(), "gray" if picture.is_gray else "bgr")
    array = np.array(picture)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UsageError(
            f"an array of shape {array.shape} and dtype {array.dtype} is not a picture",
            help="give uint8, (H, W) for grey or (H, W, 3) with blue first",
        )
    return Image(array, "gray" if array.ndim == 2 else "bgr")
