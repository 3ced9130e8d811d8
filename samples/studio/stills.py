"""Pictures made here: a street, a sign and a page to read, and odd files for the readers of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from samples.studio import codes, traffic, walk
from samples.studio.backdrop import TEXTURES
from samples.studio.geometry import Floats, pixels, scaling, shift
from samples.studio.scene import Placement, Scene
from samples.studio.sprites import STUDIO, Look, Sprite, font, load, picture, premultiplied

PHOTOS = STUDIO.parent / "photos"
SIGN = ("PARKING", "8 - 18 H", "MAX. 2 HOURS")
PAGE = (
    "How to read a page",
    "",
    "A page of text is a picture like any other.",
    "First the lines are found, then each line is",
    "cut out, turned upright and read. What was",
    "read comes back with a box, a score and words.",
    "",
    "Coffee beans, 3 kg                 57.60",
    "Paper cups, 500                    24.15",
    "Total                              81.75",
)
"""What sign.jpg and page.jpg say, line by line."""
PARCEL = ("VISION EXPRESS", "To: A. Student", "Camera Lane 24", "Sampletown")
LINK, GOODS = "parcel/2024-118", "400638133393"
"""What parcel.jpg says, and its two codes; the bar code's last digit follows from the others."""


@dataclass(frozen=True)
class Standing:
    """Someone who does not move.

    Args:
        placement: where.
    """

    placement: Placement

    @property
    def sprite(self) -> Sprite:
        """How it looks."""
        return self.placement.sprite

    def place(self, seconds: float) -> Placement:
        """Always there."""
        return self.placement


def street(folder: Path) -> None:
    """street.jpg, 1280×720: the street of traffic.mp4 with people on the pavement."""
    film = traffic.scene()
    cars = [film.actors[i].place(seconds) for i, seconds in ((0, 0.85), (3, 7.15))]
    people = [_standing(walk.WOMAN, -2.35, 7.2), _standing(walk.BEAGLE, -1.35, 7.0), _standing(walk.RUNNER, 0.7, 7.3)]
    actors = tuple(Standing(placement) for placement in [*cars, *people] if placement)
    still = Scene(film.size, film.backdrop, actors, film.props).still(0.0)
    cv2.imwrite(str(folder / "street.jpg"), still, [cv2.IMWRITE_JPEG_QUALITY, 88])


def _standing(look: Look, x: float, z: float) -> Placement:
    """A person on the ground of the street."""
    sprite = load(look)
    scale = traffic.CAMERA.pixels_per_metre(z) * look.metres / sprite.size[0]
    return Placement(sprite, shift(*traffic.CAMERA.project(x, z)) @ scaling(scale) @ shift(*-sprite.feet()), z)


