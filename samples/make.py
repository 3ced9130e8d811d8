"""Makes the videos and the drawn pictures of this folder from ``photos/`` and ``studio/``; README.md describes them.

``python -m samples.make`` from the root of the repository makes all of it, with names (``traffic sign``) only
those.
The ground truth comes out the same everywhere; the bytes of videos and pictures depend on the versions of x264,
FreeType and OpenCV.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
from PIL import Image

from samples.studio import stills, tiny, traffic, walk
from samples.studio.film import Film, make, turn_film

HERE = Path(__file__).resolve().parent


def traffic_film() -> Film:
    """Twelve seconds at 25 frames a second."""
    return Film("traffic", traffic.scene(), tuple(range(300)), Fraction(1, 25), 300, tones=(330.0,))


def walk_film() -> Film:
    """Ten seconds at an irregular rate."""
    stamps = walk.stamps(10_000)
    return Film("walk", walk.scene(), stamps, Fraction(1, 1000), 10_000, tones=(262.0, 392.0), sampling=44_100)


def tiny_film() -> Film:
    """Two seconds; every frame carries its number."""
    return Film("tiny", tiny.scene(), tuple(range(50)), Fraction(1, 25), 50, tones=(440.0,), mark=True)


def upright_film() -> Film:
    """Two seconds, upright; without sound."""
    return Film("upright", tiny.upright(), tuple(range(50)), Fraction(1, 25), 50)


def rotated(folder: Path) -> None:
    """upright.mp4, its frames stored lying, with a display matrix that says so."""
    make(upright_film(), folder, lying=True)
    turn_film(folder / "upright.mp4", stored_height=tiny.UPRIGHT[0])


def animation(folder: Path) -> None:
    """tiny.gif: twelve frames of tiny.mp4 at half its size, shown for unequal times."""
    numbers = range(0, 48, 4)
    frames = [picture for _, picture, _ in tiny_film().frames(numbers)]
    small = [
        Image.fromarray(cv2.cvtColor(cv2.resize(f, (160, 90), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB))
        for f in frames
    ]
    small = [picture.quantize(64, dither=Image.Dither.NONE) for picture in small]
    shown = [40 * (1 + i % 3) for i in range(len(small))]
    small[0].save(folder / "tiny.gif", save_all=True, append_images=small[1:], duration=shown, loop=0)


MAKERS: dict[str, Callable[[Path], None]] = {
    "traffic": lambda folder: make(traffic_film(), folder),
    "walk": lambda folder: make(walk_film(), folder),
    "tiny": lambda folder: make(tiny_film(), folder),
    "upright": rotated,
    "gif": animation,
    "street": lambda folder: stills.street(folder / "photos"),
    "sign": lambda folder: stills.sign(folder / "photos"),
    "page": lambda folder: stills.page(folder / "photos"),
    "parcel": lambda folder: stills.parcel(folder / "codes"),
    "odd": lambda folder: stills.odd(folder / "odd"),
}


def main(names: list[str]) -> None:
    """Makes what is named, all of it where nothing is."""
    for name in names or MAKERS:
        print(name)
        MAKERS[name](HERE)


if __name__ == "__main__":
    main(sys.argv[1:])
