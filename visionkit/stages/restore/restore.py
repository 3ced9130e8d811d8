"""``restore``: larger, or without noise, blur or JPEG's blocks, by a network."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.backends import Model, fit_batch
from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.lazy import cv2, np
from visionkit.stage import BatchStage, StageContext, StageParams, WeightsName, wrong_task
from visionkit.stages.restore._windows import Window, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue, Entry

    Pixels = NDArray[np.uint8]

REACH = 32  # where the entry does not say how far its network looks


class RestoreParams(StageParams):
    weights: WeightsName = Field("realesr_x4", description="A network that restores, in the weights catalogue.")
    tile: int = Field(
        512, ge=64, le=8192, description="Larger pictures go through the network in squares of so many pixels a side."
    )


class Restore(BatchStage[RestoreParams]):
    """Makes a better picture of a poor one: four times as large (realesr_x4), or without noise, JPEG's blocks or blur.

    Results found on a larger picture are lifted to the frame. Tiles overlap by as much as the network looks around, so
    they give what the whole picture would, with memory for one tile. Real-ESRGAN, X. Wang et al., ICCV Workshops 2021,
    arXiv:2107.10833; EDSR, B. Lim et al., CVPR Workshops 2017, arXiv:1707.02921.

    Raises:
        WeightsError: the network does not give a picture for a picture.

    Example:
        - restore: {weights: realesr_x4}
    """

    side_by_side = True

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="restore")
        if problems := list(_wrong(self.params, self._model.entry)):
            raise WeightsError(problems[0][1], help=problems[0][2])

    def bucket(self, image: Image) -> Hashable:
        return image.width, image.height

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        groups: dict[Hashable, list[int]] = {}
        for place, image in enumerate(images):
            groups.setdefault(self.bucket(image), []).append(place)
        results: dict[int, Image] = {}
        for places in groups.values():
            made = self._restored([images[place] for place in places])
            results |= {place: _placed(images[place], one) for place, one in zip(places, made, strict=True)}
        return [results[place] for place in range(len(images))]

    def _restored(self, images: Sequence[Image]) -> list[Pixels]:
        """BGR pixels for pictures of one size, window by window."""
        stride, reach = self._model.spec.stride, _reach(self._model.entry)
        ready = [_padded(image, stride) for image in images]
        across, down = (windows(side, self.params.tile, reach, stride) for side in (ready[0].width, ready[0].height))
        made: list[Pixels] = []
        for row in down:
            for column in across:
                size = column.stop - column.start, row.stop - row.start
                pieces = self._infer([one.crop(column.start, row.start, *size) for one in ready])
                scale = self._scale(pieces, *size)
                if not made:
                    made = [np.empty((one.height * scale, one.width * scale, 3), np.uint8) for one in ready]
                for whole, piece in zip(made, pieces, strict=True):
                    whole[_kept(row, 0, scale), _kept(column, 0, scale)] = _levels(
                        piece[:, _kept(row, row.start, scale), _kept(column, column.start, scale)],
                        turned=self._model.spec.swap_rb,
                    )
        width, height = images[0].width * scale, images[0].height * scale
        return [whole[:height, :width] for whole in made]

    def _infer(self, images: Sequence[Image]) -> NDArray[Any]:
        """What the network makes of pictures of one size: (N, 3, H, W) in 0..1."""
        ((_, _, batch),) = fit_batch(images, self._model.spec, device=self._model.device)
        return self._model.infer(batch)[0]

    def _scale(self, planes: NDArray[Any], width: int, height: int) -> int:
        """How many times as large as what went in, ``width`` × ``height``, what came out is."""
        scale = planes.shape[-1] // width
        if planes.shape[1:] != (3, height * scale, width * scale) or not scale:
            message = f"{self._model.entry.name}: gave {planes.shape[1:]} for a picture of (3, {height}, {width})"
            raise WeightsError(message, help="restore takes networks whose output is a picture, whole times as large")
        return scale

    @classmethod
    def check(cls, params: RestoreParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights:
            return []
        return wrong_task(weights, params.weights, "restore") or _wrong(params, weights.get(params.weights))


def _wrong(params: RestoreParams, entry: Entry) -> list[tuple[str, str, str]]:
    """What does not go with the weights: (parameter, message, help)."""
    if entry.preprocessing is None or entry.preprocessing.fit != "none":
        return [
            ("weights", f"{entry.name} does not take pictures as they are", "restore needs preprocessing.fit: none")
        ]
    least = 2 * (_reach(entry) + entry.preprocessing.stride)
    if params.tile <= least:
        why = f"{entry.name} looks {_reach(entry)} pixels around itself"
        return [("tile", f"must be more than {least} for {entry.name}, got {params.tile}", why)]
    return []


def _reach(entry: Entry) -> int:
    """How many pixels away from a pixel the network looks, a multiple of its stride."""
    return int(entry.settings.get("reach", REACH))


def _padded(image: Image, stride: int) -> Image:
    """The picture with its edge repeated to the right and below until both sides are multiples of ``stride``."""
    right, down = -image.width % stride, -image.height % stride
    if not (right or down):
        return image
    return Image(np.asarray(cv2.copyMakeBorder(image.bgr(), 0, down, 0, right, cv2.BORDER_REPLICATE)))


def _kept(window: Window, origin: int, scale: int) -> slice:
    """The part of a window that is kept, counted from ``origin``, in pixels of the result."""
    return slice((window.low - origin) * scale, (window.high - origin) * scale)


def _levels(planes: NDArray[Any], *, turned: bool) -> Pixels:
    """Planes (3, H, W) in 0..1 → (H, W, 3) uint8, the order of colours ``turned`` or not."""
    levels = np.rint(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    return (levels[::-1] if turned else levels).transpose(1, 2, 0)


def _placed(image: Image, pixels: Pixels) -> Image:
    """The result where the picture was; grey where that was grey."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    canvas = image.canvas if (width, height) == image.canvas.size else image.canvas.resize(width, height)
    return image.replaced(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)) if image.is_gray else pixels, canvas)