def sign(folder: Path) -> None:
    """sign.jpg, 800×600: a blue sign on a brick wall, seen from the side."""
    wall = picture(TEXTURES / "brick.jpg", cv2.IMREAD_GRAYSCALE)
    wall = (
        cv2.resize(cv2.rotate(wall[:, :384], cv2.ROTATE_90_CLOCKWISE), (800, 600)).astype(np.float32)[..., None]
        / 255
        * np.array([0.55, 0.66, 0.86], np.float32)
    )
    light = np.linspace(1.15, 0.75, 800, dtype=np.float32)[None, :, None]
    board = Image.new("RGBA", (560, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(board)
    draw.rounded_rectangle((0, 0, 559, 399), 28, fill=(24, 72, 158), outline=(245, 245, 245), width=9)
    for text, size, y in zip(SIGN, (92, 66, 58), (92, 212, 318), strict=True):
        draw.text((280, y), text, (248, 248, 248), font(size), anchor="mm", stroke_width=2, stroke_fill=(248, 248, 248))
    corners = np.array([[150, 120], [655, 82], [648, 500], [158, 462]], np.float32)
    shadow = cv2.GaussianBlur(_lay(board, corners + np.array([10, 14])), (0, 0), 9)
    laid = _lay(board, corners)
    lit = wall * light * (1 - 0.55 * shadow[..., 3:])
    _save(lit * (1 - laid[..., 3:]) + laid[..., :3] * light, folder / "sign.jpg")


def page(folder: Path) -> None:
    """page.jpg, 900×700: a printed page on a table, a little turned, darker to one side."""
    paper = Image.new("RGBA", (760, 560), (250, 249, 244, 255))
    draw = ImageDraw.Draw(paper)
    for i, line in enumerate(PAGE):
        label, _, price = line.rpartition("  ")
        y, size = 54 + 50 * i, 40 if i == 0 else 29
        draw.text((50, y), label.strip() or line, (28, 28, 34), font(size), anchor="lm")
        if label:
            draw.text((690, y), price.strip(), (28, 28, 34), font(size), anchor="rm")
    table = np.full((700, 900, 3), (0.29, 0.42, 0.56), np.float32)
    grain = cv2.resize(picture(TEXTURES / "gravel.jpg", cv2.IMREAD_GRAYSCALE)[:30], (900, 700)) / 255 - 0.5
    table += 0.16 * cv2.GaussianBlur(grain, (0, 0), 3)[..., None].astype(np.float32)
    corners = np.array([[88, 62], [838, 88], [815, 655], [62, 625]], np.float32)
    light = np.linspace(1.02, 0.68, 900, dtype=np.float32)[None, :, None]
    _save(_on(table, paper, corners, (6, 9), 8, 0.6) * light, folder / "page.jpg")


def parcel(folder: Path) -> None:
    """parcel.jpg, 900×700: the label of a parcel with a QR code and a bar code, on cardboard, a little turned."""
    label = Image.new("RGBA", (700, 500), (255, 255, 255, 255))
    draw = ImageDraw.Draw(label)
    for i, line in enumerate(PARCEL):
        draw.text((40, 52 + 48 * i), line, (24, 24, 30), font(40 if i == 0 else 27), anchor="lm")
    label.paste(Image.fromarray(codes.qr(LINK)), (480, 30))
    label.paste(Image.fromarray(codes.ean13(GOODS)[0]).resize((454, 220)), (40, 250))
    draw.text((267, 478), " ".join(codes.ean13(GOODS)[1]), (24, 24, 30), font(24), anchor="mm")
    card = np.full((700, 900, 3), (0.36, 0.52, 0.66), np.float32)
    grain = cv2.resize(picture(TEXTURES / "gravel.jpg", cv2.IMREAD_GRAYSCALE)[:40], (900, 700)) / 255 - 0.5
    card += 0.1 * cv2.GaussianBlur(grain, (0, 0), 2)[..., None].astype(np.float32)
    corners = np.array([[96, 110], [806, 76], [826, 584], [118, 622]], np.float32)
    light = np.linspace(0.78, 1.02, 900, dtype=np.float32)[None, :, None]
    _save(_on(card, label, corners, (3, 5), 4, 0.5) * light, folder / "parcel.jpg")


def _on(
    table: Floats, sheet: Image.Image, corners: Floats, offset: tuple[int, int], blur: float, dark: float
) -> NDArray[np.float32]:
    """A sheet laid on a table, and its shadow: so far away in pixels, so blurred, and so ``dark`` from 0 to 1."""
    shadow = cv2.GaussianBlur(_lay(sheet, corners + np.array(offset)), (0, 0), blur)
    laid = _lay(sheet, corners)
    return table * (1 - dark * shadow[..., 3:]) * (1 - laid[..., 3:]) + laid[..., :3]


def _lay(image: Image.Image, corners: Floats) -> NDArray[np.float32]:
    """A picture warped onto an empty 800×600 or 900×700 one, premultiplied."""
    width, height = image.size
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = pixels(cv2.getPerspectiveTransform(source, corners.astype(np.float32)))
    size = (900, 700) if width > 600 else (800, 600)
    return cv2.warpPerspective(premultiplied(image), matrix, size, flags=cv2.INTER_AREA)


def _save(bgr: NDArray[np.float32], path: Path) -> None:
    """From [0, 1] to JPEG."""
    cv2.imwrite(str(path), np.clip(bgr * 255 + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])


def odd(folder: Path) -> None:
    """Tiny files with EXIF orientation 6, 16 bits of grey, and transparency."""
    folder.mkdir(exist_ok=True)
    cat = Image.open(PHOTOS / "cat.jpg").resize((180, 120), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    cat.transpose(Image.Transpose.ROTATE_90).save(folder / "orientation6.jpg", quality=85, exif=exif)
    coins = cv2.resize(picture(PHOTOS / "coins.jpg", cv2.IMREAD_GRAYSCALE), (160, 126), interpolation=cv2.INTER_AREA)
    deep = cv2.GaussianBlur(coins.astype(np.float32), (0, 0), 1) * 257
    cv2.imwrite(str(folder / "grey16.png"), np.clip(deep + 0.5, 0, 65535).astype(np.uint16))
    car = Image.open(STUDIO / "cutouts/convertible.png")
    car.resize((160, 62), Image.Resampling.LANCZOS).save(folder / "alpha.png", optimize=True)
