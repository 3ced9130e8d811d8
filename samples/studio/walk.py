"""The park: people and a dog who cross one another, filmed at an irregular rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samples.studio.backdrop import Canvas, stripe
from samples.studio.geometry import Camera, Journey, scaling, shift, turn
from samples.studio.scene import Placement, Scene, unpainted
from samples.studio.sprites import Look, Sprite, load

SIZE = (640, 360)
CAMERA = Camera(width=640, focal=640, height=1.9, horizon=92)
SECONDS = 10.0
GAPS = (40, 40, 33, 40, 67, 40, 40, 20, 40, 100, 40, 33)
"""Milliseconds from one frame to the next, again and again: a phone in dim light."""

WOMAN = Look("business_woman", "person", 0.76, (0.5, 0.985))
RUNNER = Look("runner", "person", 0.54, (0.5, 0.985))
POLICE = Look("policewoman", "person", 0.62, (0.5, 0.985))
GROOM = Look("groom", "person", 0.55, (0.5, 0.985))
DANCER = Look("dancer", "person", 1.1, (0.45, 0.985))
GOLFER = Look("golfer", "person", 1.05, (0.3, 0.985))
BEAGLE = Look("beagle", "dog", 0.95, (0.6, 0.97))


@dataclass(frozen=True)
class Walker:
    """Someone on foot.

    Args:
        sprite: how they look.
        journey: where they are when.
        steps: per second; each lifts and tilts the body a little.
        lift: metres.
        sway: degrees.
        camera: which sees them.
    """

    sprite: Sprite
    journey: Journey
    steps: float = 1.9
    lift: float = 0.035
    sway: float = 1.6
    camera: Camera = CAMERA

    def place(self, seconds: float) -> Placement | None:
        """The feet follow the path; the body bobs."""
        at = self.journey.at(seconds)
        if at is None:
            return None
        near = self.camera.pixels_per_metre(at[1])
        phase = np.pi * self.steps * seconds
        bob = shift(0, -self.lift * near * abs(np.sin(phase))) @ turn(self.sway * np.sin(phase))
        scale = near * self.sprite.look.metres / self.sprite.size[0]
        matrix = shift(*self.camera.project(*at)) @ bob @ scaling(scale) @ shift(*-self.sprite.feet())
        return Placement(self.sprite, matrix, at[1])


def scene(painted: bool = True) -> Scene:
    """The park of walk.mp4; not ``painted`` it is black, for those who want the truth alone."""
    walkers = (
        Walker(load(WOMAN), Journey(((4.2, 6.0), (-5.0, 5.6)), ((0.3, 1.05), (10.0, 1.05)))),
        Walker(load(BEAGLE), Journey(((5.2, 5.8), (-5.0, 5.4)), ((0.3, 1.05), (10.0, 1.05))), 3.4, 0.02, 1.2),
        Walker(load(RUNNER), Journey(((-5.0, 7.6), (1.0, 6.6), (5.0, 5.6)), ((1.2, 2.0), (10.0, 2.0))), 2.7, 0.08, 2.5),
        Walker(load(POLICE), Journey(((0.9, 8.3), (0.2, 8.3)), ((-1.0, 0.05), (10.0, 0.05))), 0.4, 0.0, 0.5),
        Walker(load(GROOM), Journey(((-5.0, 7.2), (6.0, 7.0)), ((-3.0, 0.85), (10.0, 0.85))), 1.6, 0.03, 1.2),
        Walker(load(DANCER), Journey(((-3.9, 5.2), (5.0, 5.0)), ((5.0, 1.3), (10.0, 1.3))), 2.2, 0.06, 3.0),
        Walker(load(GOLFER), Journey(((-2.6, 10.4), (-2.4, 10.4)), ((-1.0, 0.01), (10.0, 0.01))), 0.3, 0.0, 1.5),
    )
    return Scene(SIZE, backdrop(CAMERA, SIZE) if painted else unpainted(SIZE), walkers)


def stamps(milliseconds: int) -> tuple[int, ...]:
    """Irregular time stamps in milliseconds below the given end."""
    out = [0]
    while out[-1] + GAPS[(len(out) - 1) % len(GAPS)] < milliseconds:
        out.append(out[-1] + GAPS[(len(out) - 1) % len(GAPS)])
    return tuple(out)


def backdrop(camera: Camera, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Sky, hills, trees, a lawn and a paved walk."""
    canvas = Canvas.blank(size, camera)
    canvas.sky((238, 196, 140), (248, 236, 220))
    for left, top, width in ((90, 30, 140), (330, 52, 120), (540, 26, 170)):
        canvas.cloud(left, top, width)
    for height, pace, colour in ((36.0, 95.0, (196, 186, 158)), (22.0, 61.0, (150, 168, 132))):
        ridge = camera.horizon - height * (0.6 + 0.4 * np.sin(canvas.columns / pace + height))
        canvas.mix(np.clip(canvas.rows - ridge, 0, 1), colour)
    for i, left in enumerate((-4, 38, 64, 150, 176, 268, 372, 404, 470, 548, 590, 640)):
        canvas.tree(left, 46 + 9 * (i * 5 % 4), (62 + 4 * (i % 3), 122 + 6 * (i % 4), 84))
    x, z, _ = canvas.ground()
    canvas.lay(np.ones_like(x), "grass", (78, 152, 112), 1.6, 0.9)
    canvas.mix(stripe(abs(z - 6.9), 2.45), (176, 184, 190))
    canvas.lay(stripe(abs(z - 6.9), 2.35), "brick", (158, 176, 196), 1.3, 1.3)
    canvas.haze((226, 214, 196), 30)
    return canvas.done()
