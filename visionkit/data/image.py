"""Pictures: immutable pixels with a place in their source frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from visionkit.data.device import Placed, download, made, named, upload
from visionkit.data.geometry import Canvas
from visionkit.data.planes import converted
from visionkit.errors import DataError
from visionkit.lazy import cv2, np, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Order = Literal["bgr", "rgb", "gray", "i420"]
_CHANNELS = {"bgr": 3, "rgb": 3}


class Image:
    """A picture of 8-bit pixels that nobody can change.

    Ask for the pixels the way you need them: :meth:`bgr`, :meth:`rgb` (H, W, 3), :meth:`gray` (H, W), each a
    read-only uint8 array, converted once and kept; :meth:`tensor` for torch. Pixels that were put on a GPU are worked
    on there by the stages that can, and what these make comes back when somebody asks for an array.

    Args:
        pixels: uint8; (H, W, 3) for "bgr" and "rgb", (H, W) for "gray", (H * 3 / 2, W) for "i420". The caller hands
            the array over and does not write to it again.
        order: what the channels are.
        canvas: the picture's place in its source frame; None makes it a source frame of its own.

    Attributes:
        device: where stages find the pixels beside or instead of the arrays, such as "cuda:0"; "" if nowhere.
    """

    __slots__ = ("_arrays", "_place", "device", "order")

    def __init__(self, pixels: Pixels, order: Order = "bgr", canvas: Canvas | None = None) -> None:
        height, width = _picture_size(pixels, order)
        view = pixels.view()
        view.flags.writeable = False
        self._arrays: dict[str, Any] = {order: view}
        self.order: Order = order
        self.device = ""
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
        return int(next(iter(self._arrays.values())).nbytes)

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

    def tensor(self, device: str = "cpu", order: Literal["rgb", "gray", "native"] = "rgb") -> Any:
        """A torch tensor (3, H, W), red first, or (1, H, W) grey, uint8 on ``device``: a copy of its own everywhere.

        All who ask share it, so nobody writes to it. "native" is grey for a grey picture, otherwise red first.
        """
        if order == "native":
            order = "gray" if self.is_gray else "rgb"
        return self._placed(order, named(device)).take()

    def raw(self, device: str) -> tuple[Any, str]:
        """The pixels on ``device`` as they came, and their order: for :func:`visionkit.data.planes.converted`."""
        return self._placed(self.order, named(device)).take(), self.order

    def put(self, device: str) -> None:
        """Begin to copy the pixels to ``device``; stages that can work there do so from now on."""
        self._placed(self.order, named(device))
        self.device = named(device)

    @classmethod
    def of_tensor(cls, planes: Any, canvas: Canvas | None = None) -> Self:
        """A picture that lies on a device: planes (3, H, W), red first, or (1, H, W) grey. Nobody writes to them again.

        Raises:
            DataError: of another shape or dtype.
        """
        if planes.ndim != 3 or planes.shape[0] not in (1, 3) or not planes.numel() or planes.dtype != torch.uint8:
            raise DataError(f"image: expected planes (1 or 3, H, W) uint8, got {tuple(planes.shape)} {planes.dtype}")
        height, width = planes.shape[1:]
        new = object.__new__(cls)
        new.order, new.device = "gray" if planes.shape[0] == 1 else "rgb", str(planes.device)
        new._arrays = {f"{new.order}@{new.device}": made(planes)}
        new._place = canvas or Canvas.source(width, height)
        if new.canvas.size != (width, height):
            raise DataError(f"image: canvas of {new.canvas.size} for a picture of {(width, height)} (width, height)")
        return new

    def replaced(self, pixels: Pixels, canvas: Canvas | None = None) -> Image:
        """A new picture in the place of this one; (H, W) arrays are grey, (H, W, 3) are BGR."""
        order: Order = "gray" if pixels.ndim == 2 else "bgr"
        return Image(pixels, order, canvas or self.canvas)

    def placed(self, planes: Any, canvas: Canvas | None = None) -> Image:
        """A new picture in the place of this one, of planes on a device as :meth:`of_tensor` takes them."""
        return Image.of_tensor(planes, canvas or self.canvas)

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
        new = object.__new__(type(self))  # what was checked once need not be checked for every crop
        new.device = self.device
        if self.device:
            order = "gray" if self.order == "gray" else "rgb"
            planes = self._placed(order, self.device)
            window = planes.tensor[:, y : y + height, x : x + width]
            new._arrays = {f"{order}@{self.device}": planes.view(window)}
        else:
            new._arrays = {order: self._array(order)[y : y + height, x : x + width]}
        new.order = order
        new._place = whole, x, y, width, height
        return new

    def _array(self, order: str) -> Pixels:
        found = self._arrays.get(order)
        if found is None:  # two threads may both convert: the results are equal, the last one stays
            pixels, have = self._pixels(order)
            found = pixels if have == order else _convert(pixels, have, order)
            found.flags.writeable = False
            self._arrays[order] = found
        return found

    def _pixels(self, want: str) -> tuple[Pixels, str]:
        """Pixels as an array and their order; what lies on a device alone comes from there once."""
        have = next((order for order in (self.order, "bgr", "rgb") if order in self._arrays), None)
        if have is not None:
            return self._arrays[have], have
        placed = self._placed(self.order, self.device)
        if self.is_gray:
            return download(placed.view(placed.tensor[0])), "gray"
        have = "rgb" if want == "rgb" else "bgr"
        planes = placed.tensor if have == "rgb" else placed.tensor.flip(0)
        pixels = download(placed.view(planes.permute(1, 2, 0)))
        self._arrays[have] = pixels
        return pixels, have

    def _placed(self, order: str, device: str) -> Placed:
        """Planes of one order on a device, kept."""
        key = f"{order}@{device}"
        found = self._arrays.get(key)
        if found is None:
            if order != self.order:
                planes = self._placed(self.order, device).take()
                found = made(converted(planes, self.order, order))
            else:
                pixels = upload(self._array(order), device)
                found = pixels if order == "i420" else pixels.view(_planes(pixels.tensor))
            self._arrays[key] = found
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


def _planes(pixels: Any) -> Any:
    """(H, W) → (1, H, W), (H, W, C) → (C, H, W): a view."""
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


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
