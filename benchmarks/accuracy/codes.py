"""QR codes and bar codes, drawn and then photographed from askew."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
"""Bars of the digits, 1 is black; the other two sets are these mirrored and inverted."""
PARITY = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
"""Which sets the six digits on the left are drawn with: the first digit, which has no bars. ISO/IEC 15420."""

Drawing = Callable[[np.random.Generator], tuple[np.ndarray, str]]


def qr(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A picture (H, W) uint8 and its text."""
    text = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), int(rng.integers(8, 40))))
    modules = cv2.copyMakeBorder(cv2.QRCodeEncoder.create().encode(text), *[3] * 4, cv2.BORDER_CONSTANT, value=255)
    return _enlarged(modules, 5), text


def ean13(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A picture (H, W) uint8 and its thirteen digits."""
    digits = [int(digit) for digit in rng.integers(0, 10, 12)]
    digits.append(-sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10)
    bars = [_bars(digit, kind) for digit, kind in zip(digits[1:], PARITY[digits[0]] + "RRRRRR", strict=True)]
    line = "101" + "".join(bars[:6]) + "01010" + "".join(bars[6:]) + "101"
    row = np.array([255 * (bar == "0") for bar in f"{'0' * 11}{line}{'0' * 11}"], np.uint8)
    drawn = np.repeat(row[None], 50, axis=0)
    return _enlarged(cv2.copyMakeBorder(drawn, 8, 8, 0, 0, cv2.BORDER_CONSTANT, value=255), 3), "".join(
        map(str, digits)
    )


def _bars(digit: int, kind: str) -> str:
    bars = LEFT[digit]
    if kind == "L":
        return bars
    inverted = "".join("10"[int(bar)] for bar in bars)
    return inverted if kind == "R" else inverted[::-1]


def _enlarged(pixels: np.ndarray, times: int) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST))


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
