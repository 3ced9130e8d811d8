"""QR codes and bar codes as pictures."""

from __future__ import annotations

import cv2
import numpy as np

LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
"""Bars of the digits, 1 is black; the other two sets are these mirrored and inverted."""
PARITY = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
"""Which sets the six digits on the left are drawn with: the first digit, which has no bars. ISO/IEC 15420."""


def qr(text: str) -> np.ndarray:
    """A picture (H, W) uint8, five pixels a module."""
    modules = cv2.copyMakeBorder(cv2.QRCodeEncoder.create().encode(text), *[3] * 4, cv2.BORDER_CONSTANT, value=255)
    return _enlarged(modules, 5)


def ean13(twelve: str) -> tuple[np.ndarray, str]:
    """A picture (H, W) uint8, three pixels a bar, and the thirteen digits: the last one checks the others."""
    digits = [*map(int, twelve)]
    digits.append(-sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10)
    bars = [_bars(digit, kind) for digit, kind in zip(digits[1:], PARITY[digits[0]] + "RRRRRR", strict=True)]
    line = "101" + "".join(bars[:6]) + "01010" + "".join(bars[6:]) + "101"
    row = np.array([255 * (bar == "0") for bar in f"{'0' * 11}{line}{'0' * 11}"], np.uint8)
    drawn = cv2.copyMakeBorder(np.repeat(row[None], 50, axis=0), 8, 8, 0, 0, cv2.BORDER_CONSTANT, value=255)
    return _enlarged(drawn, 3), "".join(map(str, digits))


def _bars(digit: int, kind: str) -> str:
    bars = LEFT[digit]
    if kind == "L":
        return bars
    inverted = "".join("10"[int(bar)] for bar in bars)
    return inverted if kind == "R" else inverted[::-1]


def _enlarged(pixels: np.ndarray, times: int) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST))
