"""QR codes and bar codes, drawn and then photographed from askew."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from samples.studio import codes as drawn

Drawing = Callable[[np.random.Generator], tuple[np.ndarray, str]]


def qr(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A picture (H, W) uint8 and its text."""
    text = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), int(rng.integers(8, 40))))
    return drawn.qr(text), text


def ean13(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A picture (H, W) uint8 and its thirteen digits."""
    return drawn.ean13("".join(map(str, rng.integers(0, 10, 12))))


def photographed(draw: Drawing, seed: int) -> tuple[np.ndarray, str]:
    """A code on a grey table: tilted, turned a little, out of focus, in poor light; and what it says."""
    rng = np.random.default_rng(seed)
    code, text = draw(rng)
    high, wide = code.shape
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    size = wide + 160, high + 160
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), float(rng.uniform(-12, 12)), 1)
    places = cv2.transform(corners[None], turn)[0] + 80 + rng.uniform(-0.06, 0.06, (4, 2)) * [wide, high]
    move = cv2.getPerspectiveTransform(corners, places.astype(np.float32))
    table = cv2.warpPerspective(code, move, size, borderMode=cv2.BORDER_CONSTANT, borderValue=150)
    dim = cv2.GaussianBlur(table, (0, 0), float(rng.uniform(0.5, 2.0))) * rng.uniform(0.5, 0.9)
    return np.clip(dim + rng.normal(0, 4, dim.shape), 0, 255).astype(np.uint8), text
