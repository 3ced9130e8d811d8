"""Colours of pixels in tensors, planes first, with any leading dimensions. Level for level as OpenCV makes them."""

from __future__ import annotations

from typing import Any

from visionkit.lazy import torch


def converted(planes: Any, have: str, want: str) -> Any:
    """Pixels of another order.

    Args:
        planes: uint8; (..., 3, H, W) for "bgr" and "rgb", (..., 1, H, W) for "gray", (..., H * 3 / 2, W) for "i420".
        have: what the channels are.
        want: "rgb", "bgr" or "gray".
    """
    if have == want:
        return planes
    if have == "i420":
        return converted(_of_i420(planes), "rgb", want)
    if want == "gray":
        return _gray(planes if have == "rgb" else planes.flip(-3))
    return planes.expand(*planes.shape[:-3], 3, *planes.shape[-2:]) if have == "gray" else planes.flip(-3)


def _gray(rgb: Any) -> Any:
    """BT.601 luma in OpenCV's integers: 15 bits behind the point."""
    red, green, blue = rgb.int().unbind(-3)
    return ((red * 9798 + green * 19235 + blue * 3735 + (1 << 14)) >> 15).to(torch.uint8).unsqueeze(-3)


def _of_i420(planes: Any) -> Any:
    rows, width = planes.shape[-2:]
    height, whole, quarter = rows * 2 // 3, rows * 2 // 3 * width, rows * width // 6
    flat = planes.flatten(-2)
    half = (height // 2, width // 2)
    u, v = (flat[..., begin : begin + quarter].unflatten(-1, half) for begin in (whole, whole + quarter))
    return of_yuv(flat[..., :whole].unflatten(-1, (height, width)), u, v)


_MATRICES = {
    # of Y; of V in red; of U and V in green; of U in blue: OpenCV's for BT.601, which rounds 1.164
    "bt601": (1220542, 1673527, -409993, -852492, 2116026),
    "bt709": (1220945, 1879825, -223607, -558796, 2215014),
}


def of_yuv(y: Any, u: Any, v: Any, matrix: str = "bt601") -> Any:
    """RGB (..., 3, H, W) of limited range in OpenCV's integers, 20 bits behind the point.

    Args:
        y: (..., H, W) uint8, even sides.
        u: (..., H / 2, W / 2) uint8; each value counts for four pixels.
        v: likewise.
        matrix: "bt601" or "bt709".
    """
    luminance, red, green_u, green_v, blue = _MATRICES[matrix]
    down, along = u.shape[-2:]
    luma = (y.unflatten(-1, (along, 2)).unflatten(-3, (down, 2)).int() - 16).clamp_(min=0).mul_(luminance)
    u, v = (chroma.int()[..., :, None, :, None] - 128 for chroma in (u, v))
    levels = torch.stack([luma + red * v, luma + green_u * u + green_v * v, luma + blue * u], -5)
    levels = levels.add_(1 << 19).bitwise_right_shift_(20).clamp_(0, 255)
    return levels.to(torch.uint8).flatten(-2).flatten(-3, -2)
