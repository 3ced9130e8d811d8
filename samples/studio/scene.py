"""Puts actors into a painted set, frame by frame, and knows exactly where each one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from samples.studio.geometry import Floats, apply, pixels, scaling, shift
from samples.studio.sprites import Sprite, box_of

FINE = 2
"""The scene is drawn this many times too large and shrunk, so that edges are smooth at any sub-pixel place."""
MARGIN = 24
"""Pixels of the set around the picture, which a shaking camera may see."""


@dataclass(frozen=True)
class Placement:
    """A sprite somewhere in one frame.

    Args:
        sprite: what.
        matrix: (3, 3) from the sprite's pixels to the scene's.
        depth: metres away; what is nearer hides what is farther.
    """

    sprite: Sprite
    matrix: Floats
    depth: float


class Actor(Protocol):
    """Something that moves."""

    @property
    def sprite(self) -> Sprite: ...

    def place(self, seconds: float) -> Placement | None:
        """Where it is, or None where it is not in the scene."""
        ...


@dataclass(frozen=True)
class Seen:
    """The truth about one object in one frame.

    Args:
        number: its identity, from 1.
        label: class name.
        box: (4,) x1, y1, x2, y2 of the whole object, also where it is hidden or beyond the edge.
        visible: share of the object's area that the frame shows.
        plate: (4, 2) corners of its plate, or None.
        plate_visible: share of the plate that the frame shows.
        text: what the plate says.
    """

    number: int
    label: str
    box: Floats
    visible: float
    plate: Floats | None = None
    plate_visible: float = 0.0
    text: str = ""


def steady(_seconds: float) -> Floats:
    """(3, 3) a camera that does not shake."""
    return np.eye(3)


def unpainted(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A black set for frames of ``size`` (width, height)."""
    width, height = ((side + 2 * MARGIN) * FINE for side in size)
    return np.zeros((height, width, 3), np.uint8)


