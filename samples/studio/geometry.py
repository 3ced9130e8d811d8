"""Points, matrices and paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def shift(x: float, y: float) -> Floats:
    """(3, 3) a translation."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def scaling(x: float, y: float | None = None) -> Floats:
    """(3, 3) a scaling about the origin."""
    return np.diag([x, x if y is None else y, 1.0])


def turn(degrees: float) -> Floats:
    """(3, 3) a rotation about the origin, clockwise on the screen."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def apply(matrix: Floats, points: Floats) -> Floats:
    """(N, 2) ``points`` moved by an affine or projective ``matrix`` (3, 3)."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return homogeneous[:, :2] / homogeneous[:, 2:]


def pixels(matrix: Floats) -> Floats:
    """(3, 3) the same map as OpenCV wants it: there a pixel's centre has whole coordinates."""
    return shift(-0.5, -0.5) @ matrix @ shift(0.5, 0.5)


@dataclass(frozen=True)
class Camera:
    """A camera that looks level over flat ground.

    Args:
        width: of the picture in pixels.
        focal: focal length in pixels.
        height: above the ground in metres.
        horizon: row of the horizon.
    """

    width: int
    focal: float
    height: float
    horizon: float

    def pixels_per_metre(self, z: float) -> float:
        """How large a metre is ``z`` metres away."""
        return self.focal / z

    def project(self, x: float, z: float) -> Floats:
        """(2,) the picture point of ground point ``x`` metres to the right and ``z`` metres away."""
        return np.array([self.width / 2 + self.focal * x / z, self.horizon + self.focal * self.height / z])

    def ground(self, columns: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """The ground points (x, z) seen at picture points below the horizon."""
        z = self.focal * self.height / np.maximum(rows - self.horizon, 1e-3)
        return (columns - self.width / 2) * z / self.focal, z


@dataclass(frozen=True)
class Journey:
    """A path on the ground and when what is where.

    Args:
        points: corners of the path as (x, z) in metres; they are rounded off.
        speeds: (seconds, metres per second) pairs; between them the speed changes evenly. The first is the start.
    """

    points: tuple[tuple[float, float], ...]
    speeds: tuple[tuple[float, float], ...]

    @cached_property
    def line(self) -> Floats:
        """(N, 2) the path after three rounds of corner cutting (Chaikin, 1974)."""
        line = np.array(self.points, float)
        for _ in range(3):
            inner = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1)
            line = np.concatenate([line[:1], inner.reshape(-1, 2), line[-1:]])
        return line

    def travelled(self, seconds: float) -> float:
        """Metres since the start."""
        times, speeds = np.array(self.speeds).T
        marks = np.unique(np.clip(np.append(times, seconds), times[0], seconds))
        there = np.interp(marks, times, speeds)
        return float(np.sum(np.diff(marks) * (there[1:] + there[:-1]) / 2))

    def at(self, seconds: float) -> tuple[float, float] | None:
        """The point (x, z), or None before the start and after the end."""
        if seconds < self.speeds[0][0]:
            return None
        line = self.line
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        done = self.travelled(seconds)
        if done >= length[-1]:
            return None
        return float(np.interp(done, length, line[:, 0])), float(np.interp(done, length, line[:, 1]))
