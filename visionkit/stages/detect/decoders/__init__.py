"""How the raw outputs of each kind of detector become boxes: one small file a kind.

A decoder is called for one picture of a batch. An entry of the catalogue names its decoder in ``settings.output``;
without, the file or the loader decides.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from visionkit.errors import WeightsError, did_you_mean
from visionkit.frozen import Frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.backends import Model
    from visionkit.lazy import np


class View(Frozen):
    """Which picture of a batch to decode, and how.

    Attributes:
        row: its place in the batch.
        width, height: of the network's input, pixels.
        min_score: boxes that score lower may be left out.
        classes: how many the network knows.
        multi_label: a box counts for every class it scores well enough for, not for its best alone.
        settings: of the catalogue's entry.
    """

    row: int
    width: int
    height: int
    min_score: float
    classes: int
    settings: Mapping[str, Any]
    multi_label: bool = False


class Found(Frozen, eq=False):
    """What a network found in one picture, in pixels of its input, before NMS.

    Attributes:
        xyxy: boxes (N, 4).
        score: (N,).
        class_id: (N,).
        corners: rotated boxes (N, 4, 2), or None.
        keypoints: (N, K, 3) x, y, score, or None.
        masks: makes the probabilities (M, h, w) of the objects with the given indices, maps that cover the whole
            input at any resolution; or None.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int32]
    corners: NDArray[np.float32] | None = None
    keypoints: NDArray[np.float32] | None = None
    masks: Callable[[NDArray[np.intp]], NDArray[np.float32]] | None = None


Decoder = Callable[["tuple[NDArray[Any], ...]", View], Found]

DECODERS = MappingProxyType(
    {
        "centerface": "centerface",
        "fastestdet": "fastestdet",
        "ssd": "ssd",
        "torchvision": "torchvision",
        "ultraface": "ultraface",
        "yolo": "yolo",
        "yolo-end2end": "yolo_end2end",
        "yolov5": "yolov5",
    }
)
BY_LOADER = MappingProxyType({"cv2dnn-tf": "ssd", "torchvision": "torchvision", "nets": "torchvision"})


def output_of(model: Model) -> str:
    """What a network's outputs are read as."""
    entry = model.entry
    return str(entry.settings.get("output") or model.output or BY_LOADER.get(entry.loader.partition(":")[0]))


def decoder_of(model: Model) -> Decoder:
    """The decoder for the outputs of a network: named by its entry, known from its file, or usual for its loader.

    Raises:
        WeightsError: the entry names none, or one that does not exist.
    """
    entry, name = model.entry, output_of(model)
    if name not in DECODERS:
        help_ = did_you_mean(name, DECODERS) or f"known are {', '.join(DECODERS)}"
        raise WeightsError(f"{entry.name}: no detector's outputs are read as {name!r} (settings.output)", help=help_)
    decode: Decoder = importlib.import_module(f"{__name__}.{DECODERS[name]}").decode
    return decode
