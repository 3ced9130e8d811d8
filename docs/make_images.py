"""Makes the README's picture with the project's own pipelines: ``python docs/make_images.py`` from the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from visionkit import Pipeline
from visionkit.media.sources import SourceOptions

ROOT = Path(__file__).resolve().parent.parent
CELLS = (
    ("track", "walk.mp4", 125),
    ("plates", "traffic.mp4", 180),
    ("read_text", "photos/sign.jpg", 0),
    ("count", "walk.mp4", 103),
    ("faces", "photos/astronaut.jpg", 0),
    ("cutout", "photos/cat.jpg", 0),
    ("flow", "walk.mp4", 70),
    ("divide", "photos/coins.jpg", 0),
    ("edges", "photos/coffee.jpg", 0),
)
"""Pipeline, sample, and which frame of it."""
COLUMNS, GAP = 3, 6
FIT = "stages:\n  - resize: {width: 480, height: 300, fit: cover}\n  - crop: {width: 480, height: 300, y: 0}"


def cell(name: str, sample: str, index: int) -> Any:
    """One picture of the gallery (300, 480, 3)."""
    pipeline = Pipeline.load(ROOT / "pipelines" / f"{name}.yaml")
    *_, result = pipeline.run(ROOT / "samples" / sample, options=SourceOptions(limit=index + 1))
    (fitted,) = Pipeline.from_text(FIT).run(result.image.bgr())
    return cv2.copyMakeBorder(fitted.image.bgr(), 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def main() -> None:
    """Writes docs/images/gallery.jpg."""
    cells = [cell(*row) for row in CELLS]
    rows = [np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    picture = np.vstack(rows)[:-GAP, :-GAP]
    cv2.imwrite(str(ROOT / "docs" / "images" / "gallery.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
