"""Paints what does not move: sky, skyline, trees, ground with photographed textures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samples.studio.geometry import Camera, Floats
from samples.studio.scene import FINE, MARGIN
from samples.studio.sprites import picture

TEXTURES = Path(__file__).resolve().parent / "textures"
Colour = tuple[float, float, float]
"""Blue, green, red from 0 to 255."""


@dataclass(frozen=True)
class Canvas:
    """The picture while it is painted.

    Args:
        bgr: (H, W, 3) float32.
        columns: (H, W) x of every pixel's centre in the scene.
        rows: (H, W) y likewise.
        camera: how the ground is seen.
    """

    bgr: NDArray[np.float32]
    columns: Floats
    rows: Floats
    camera: Camera

    @classmethod
    def blank(cls, size: tuple[int, int], camera: Camera) -> Canvas:
        """An empty canvas for frames of ``size`` (width, height), with the margin around them."""
        width, height = ((side + 2 * MARGIN) * FINE for side in size)
        columns, rows = np.meshgrid((np.arange(width) + 0.5) / FINE - MARGIN, (np.arange(height) + 0.5) / FINE - MARGIN)
        return cls(np.zeros((height, width, 3), np.float32), columns, rows, camera)

    def fine(self, x: float, y: float) -> tuple[int, int]:
        """The canvas pixel at a point of the scene."""
        return round((x + MARGIN) * FINE), round((y + MARGIN) * FINE)

    def done(self) -> NDArray[np.uint8]:
        """The finished picture, uint8."""
        return np.clip(self.bgr + 0.5, 0, 255).astype(np.uint8)

    def sky(self, top: Colour, bottom: Colour) -> None:
        """A gradient from the upper edge to the horizon."""
        part = np.clip((self.rows + MARGIN) / (self.camera.horizon + MARGIN), 0, 1)[..., None]
        self.bgr[:] = (1 - part) * np.array(top) + part * np.array(bottom)

    def cloud(self, x: float, y: float, width: float, strength: float = 0.8) -> None:
        """Five soft balls."""
        for i, (dx, dy, r) in enumerate(
            ((-0.32, 0.02, 0.15), (-0.12, -0.05, 0.2), (0.1, -0.03, 0.22), (0.3, 0.02, 0.15))
        ):
            far = ((self.columns - x - dx * width) / (r * width)) ** 2 + (
                (self.rows - y - dy * width) / (0.55 * r * width)
            ) ** 2
            self.mix(strength * np.exp(-(far**2)), (252 - i, 250 - i, 246 - i))

    def mix(self, share: Floats, colour: Colour | Floats) -> None:
        """Blends a colour in, ``share`` (H, W) from 0 to 1."""
        self.bgr[:] = self.bgr * (1 - share[..., None]) + share[..., None] * np.asarray(colour)

    def house(self, x: float, width: float, height: float, colour: Colour, floors: int, bays: int) -> None:
        """A flat front with windows on the horizon."""
        base = self.camera.horizon + 4
        self.rectangle(x, base - height, x + width, base, colour)
        self.rectangle(x - 1, base - height - 2, x + width + 1, base - height, tuple(0.8 * c for c in colour))
        step, rise = width / bays, (height - 6) / floors
        for floor in range(floors):
            for bay in range(bays):
                left, top = x + (bay + 0.25) * step, base - height + 4 + (floor + 0.2) * rise
                glass = (150, 130, 105) if (3 * floor + 5 * bay + round(x)) % 4 else (190, 215, 225)
                self.rectangle(left, top, left + 0.5 * step, top + 0.55 * rise, glass)

    def tree(self, x: float, height: float, colour: Colour = (70, 128, 84)) -> None:
        """A trunk and a crown of overlapping discs on the horizon."""
        base = self.camera.horizon + 6
        self.rectangle(x - 0.03 * height, base - 0.4 * height, x + 0.03 * height, base, (60, 84, 104))
        discs = ((-0.2, 0.5, 0.2), (0.2, 0.5, 0.2), (0, 0.68, 0.26), (-0.13, 0.8, 0.16), (0.14, 0.78, 0.17))
        for i, (dx, up, radius) in enumerate(discs):
            tint = tuple(c * (0.86 + 0.07 * i) for c in colour)
            centre = self.fine(x + dx * height, base - up * height)
            cv2.circle(self.bgr, centre, round(radius * height * FINE), tint, -1, cv2.LINE_AA)

    def rectangle(self, x1: float, y1: float, x2: float, y2: float, colour: Colour | tuple[float, ...]) -> None:
        """A filled rectangle in the scene's pixels."""
        cv2.rectangle(self.bgr, self.fine(x1, y1), self.fine(x2, y2), colour, -1)

    def ground(self) -> tuple[Floats, Floats, Floats]:
        """Ground points x and z in metres of every pixel and (H, W) whether it is ground, softly at the horizon."""
        x, z = self.camera.ground(self.columns, self.rows)
        return x, z, np.clip(self.rows - self.camera.horizon, 0, 1)

    def lay(self, share: Floats, texture: str, colour: Colour, metres: float, contrast: float = 1.0) -> None:
        """Covers ground with a tinted photograph, repeated every ``metres``; it pales with distance."""
        x, z, below = self.ground()
        photo = picture(TEXTURES / f"{texture}.jpg", cv2.IMREAD_GRAYSCALE).astype(np.float32)
        tile = photo / photo.mean() - 1
        tile = np.concatenate([tile, tile[:, ::-1]], 1)
        tile = np.concatenate([tile, tile[::-1]], 0)
        u, v = (np.mod(part / metres, 1).astype(np.float32) * len(tile) - 0.5 for part in (x, z))
        light = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        light = 1 + contrast * light * np.exp(-z / 9)
        self.mix(share * below, np.clip(light, 0.4, 1.7)[..., None] * np.array(colour))

    def haze(self, colour: Colour, metres: float) -> None:
        """Blends the far ground into the sky."""
        _, z, below = self.ground()
        self.mix(below * (1 - np.exp(-np.maximum(z - 18, 0) / metres)), colour)


def stripe(distance: Floats, half: float, soft: float = 0.06) -> Floats:
    """1 where ``distance`` is below ``half``, 0 beyond, with a soft edge; all in metres."""
    return np.clip((half - distance) / soft + 0.5, 0, 1)


def distance_to(line: Floats, x: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Metres from every ground point nearer than 30 m to a line (N, 2), and how far along it the nearest point is."""
    near = (z > 0) & (z < 30)
    px, pz = x[near].astype(np.float32), z[near].astype(np.float32)
    best, along, done = np.full(px.shape, 1e3, np.float32), np.zeros(px.shape, np.float32), 0.0
    for (ax, az), (bx, bz) in zip(line[:-1].tolist(), line[1:].tolist(), strict=True):
        length = float(np.hypot(bx - ax, bz - az))
        dx, dz = (bx - ax) / length, (bz - az) / length
        part = np.clip((px - ax) * dx + (pz - az) * dz, 0, length)
        away = (px - ax - part * dx) ** 2 + (pz - az - part * dz) ** 2
        closer = away < best
        best[closer], along[closer] = away[closer], done + part[closer]
        done += length
    out = np.full((2, *x.shape), 1e3, np.float32)
    out[0][near], out[1][near] = np.sqrt(best), along
    return out[0], out[1]
