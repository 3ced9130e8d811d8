"""``segment.slic``: superpixels."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import load, np
from visionkit.stage import MapStage, StageContext, StageParams
from visionkit.stages.classic._regions import objects, region


class SlicParams(StageParams):
    count: int = Field(100, ge=1, le=10_000, description="About how many regions.")
    compactness: float = Field(10.0, gt=0, description="High: like squares. Low: along edges.")
    sigma: float = Field(1.0, ge=0, le=32, description="Blur beforehand, in pixels.")
    name: str = Field("region", min_length=1, description="The class of what is found.")


class Slic(MapStage[SlicParams]):
    """Divides the picture into regions of like colour and size that follow its edges (superpixels).

    Every pixel belongs to one region; objects have a mask, the score is 1. R. Achanta et al., SLIC Superpixels
    Compared to State-of-the-Art Superpixel Methods, PAMI 2012, as scikit-image has it.

    Example:
        - segment.slic: {count: 100}
    """

    def open(self, context: StageContext) -> None:
        self._slic = load("skimage.segmentation").slic
        self._parts = load("skimage.measure").regionprops

    def run(self, image: Image) -> Detections:
        p = self.params
        labels = self._slic(
            np.ascontiguousarray(image.rgb()), p.count, p.compactness, sigma=p.sigma, start_label=1, channel_axis=-1
        )
        found = [region(image, part.bbox[1], part.bbox[0], part.image) for part in self._parts(labels)]
        return objects(image, found, p.name)
