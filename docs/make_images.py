"""Makes the README's pictures with the project's own pipelines: ``python docs/make_images.py`` from the checkout."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from visionkit import Pipeline
from visionkit.media.sources import SourceOptions

ROOT = Path(__file__).resolve().parent.parent
CELLS = (
    ("detect", "photos/street.jpg", 0),
    ("read_text", "photos/sign.jpg", 0),
    ("coins", "photos/coins.jpg", 0),
    ("privacy", "photos/street.jpg", 0),
    ("tiles", "photos/street.jpg", 0),
    ("motion", "walk.mp4", 120),
)
"""Pipeline, sample, and which frame of it."""
SIZE = (480, 300)


def cell(name: str, sample: str, index: int) -> np.ndarray:
    """One picture of the gallery, fitted into ``SIZE`` on white."""
    pipeline = Pipeline.load(ROOT / "pipelines" / f"{name}.yaml")
    *_, result = pipeline.run(str(ROOT / "samples" / sample), options=SourceOptions(limit=index + 1))
    return (
        Pipeline.from_text(f"stages:\n  - letterbox: {{width: {SIZE[0]}, height: {SIZE[1]}, color: white}}")
        .run(result.image.bgr())
        .__next__()
        .image.bgr()
    )


def main() -> None:
    """Writes docs/images/gallery.jpg."""
    cells = [cell(*c) for c in CELLS]
    rows = [np.hstack(cells[:3]), np.hstack(cells[3:])]
    cv2.imwrite(str(ROOT / "docs" / "images" / "gallery.jpg"), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
