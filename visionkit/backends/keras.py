"""Keras' HDF5 files without HDF5: the entry says where in the file each tensor lies, contiguous and not compressed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Settings
from visionkit.backends.torchnet import TorchModel, build_own, filled
from visionkit.errors import WeightsError
from visionkit.lazy import np, torch
from visionkit.weights.entry import Entry

if TYPE_CHECKING:
    from torch import Tensor


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    """``loader: keras-h5:<module>.<function>``: a network of :mod:`visionkit.nets` with weights that Keras saved.

    ``settings.tensors`` gives for each tensor of the network, in its order, the place of its first byte.

    Raises:
        WeightsError: there is no such network, or the file does not fit it.
    """
    module = build_own(entry)
    wanted, places = module.state_dict(), entry.settings["tensors"]
    if len(wanted) != len(places):
        raise WeightsError(f"{entry.name}: {len(places)} tensors do not fit a network of {len(wanted)}")
    state = {name: _read(files[0], place, tensor) for (name, tensor), place in zip(wanted.items(), places, strict=True)}
    return filled(entry, module, state, files[0], settings)


def _read(path: Path, place: int, like: Any) -> Tensor:
    """One tensor: Keras keeps kernels as height, width, in, out."""
    values = np.fromfile(path, "<f4", like.numel(), offset=place)
    if len(values) < like.numel():
        raise WeightsError(f"{path.name} does not fit the network: it ends too early")
    if like.ndim == 4:
        out, into, high, wide = like.shape
        values = values.reshape(high, wide, into, out).transpose(3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(values))
