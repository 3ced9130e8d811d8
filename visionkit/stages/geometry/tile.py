"""``tile``: a grid of overlapping tiles."""

from __future__ import annotations

import math

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import np
from visionkit.stage import MapStage, Pixels, StageParams


class TileParams(StageParams):
    width: Pixels = Field(640, description="Width of a tile in pixels.")
    height: Pixels = Field(640, description="Height of a tile in pixels.")
    overlap: float = Field(0.2, ge=0, le=0.9, description="Share of a tile that neighbours have in common, at least.")


class Tile(MapStage[TileParams]):
    """Covers the picture with a grid of tiles of one size, as objects of class ``tile`` for ``for_each``.

    So small things in large pictures are found at full resolution. Tiles are spread evenly, so neighbours may overlap
    more than asked; a picture smaller than a tile is one tile. (F. Akyon et al., Slicing Aided Hyper Inference, 2022.)

    Example:
        - tile: {width: 640, height: 640, overlap: 0.2}
    """

    def run(self, image: Image) -> Detections:
        p = self.params
        along = _starts(image.width, p.width, p.overlap)
        down = _starts(image.height, p.height, p.overlap)
        width, height = min(p.width, image.width), min(p.height, image.height)
        boxes = np.array([[x, y, x + width, y + height] for y in down for x in along], np.float32)
        return Detections(
            image.canvas, boxes, np.ones(len(boxes), np.float32), np.zeros(len(boxes), np.int32), ("tile",)
        )


def _starts(side: int, tile: int, overlap: float) -> list[int]:
    """Where the tiles along a side begin: as few as will do, first at 0, last at the end."""
    if tile >= side:
        return [0]
    count = math.ceil((side - tile) / (tile * (1 - overlap))) + 1
    return [round(i * (side - tile) / (count - 1)) for i in range(count)]
