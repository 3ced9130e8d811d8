"""Freshly initialised networks that have something to say."""

from __future__ import annotations

from typing import Any

import numpy as np


def awake(net: Any, pictures: np.ndarray) -> Any:
    """``net``, its batch norms set to what ``pictures`` (N, H, W, 3) uint8 bring; N of 2 at least.

    Without, the signal dies away in a deep network with weights by chance, and every picture gives the same.
    """
    import torch

    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    net.train()
    with torch.no_grad():
        net(torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255 - 0.5)
    return net.eval()
