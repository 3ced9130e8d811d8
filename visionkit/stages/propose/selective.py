"""``propose.selective``: regions where a thing may be, by selective search."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import cv2, load, np
from visionkit.stage import MapStage, Pixels, StageContext, StageParams
from visionkit.stages.propose._grouping import grouped, neighbours_of, regions_of


class SelectiveParams(StageParams):
    scale: float = Field(150.0, gt=0, description="Larger: fewer, larger regions to begin with.")
    sigma: float = Field(0.8, ge=0, le=32, description="Blur beforehand, in pixels.")
    min_size: int = Field(40, ge=1, description="Regions to begin with have at least so many pixels.")
    size: Pixels = Field(400, description="Longest side that is looked at; larger pictures are scaled there.")
    min_area: float = Field(0.002, ge=0, le=1, description="Drop boxes below this share of the picture.")
    top_k: int | None = Field(300, ge=1, description="Keep at most so many boxes, those joined last.")
    name: str = Field("region", min_length=1, description="The class of what is found.")


class Selective(MapStage[SelectiveParams]):
    """Proposes boxes where a thing may be, without knowing of any: the first half of R-CNN.

    Small regions of one colour are joined with the neighbour most like them in colour and texture, again and again;
    every region on the way is a proposal. The score is its place in the order of joining: 1 for the last.

    Selective Search for Object Recognition, J. Uijlings et al., IJCV 2013; the regions to begin with are those of
    P. Felzenszwalb and D. Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004, as scikit-image has it.

    Example:
        - propose.selective: {top_k: 100}
    """

    def open(self, context: StageContext) -> None:
        self._segment = load("skimage.segmentation").felzenszwalb

    def run(self, image: Image) -> Detections:
        p = self.params
        ratio = min(1.0, p.size / max(image.width, image.height))
        wide, high = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        small = np.asarray(cv2.resize(image.bgr(), (wide, high), interpolation=cv2.INTER_AREA))
        labels = self._segment(small[..., ::-1], scale=p.scale, sigma=p.sigma, min_size=p.min_size, channel_axis=-1)
        regions = regions_of(np.asarray(labels, np.int64), cv2.cvtColor(small, cv2.COLOR_BGR2LAB))
        found = grouped(regions, neighbours_of(labels), wide * high)
        boxes = np.array([region.box for region in reversed(found)], np.float64)
        first = np.sort(np.unique(boxes, axis=0, return_index=True)[1])
        area = (boxes[first, 2] - boxes[first, 0]) * (boxes[first, 3] - boxes[first, 1])
        kept = first[area >= p.min_area * wide * high][: p.top_k]
        return Detections(
            image.canvas,
            boxes[kept] * ([image.width / wide, image.height / high] * 2),
            1 - kept / len(boxes),
            np.zeros(len(kept), np.int32),
            (p.name,),
        )
