"""What VGG sees in a picture: the content of one layer, the textures of five."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.errors import VisionkitError
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, np, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 32  # VGG halves a picture four times
BLOCKS = 5
CONTENT = 3, 1  # block and layer, from 0: relu4_2; textures are those of the first layer of each block


class Seen(Frozen):
    """``content``: features (1, C, h, w); ``textures``: a Gram matrix (C, C) for each block."""

    content: Any
    textures: tuple[Any, ...]


class Features:
    """The convolutions of a VGG.

    Args:
        model: run by torch; its own preprocessing is applied.

    Raises:
        VisionkitError: the network is no VGG.
    """

    def __init__(self, model: Any) -> None:
        trunk = getattr(model.module, "features", None) or getattr(model.module, "blocks", None)
        parts = [part for part in trunk.modules() if not list(part.children())] if trunk is not None else []
        if sum(isinstance(part, torch.nn.MaxPool2d) for part in parts) < BLOCKS - 1:
            raise VisionkitError(f"style.gatys: {model.entry.name!r} is no VGG", help="hed and vgg16 are")
        self._parts = parts
        spec = model.spec
        self._flip = spec.color == "bgr"
        shape = (1, 3, 1, 1)
        self._scale = 255 * spec.scale
        self._mean = torch.tensor(spec.mean, device=model.device).view(shape)
        self._std = torch.tensor(spec.std, device=model.device).view(shape)

    def __call__(self, planes: Any) -> Seen:
        """What is seen in planes (1, 3, H, W) in 0..1, red first."""
        values = ((planes.flip(1) if self._flip else planes) * self._scale - self._mean) / self._std
        block, layer, content, textures = 0, 0, None, []
        for part in self._parts:
            if isinstance(part, torch.nn.MaxPool2d):
                block, layer = block + 1, 0
            values = part(values)
            if not isinstance(part, torch.nn.ReLU):
                continue
            if layer == 0:
                textures.append(_gram(values))
            if (block, layer) == CONTENT:
                content = values.clone()
            layer += 1
            if len(textures) == BLOCKS:
                break
        return Seen(content, tuple(textures))


def _gram(values: Any) -> Any:
    flat = values.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def scaled(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) whose longer side is exactly that: its strokes are as wide as the painted picture's."""
    height, width = pixels.shape[:2]
    ratio = longest / max(height, width)
    size = max(LEAST, round(width * ratio)), max(LEAST, round(height * ratio))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR))
