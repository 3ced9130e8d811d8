"""The street: six vehicles with licence plates, roads that cross, a poster wall that hides one of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samples.studio.backdrop import Canvas, distance_to, stripe
from samples.studio.geometry import Camera, Floats, Journey, scaling, shift, turn
from samples.studio.scene import Placement, Scene, unpainted
from samples.studio.sprites import STUDIO, Look, Sprite, load, outline, picture, pyramid

SIZE = (640, 360)
CAMERA = Camera(width=640, focal=600, height=2.8, horizon=108)
FPS = 25
SECONDS = 12.0

MUSCLE_CAR = Look(
    "muscle_car", "car", 4.6, (0.47, 0.9), ((0.675, 0.665), (0.935, 0.615), (0.935, 0.775), (0.675, 0.845)), tilt=2
)
BLUE_CAR = Look("blue_car", "car", 4.1, (0.52, 0.88), ((0.05, 0.7), (0.33, 0.79), (0.33, 0.93), (0.05, 0.84)), tilt=-7)
CONVERTIBLE = Look(
    "convertible", "car", 4.4, (0.5, 0.92), ((0.02, 0.66), (0.27, 0.7), (0.27, 0.855), (0.02, 0.8)), tilt=-4
)
COACH = Look("coach", "bus", 7.2, (0.5, 0.93), ((0.74, 0.86), (0.97, 0.84), (0.97, 0.945), (0.74, 0.965)), tilt=5)
OFF_ROADER = Look(
    "off_roader", "car", 3.7, (0.55, 0.94), ((0.12, 0.575), (0.43, 0.555), (0.43, 0.68), (0.12, 0.7)), tilt=-4
)
TRUCK = Look("truck", "truck", 5.6, (0.5, 0.94), ((0.69, 0.765), (0.95, 0.755), (0.95, 0.865), (0.69, 0.88)), tilt=4)
CITY_BUS = Look(
    "coach", "bus", 7.0, (0.5, 0.93), ((0.03, 0.84), (0.26, 0.86), (0.26, 0.965), (0.03, 0.945)), -5, True, 0.12
)

RIGHTWARD = ((-15.0, 16.2), (-4.1, 13.2), (1.4, 11.6), (11.0, 8.1))
LEFTWARD = ((15.0, 16.2), (4.1, 13.2), (-1.4, 11.6), (-11.0, 8.1))
BEHIND = ((16.5, 18.6), (-2.3, 18.4), (-4.6, 16.8), (-5.2, 13.6), (-11.0, 8.6))
"""Corners of the three roads on the ground, metres right of the camera and away from it."""


@dataclass(frozen=True)
class Vehicle:
    """A car on its way.

    Args:
        sprite: how it looks.
        journey: where it is when.
    """

    sprite: Sprite
    journey: Journey

    def place(self, seconds: float) -> Placement | None:
        """Its wheels stand on the road."""
        at = self.journey.at(seconds)
        if at is None:
            return None
        scale = CAMERA.pixels_per_metre(at[1]) * self.sprite.look.metres / self.sprite.size[0]
        matrix = shift(*CAMERA.project(*at)) @ scaling(scale) @ shift(*-self.sprite.feet())
        return Placement(self.sprite, matrix, at[1])


def scene(painted: bool = True) -> Scene:
    """The street of traffic.mp4; not ``painted`` it is black, for those who want the truth alone."""
    drives = (
        (MUSCLE_CAR, "HK472", RIGHTWARD, ((-2.4, 6.0), (12.0, 6.0))),
        (BLUE_CAR, "TR924", LEFTWARD, ((-0.4, 6.0), (1.5, 5.0), (12.0, 5.0))),
        (CONVERTIBLE, "NX247", BEHIND, ((0.2, 6.0), (1.8, 5.0), (3.0, 2.45), (4.8, 2.45), (6.2, 4.5), (12.0, 6.0))),
        (COACH, "AM629", RIGHTWARD, ((4.7, 5.0), (12.0, 5.0))),
        (OFF_ROADER, "FL743", LEFTWARD, ((6.1, 5.0), (12.0, 5.0))),
        (TRUCK, "KE394", RIGHTWARD, ((7.9, 4.5), (12.0, 4.5))),
        (CITY_BUS, "UV462", LEFTWARD, ((9.1, 4.5), (12.0, 4.5))),
    )
    vehicles = tuple(Vehicle(load(look, plate), Journey(road, speeds)) for look, plate, road, speeds in drives)
    return Scene(SIZE, backdrop() if painted else unpainted(SIZE), vehicles, (poster(),), shake)


def shake(seconds: float) -> Floats:
    """A hand-held camera: slow sway and a little tremble."""
    wave = np.sin(2 * np.pi * seconds * np.array([0.37, 1.3, 4.1, 0.29, 1.7, 3.7, 0.43]) + np.arange(7))
    dx, dy = 2.2 * wave[0] + 0.8 * wave[1] + 0.4 * wave[2], 1.6 * wave[3] + 0.6 * wave[4] + 0.3 * wave[5]
    centre = np.array(SIZE) / 2
    return shift(dx, dy) @ shift(*centre) @ turn(0.35 * wave[6]) @ shift(*-centre)


def poster() -> Placement:
    """A wall with a picture of a flower, 6.4 m wide, between the far road and the crossing."""
    photo = picture(STUDIO.parent / "photos/flower.jpg")[60:344]
    board = np.zeros((320, 640, 4), np.float32)
    board[:304, :, :3], board[304:, 60:90, :3], board[304:, 550:580, :3] = 0.24, 0.2, 0.2
    board[:304, :, 3], board[304:, 60:90, 3], board[304:, 550:580, 3] = 1, 1, 1
    board[12:292, 12:628, :3] = cv2.resize(photo, (616, 280), interpolation=cv2.INTER_AREA) / 255
    sprite = Sprite(Look("", "", 6.4, (0.5, 1.0)), pyramid(board), outline(board[..., 3]), float(board[..., 3].sum()))
    scale = CAMERA.pixels_per_metre(15.9) * 6.4 / 640
    matrix = shift(*CAMERA.project(2.0, 15.9)) @ scaling(scale) @ shift(*-sprite.feet())
    return Placement(sprite, matrix, 15.9)


def backdrop() -> NDArray[np.uint8]:
    """Sky, a row of houses, pavement and the three roads."""
    canvas = Canvas.blank(SIZE, CAMERA)
    canvas.sky((236, 190, 130), (246, 232, 214))
    for x, y, width in ((120, 34, 130), (430, 20, 170), (590, 58, 110)):
        canvas.cloud(x, y, width)
    skyline(canvas)
    roads(canvas)
    return canvas.done()


def skyline(canvas: Canvas) -> None:
    """Houses and trees along the horizon."""
    fronts = ((168, 184, 204), (150, 170, 188), (190, 196, 205), (146, 158, 190), (176, 178, 182), (158, 186, 200))
    x = -26.0
    for i in range(13):
        width, height = 46 + 17 * (i * 7 % 3), 38 + 13 * (i * 5 % 5)
        canvas.house(x, width, height, fronts[i % len(fronts)], floors=2 + height // 16, bays=3 + width // 22)
        x += width + 2
    for i, x in enumerate((-8, 52, 71, 160, 245, 262, 350, 428, 505, 523, 600, 652)):
        canvas.tree(x, 30 + 6 * (i * 3 % 4))


def roads(canvas: Canvas) -> None:
    """Grass far away, brick pavement, asphalt with kerbs and a dashed middle line."""
    x, z, _ = canvas.ground()
    canvas.lay(np.ones_like(x), "grass", (84, 150, 118), 3.0, 0.6)
    canvas.lay(stripe(z, 23.6, 0.4), "brick", (172, 184, 196), 2.6, 1.3)
    lines = [distance_to(Journey(road, ((0, 1),)).line, x, z) for road in (RIGHTWARD, LEFTWARD, BEHIND)]
    near = np.minimum.reduce([away for away, _ in lines])
    canvas.mix(stripe(near, 2.05) * (z > 0), (206, 210, 212))
    canvas.lay(stripe(near, 1.9), "gravel", (96, 94, 92), 2.2, 0.55)
    for away, along in lines:
        others = np.minimum.reduce([other for other, _ in lines if other is not away])
        dash = stripe(np.abs(np.mod(along, 3.0) - 1.5), 0.75) * stripe(away, 0.06) * (others > 2.4)
        canvas.mix(dash, (226, 232, 234))
    canvas.haze((214, 212, 204), 60)
