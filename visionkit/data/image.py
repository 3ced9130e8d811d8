"""Pictures: immutable pixels with a place in their source frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from visionkit.data.geometry import Canvas
from visionkit.errors import DataError
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Order = Literal["bgr", "rgb", "gray", "i420"]
_CHANNELS = {"bgr": 3, "rgb": 3}


class Image:
    """A picture of 8-bit pixels that nobody can change.

    Ask for the pixels the way you need them: :meth:`bgr`, :meth:`rgb` (H, W, 3), :meth:`gray` (H, W), each a
    read-only uint8 array, converted once and kept; :meth:`tensor` for torch.

    Args:
        pixels: uint8; (H, W, 3) for "bgr" and "rgb", (H, W) for "gray", (H * 3 / 2, W) for "i420". The caller hands
            the array over and does not write to it again.
        order: what the channels are.
        canvas: the picture's place in its source frame; None makes it a source frame of its own.
    """

    __slots__ = ("_arrays", "_place", "order")

    def __init__(self, pixels: Pixels, order: Order = "bgr", canvas: Canvas | None = None) -> None:
        height, width = _picture_size(pixels, order)
        view = pixels.view()
        view.flags.writeable = False
        self._arrays: dict[str, Any] = {order: view}
        self.order: Order = order
        self._place: Canvas | tuple[Canvas, int, int, int, int] = canvas or Canvas.source(width, height)
        if self.canvas.size != (width, height):
            raise DataError(f"image: canvas of {self.canvas.size} for a picture of {(width, height)} (width, height)")

    @property
    def canvas(self) -> Canvas:
        """The picture's place in its source frame; that of a crop is worked out when it is first asked for."""
        place = self._place
        if isinstance(place, tuple):
            whole, *window = place
            place = self._place = whole.crop(*window)
        return place

    @property
    def width(self) -> int:
        return self.canvas.width

    @property
    def height(self) -> int:
        return self.canvas.height

    @property
    def full_size(self) -> tuple[int, int]:
        """Width, height; of a picture that was decoded at reduced scale those of the whole one."""
        return self.canvas.size

    @property
    def is_gray(self) -> bool:
        """True for a picture that has one channel by nature."""
        return self.order == "gray"

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels as they came."""
        return int(self._arrays[self.order].nbytes)

    def bgr(self) -> Pixels:
        """Pixels (H, W, 3) uint8, blue first, read-only."""
        return self._array("bgr")

    def rgb(self) -> Pixels:
        """Pixels (H, W, 3) uint8, red first, read-only."""
        return self._array("rgb")

    def gray(self) -> Pixels:
        """Pixels (H, W) uint8, BT.601 luma, read-only."""
        return self._array("gray")

    def native(self) -> Pixels:
        """Grey pixels (H, W) of a grey picture, otherwise BGR (H, W, 3): for filters that take both."""
        return self.gray() if self.is_gray else self.bgr()

    def tensor(self, device: str = "cpu") -> Any:
        """A torch tensor (3, H, W) uint8, red first, on ``device``: a copy of its own on every device."""
        key = f"tensor:{device}"
        if key not in self._arrays:
            from visionkit.lazy import torch

            planes = np.array(self.rgb().transpose(2, 0, 1), order="C")
            self._arrays[key] = torch.from_numpy(planes).to(device)
        return self._arrays[key]

    def replaced(self, pixels: Pixels, canvas: Canvas | None = None) -> Image:
        """A new picture in the place of this one; (H, W) arrays are grey, (H, W, 3) are BGR."""
        order: Order = "gray" if pixels.ndim == 2 else "bgr"
        return Image(pixels, order, canvas or self.canvas)

    def annotated(self, pixels: Pixels) -> Annotated:
        """A drawn-on copy: ``pixels`` (H, W, 3) BGR of the same size."""
        return Annotated(pixels, "bgr", self.canvas)

    def crop(self, x: int, y: int, width: int, height: int) -> Self:
        """The window at (x, y), a view that shares this picture's memory; it must lie inside.

        Raises:
            DataError: the window is empty or reaches outside.
        """
        whole = self.canvas
        if width < 1 or height < 1 or x < 0 or y < 0 or x + width > whole.width or y + height > whole.height:
            raise DataError(f"crop: window {(x, y, width, height)} does not lie inside {self.width}×{self.height}")
        order: Order = "gray" if self.order == "gray" else "bgr"
        made = object.__new__(type(self))  # what was checked once need not be checked for every crop
        made._arrays = {order: self._array(order)[y : y + height, x : x + width]}
        made.order = order
        made._place = whole, x, y, width, height
        return made

    def _array(self, order: str) -> Pixels:
        found = self._arrays.get(order)
        if found is None:  # two threads may both convert: the results are equal, the last one stays
            found = _convert(self._arrays[self.order], self.order, order)
            found.flags.writeable = False
            self._arrays[order] = found
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.width}×{self.height}, {self.order})"

    def _repr_png_(self) -> bytes:
        return bytes(cv2.imencode(".png", self.native())[1])


class Reduced(Image):
    """A frame that was decoded at reduced scale, for a stage that shrinks it anyway."""

    __slots__ = ()

    @property
    def full_size(self) -> tuple[int, int]:
        return self.canvas.frame_width, self.canvas.frame_height


class Annotated(Image):
    """A picture that was drawn on. Only draw stages and outputs take it by default."""

    __slots__ = ()


def _picture_size(pixels: Pixels, order: Order) -> tuple[int, int]:
    """Height, width of a valid pixel array."""
    if pixels.dtype != np.uint8:
        raise DataError(f"image: expected dtype uint8, got {pixels.dtype}")
    channels = _CHANNELS.get(order)
    if channels and (pixels.ndim != 3 or pixels.shape[2] != channels):
        raise DataError(f"image: expected shape (H, W, {channels}) for {order}, got {pixels.shape}")
    if not channels and pixels.ndim != 2:
        raise DataError(f"image: expected shape (H, W) for {order}, got {pixels.shape}")
    if pixels.size == 0:
        raise DataError(f"image: a picture has at least one pixel, got shape {pixels.shape}")
    height = pixels.shape[0] * 2 // 3 if order == "i420" else pixels.shape[0]
    return height, pixels.shape[1]


def _convert(pixels: Pixels, have: str, want: str) -> Pixels:
    if have == "gray":
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    if have == "i420" and want == "gray":  # through BGR, so that every source of a frame gives the same grey
        return _convert(_convert(pixels, have, "bgr"), "bgr", "gray")
    codes = {
        ("bgr", "rgb"): cv2.COLOR_BGR2RGB,
        ("rgb", "bgr"): cv2.COLOR_RGB2BGR,
        ("bgr", "gray"): cv2.COLOR_BGR2GRAY,
        ("rgb", "gray"): cv2.COLOR_RGB2GRAY,
        ("i420", "bgr"): cv2.COLOR_YUV2BGR_I420,
        ("i420", "rgb"): cv2.COLOR_YUV2RGB_I420,
    }
    return cv2.cvtColor(pixels, codes[have, want])
