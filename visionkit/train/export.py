"""Save trained weights small and safe: safetensors, half precision, with a hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from visionkit.lazy import load, torch

if TYPE_CHECKING:
    from torch import nn


def save_half(net: nn.Module, path: Path, **notes: str) -> str:
    """Write the weights as float16 safetensors and return the file's sha256.

    The net itself is rounded too, so what is scored afterwards is what was saved.

    Args:
        net: its state is written.
        path: the file to write; its folder is made.
        notes: short texts kept in the file's header (architecture, licence ...).
    """
    state = {}
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.copy_(value.half())
            state[name] = (value.half() if value.is_floating_point() else value).cpu().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    load("safetensors.torch").save_file(state, str(path), metadata=notes)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_half(net: nn.Module, path: Path) -> nn.Module:
    """Fill ``net`` (it stays float32) from a file of :func:`save_half`; returns it in eval mode.

    Raises:
        RuntimeError: the file is of another architecture.
    """
    net.load_state_dict(load("safetensors.torch").load_file(str(path)))
    return net.eval()


def load_backbone(features: nn.Module, path: Path) -> nn.Module:
    """Fill MobileNetV2's feature blocks from torchvision's ImageNet file (``mobilenet_v2-*.pth``)."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    start = "features."
    features.load_state_dict({name.removeprefix(start): v for name, v in state.items() if name.startswith(start)})
    return features
