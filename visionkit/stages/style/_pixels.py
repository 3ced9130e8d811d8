"""Pictures on their way into a style network and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import UsageError
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrunk(image: Image, longest: int | None) -> NDArray[np.uint8]:
    """RGB pixels (H, W, 3), scaled so that the longer side has at most ``longest`` pixels."""
    ratio = min(1.0, longest / max(image.width, image.height)) if longest else 1.0
    size = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    return image.rgb() if ratio == 1.0 else np.asarray(cv2.resize(image.rgb(), size, interpolation=cv2.INTER_AREA))


def padded(pixels: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    """The pixels with their edge repeated to the right and below until both sides have ``least``."""
    height, width = pixels.shape[:2]
    down, right = max(0, least - height), max(0, least - width)
    if not (down or right):
        return pixels
    return np.asarray(cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_REPLICATE))


def finished(planes: NDArray[Any], image: Image, strength: float) -> Image:
    """What a network made, RGB (H, W, 3) in 0..1, at the size of the picture, mixed with it by ``strength``."""
    made = np.rint(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    if made.shape[:2] != (image.height, image.width):
        made = np.asarray(cv2.resize(made, (image.width, image.height), interpolation=cv2.INTER_CUBIC))
    if strength < 1:
        made = np.asarray(cv2.addWeighted(made, strength, image.rgb(), 1 - strength, 0))
    return Image(np.ascontiguousarray(made), "rgb", image.canvas)


def style_picture(path: Path, stage: str) -> NDArray[np.uint8]:
    """The picture that shows the style, RGB (H, W, 3).

    Raises:
        UsageError: there is no such file, or it is no picture.
    """
    try:
        raw = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UsageError(f"{stage}: {path} cannot be read: {error.strerror or error}") from error
    pixels = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
    if pixels is None:
        raise UsageError(f"{stage}: {path} is no picture that can be read")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
