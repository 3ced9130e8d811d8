"""What flows through a plan. Everything here is immutable and checked when it is made."""

from visionkit.data.detections import Detections, concatenate, plain
from visionkit.data.geometry import Canvas, Homography, PointMap, from_cv2, to_cv2
from visionkit.data.image import Annotated, Image, Reduced
from visionkit.data.masks import Masks, Region, SemanticMask
from visionkit.data.packet import ABSENT, Absent, Failure, Key, Packet
from visionkit.data.results import Field, Labels, Lines, Matte, Rows, Scores, TextLines
from visionkit.data.visible import visible_on

__all__ = [
    "ABSENT",
    "Absent",
    "Annotated",
    "Canvas",
    "Detections",
    "Failure",
    "Field",
    "Homography",
    "Image",
    "Key",
    "Labels",
    "Lines",
    "Masks",
    "Matte",
    "Packet",
    "PointMap",
    "Reduced",
    "Region",
    "Rows",
    "Scores",
    "SemanticMask",
    "TextLines",
    "concatenate",
    "from_cv2",
    "plain",
    "to_cv2",
    "visible_on",
]
