"""Where a picture's pixels lie in its source frame.

The convention everywhere: pixel (0, 0) covers the square [0, 1)², so its centre is (0.5, 0.5). OpenCV's
matrices speak of centres at whole numbers; :func:`from_cv2` and :func:`to_cv2` convert on the way in and out.
"""

from visionkit.data.geometry.boxes import box_corners, clip_boxes, hull, iou, pixel_indices
from visionkit.data.geometry.canvas import Canvas
from visionkit.data.geometry.lookup import looked_up, numeric_inverse
from visionkit.data.geometry.maps import Chain, Homography, Map, PointMap, from_cv2, to_cv2

__all__ = [
    "Canvas",
    "Chain",
    "Homography",
    "Map",
    "PointMap",
    "box_corners",
    "clip_boxes",
    "from_cv2",
    "hull",
    "iou",
    "looked_up",
    "numeric_inverse",
    "pixel_indices",
    "to_cv2",
]