@dataclass(frozen=True)
class Scene:
    """A set, its actors and a camera.

    Args:
        size: width and height of the frames.
        backdrop: ((H + 2 · MARGIN) · FINE, (W + 2 · MARGIN) · FINE, 3) BGR uint8, all that does not move.
        actors: their identities are 1, 2, …
        props: sprites that stand still and hide what is behind them.
        shake: (3, 3) by seconds: how the camera's picture is displaced.
    """

    size: tuple[int, int]
    backdrop: NDArray[np.uint8]
    actors: tuple[Actor, ...]
    props: tuple[Placement, ...] = ()
    shake: Callable[[float], Floats] = field(default=steady)

    def render(self, seconds: float) -> tuple[NDArray[np.uint8], list[Seen]]:
        """The frame, (H, W, 3) BGR uint8, and the truth about it."""
        camera = scaling(FINE) @ self.shake(seconds)
        cast = self._cast(seconds)
        layers = [self._layer(placement, camera) for _, placement in cast]
        frame = cv2.resize(self._paint(cast, layers, camera), self.size, interpolation=cv2.INTER_AREA)
        return np.clip(frame + 0.5, 0, 255).astype(np.uint8), self._truth(cast, layers, camera)

    def still(self, seconds: float) -> NDArray[np.uint8]:
        """(H · FINE, W · FINE, 3) the frame as it is drawn, before it is shrunk."""
        camera = scaling(FINE) @ self.shake(seconds)
        cast = self._cast(seconds)
        canvas = self._paint(cast, [self._layer(placement, camera) for _, placement in cast], camera)
        return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)

    def _paint(
        self, cast: list[tuple[int, Placement]], layers: list[Layer | None], camera: Floats
    ) -> NDArray[np.float32]:
        """Set, shadows and sprites on the large canvas, farthest first."""
        width, height = self.size
        seen_set = pixels(camera @ shift(-MARGIN, -MARGIN) @ scaling(1 / FINE))
        fine = (width * FINE, height * FINE)
        canvas = cv2.warpAffine(self.backdrop, seen_set[:2], fine, borderMode=cv2.BORDER_REFLECT).astype(np.float32)
        for (number, placement), layer in zip(cast, layers, strict=True):
            if number:
                _shade(canvas, placement, camera)
            if layer is not None:
                layer.over(canvas)
        return canvas

    def alone(self, number: int, seconds: float) -> NDArray[np.float32]:
        """(H, W) alpha in [0, 1] of one actor with nothing else in the picture."""
        width, height = self.size
        canvas = np.zeros((height * FINE, width * FINE, 3), np.float32)
        placement = self.actors[number - 1].place(seconds)
        layer = self._layer(placement, scaling(FINE) @ self.shake(seconds)) if placement else None
        if layer is not None:
            canvas[layer.where] = layer.bgra[..., 3:]
        return cv2.resize(canvas[..., 0], (width, height), interpolation=cv2.INTER_AREA)

    def _cast(self, seconds: float) -> list[tuple[int, Placement]]:
        """Who is there, farthest first, with identities; props have 0."""
        placed = [(i, actor.place(seconds)) for i, actor in enumerate(self.actors, 1)]
        cast = [(i, placement) for i, placement in placed if placement] + [(0, prop) for prop in self.props]
        return sorted(cast, key=lambda item: -item[1].depth)

    def _layer(self, placement: Placement, camera: Floats) -> Layer | None:
        """The sprite's pixels as they fall on the canvas, None where they miss it."""
        matrix = camera @ placement.matrix
        width, height = placement.sprite.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        x1, y1, x2, y2 = np.round(box_of(corners, matrix) + np.array([-2, -2, 2, 2])).astype(int)
        x1, y1 = max(x1, 0), max(y1, 0)
        x2, y2 = min(x2, self.size[0] * FINE), min(y2, self.size[1] * FINE)
        if x1 >= x2 or y1 >= y2:
            return None
        picture, fraction = placement.sprite.level(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
        local = pixels(shift(-x1, -y1) @ matrix @ scaling(1 / fraction))
        return Layer((slice(y1, y2), slice(x1, x2)), cv2.warpAffine(picture, local[:2], (x2 - x1, y2 - y1)))

    def _truth(self, cast: list[tuple[int, Placement]], layers: list[Layer | None], camera: Floats) -> list[Seen]:
        """Goes from the nearest to the farthest and remembers what still shines through."""
        through = np.ones((self.size[1] * FINE, self.size[0] * FINE), np.float32)
        seen = []
        for (number, placement), layer in zip(reversed(cast), reversed(layers), strict=True):
            if number:
                seen.append(_see(number, placement, layer, camera, through))
            if layer is not None:
                through[layer.where] *= 1 - layer.bgra[..., 3]
        return sorted(seen, key=lambda one: one.number)


@dataclass(frozen=True)
class Layer:
    """Part of the canvas covered by one sprite.

    Args:
        where: rows and columns.
        bgra: (h, w, 4) premultiplied float32.
    """

    where: tuple[slice, slice]
    bgra: NDArray[np.float32]

    def over(self, canvas: NDArray[np.float32]) -> None:
        """Draws it."""
        canvas[self.where] *= 1 - self.bgra[..., 3:]
        canvas[self.where] += 255 * self.bgra[..., :3]


def _see(number: int, placement: Placement, layer: Layer | None, camera: Floats, through: NDArray[np.float32]) -> Seen:
    """The truth about one actor; ``through`` is what nearer things leave visible, 1 to 0, on the canvas."""
    sprite, matrix = placement.sprite, camera @ placement.matrix
    whole = sprite.area * abs(np.linalg.det(matrix[:2, :2]))
    shown = 0.0 if layer is None else float((layer.bgra[..., 3] * through[layer.where]).sum())
    box = box_of(sprite.outline, matrix) / FINE
    if sprite.plate is None:
        return Seen(number, sprite.look.label, box, min(shown / whole, 1.0))
    plate = apply(matrix, sprite.plate)
    visible = _polygon_visible(plate, through)
    return Seen(number, sprite.look.label, box, min(shown / whole, 1.0), plate / FINE, visible, sprite.plate_text)


def _polygon_visible(corners: Floats, through: NDArray[np.float32]) -> float:
    """Share of a polygon (N, 2) on the canvas that is inside it and not covered."""
    low = np.floor(corners.min(0)).astype(int)
    size = np.ceil(corners.max(0)).astype(int) - low + 1
    mask = np.zeros(size[::-1], np.float32)
    cv2.fillConvexPoly(mask, np.round(16 * (corners - low - 0.5)).astype(np.int32), 1.0, cv2.LINE_8, 4)
    x1, y1 = np.maximum(low, 0)
    x2, y2 = np.minimum(low + size, through.shape[::-1])
    if x1 >= x2 or y1 >= y2:
        return 0.0
    inside: Any = mask[y1 - low[1] : y2 - low[1], x1 - low[0] : x2 - low[0]]
    return float((inside * through[y1:y2, x1:x2]).sum() / max(mask.sum(), 1.0))


def _shade(canvas: NDArray[np.float32], placement: Placement, camera: Floats) -> None:
    """Darkens the ground below an actor softly; a shadow is no part of the object."""
    sprite = placement.sprite
    width = sprite.size[0]
    tilt = np.tan(np.radians(sprite.look.tilt))
    shape = np.array([[0.46 * width, 0, 0], [0.46 * width * tilt, 0.085 * width, 0], [0, 0, 1]])
    matrix = camera @ placement.matrix @ shift(*sprite.feet()) @ shape
    x1, y1, x2, y2 = np.round(box_of(np.array([[-2, -2], [2, -2], [2, 2], [-2, 2]], float), matrix)).astype(int)
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, canvas.shape[1]), min(y2, canvas.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    inverse = np.linalg.inv(matrix)
    columns, rows = np.meshgrid(np.arange(x1, x2) + 0.5, np.arange(y1, y2) + 0.5)
    u = inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]
    v = inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]
    dark = 0.62 * np.exp(-1.6 * (u * u + v * v) ** 1.5)
    canvas[y1:y2, x1:x2] *= (1 - dark[..., None]).astype(np.float32)
