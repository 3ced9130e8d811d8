"""``edges.laplacian``: second derivatives."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt, StageParams


class LaplacianParams(StageParams):
    size: Annotated[OddInt, Field(le=31)] = Field(3, description="Side of the kernel in pixels, odd.")
    gain: float = Field(1.0, gt=0, le=255, description="Factor on the result, for faint edges.")


class Laplacian(MapStage[LaplacianParams]):
    """Shows where the grey level bends: ``gain · |∂²x + ∂²y|``, cut to 0..255. Bright on both sides of an edge.

    It answers to noise as much as to edges: blur first.

    Example:
        - edges.laplacian: {size: 3}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        if image.device:
            gray, p = image.tensor(image.device, "gray"), self.params
            return image.placed(cuda_filters.laplacian(gray, p.size, p.gain))
        bend = cv2.Laplacian(image.gray(), cv2.CV_32F, ksize=self.params.size)
        return image.replaced(cv2.convertScaleAbs(bend, alpha=self.params.gain))
