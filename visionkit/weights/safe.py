"""Loading weights without running what may be in them.

A PyTorch file is a pickle, and a pickle is a program. ``weights_only`` refuses everything but tensors and plain
containers, and is always tried. A file that needs more runs only if its SHA-256 is in the catalogue or the user said
``--trust-weights``. Some libraries unpickle by themselves (easyocr, older Ultralytics): pass the path through
:func:`check_pickle` first. ONNX, safetensors, TensorFlow and TFLite files are data.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import WeightsError
from visionkit.lazy import load, torch
from visionkit.weights.catalogue import Catalogue
from visionkit.weights.fetch import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

UNTRUSTED, UNREADABLE = "VK316", "VK319"
WRAPPERS = ("state_dict", "model_state_dict", "params_ema", "params", "model")  # where training scripts put the weights


def load_torch(path: Path, catalogue: Catalogue | None = None, *, trust: bool = False) -> Any:
    """What a ``.pt`` or ``.pth`` file holds, on the CPU: with ``weights_only``, or in full if the file is trusted.

    Args:
        path: the file.
        catalogue: who is asked whether the file is known; the user's own by default.
        trust: the user said that pickles may run.

    Raises:
        WeightsError: VK316 it would run code and is not trusted, VK319 it cannot be read.
    """
    try:
        return _load(path, weights_only=True)
    except pickle.UnpicklingError as error:
        if not (trust or _is_known(path, catalogue)):
            raise _untrusted(path) from error
    try:
        return _load(path, weights_only=False)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} is not a PyTorch file", code=UNREADABLE) from error


def load_state_dict(path: Path, catalogue: Catalogue | None = None, *, trust: bool = False) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors``, ``.pt`` or ``.pth`` file by name, on the CPU.

    Raises:
        WeightsError: VK316 it would run code and is not trusted, VK319 it cannot be read or holds no tensors.
    """
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    held = load_torch(path, catalogue, trust=trust)
    for key in WRAPPERS:
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
    if not isinstance(held, Mapping) or not all(isinstance(value, torch.Tensor) for value in held.values()):
        raise WeightsError(f"{path} holds {type(held).__name__}, not tensors by name", code=UNREADABLE)
    return dict(held)


def check_pickle(path: Path, catalogue: Catalogue | None = None, *, trust: bool = False) -> Path:
    """``path``, if a library may unpickle it: it is trusted, or there is nothing in it but tensors.

    Raises:
        WeightsError: VK316 it would run code and is not trusted, VK319 it cannot be read.
    """
    if not (trust or _is_known(path, catalogue)):
        try:
            _load(path, weights_only=True)
        except pickle.UnpicklingError as error:
            raise _untrusted(path) from error
    return path


def _load(path: Path, *, weights_only: bool) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=weights_only)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle can end in any error
        raise WeightsError(f"{path} cannot be read as a PyTorch file: {error}", code=UNREADABLE) from error


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    load("torch")  # names the extra that is missing before safetensors does
    safetensors = load("safetensors.torch")
    try:
        tensors: dict[str, Tensor] = safetensors.load_file(path, device="cpu")
    except Exception as error:  # safetensors raises an exception class of its own, from Rust
        raise WeightsError(f"{path} cannot be read as safetensors: {error}", code=UNREADABLE) from error
    return tensors


def _is_known(path: Path, catalogue: Catalogue | None) -> bool:
    return (catalogue or Catalogue.load()).trusts(sha256_of(path))


def _untrusted(path: Path) -> WeightsError:
    return WeightsError(
        f"{path} holds more than tensors, or is no PyTorch file: loading it could run any code",
        help="if you know where it comes from: --trust-weights; better: save a state_dict, safetensors or ONNX file",
        code=UNTRUSTED,
    )
