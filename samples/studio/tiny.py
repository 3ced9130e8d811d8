"""Two-second clips for unit tests: a car on a photograph, and a person filmed upright as phones do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from samples.studio import walk
from samples.studio.geometry import Camera, Floats, Journey, scaling, shift
from samples.studio.scene import FINE, MARGIN, Placement, Scene
from samples.studio.sprites import STUDIO, Sprite, load, picture
from samples.studio.traffic import CONVERTIBLE

SIZE = (320, 180)
UPRIGHT = (180, 320)


@dataclass(frozen=True)
class Slide:
    """Something that moves evenly.

    Args:
        sprite: how it looks.
        start: (2,) where its feet are at first.
        pace: (2,) pixels per second.
        width: of the sprite in the scene.
    """

    sprite: Sprite
    start: tuple[float, float]
    pace: tuple[float, float]
    width: float

    def place(self, seconds: float) -> Placement:
        """Straight ahead."""
        feet: Floats = np.array(self.start) + seconds * np.array(self.pace)
        matrix = shift(*feet) @ scaling(self.width / self.sprite.size[0]) @ shift(*-self.sprite.feet())
        return Placement(self.sprite, matrix, 1.0)


def scene() -> Scene:
    """A convertible before a pagoda."""
    photo = picture(STUDIO.parent / "photos/china.jpg")
    width, height = ((side + 2 * MARGIN) * FINE for side in SIZE)
    rows = photo.shape[1] * height // width
    cropped = photo[:rows] if rows <= photo.shape[0] else photo
    return Scene(
        SIZE, cv2.resize(cropped, (width, height)), (Slide(load(CONVERTIBLE), (255.0, 150.0), (-70.0, 6.0), 120.0),)
    )


def upright() -> Scene:
    """A walker who comes nearer."""
    camera = Camera(width=UPRIGHT[0], focal=420, height=1.9, horizon=90)
    walker = walk.Walker(
        load(walk.RUNNER), Journey(((-0.8, 7.4), (0.4, 4.9)), ((-0.2, 1.1), (2.0, 1.1))), camera=camera
    )
    return Scene(UPRIGHT, walk.backdrop(camera, UPRIGHT), (walker,))
