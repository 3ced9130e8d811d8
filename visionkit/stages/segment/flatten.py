"""``segment.flatten``: objects as one mask."""

from __future__ import annotations

from visionkit.data import Detections, Image, SemanticMask
from visionkit.data.geometry import pixel_indices
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class FlattenParams(StageParams):
    pass


class Flatten(MapStage[FlattenParams]):
    """Paints objects into one mask of the picture: their masks, or their outlines or boxes filled, the best on top.

    Class 0 is the background; the classes of the objects follow it.

    Example:
        - detect
        - segment.flatten
        - background.blur
    """

    def run(self, objects: Detections, image: Image) -> SemanticMask:
        here = objects.on(image.canvas)
        names = ("background", *here.class_names)
        ids = np.zeros((image.height, image.width), np.uint8 if len(names) <= 256 else np.int32)
        outlines = here.outlines()
        for row in np.argsort(here.score, kind="stable").tolist():
            value = int(here.class_id[row]) + 1
            if here.masks is not None:
                ids[here.masks.items[row].rasterised(image.canvas)] = value
            else:
                cv2.fillPoly(ids, [pixel_indices(outlines[row])], (value,))
        return SemanticMask(image.canvas, ids, names)
