"""Where lines of text are: reading the probability map of a DB network.

Real-time Scene Text Detection with Differentiable Binarization, Liao et al., AAAI 2020, arXiv:1911.08947. Thresholds as
PaddleOCR sets them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXEL, MEAN = 0.3, 0.5  # probabilities a pixel, and a line on average, must reach
GROWTH = 1.6  # the network marks the core of a line: how much it grows, in area / perimeter
MAX_LINES = 1000


def boxes_of(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rotated boxes (N, 4, 2) around the lines in a map (H, W), in its pixels, corners clockwise from the top left."""
    marked = cv2.dilate((probability > PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(marked, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    found = [box for contour in contours[:MAX_LINES] if (box := _box(contour, probability)) is not None]
    return np.stack(found) + 0.5 if found else np.zeros((0, 4, 2))


def reading_order(boxes: NDArray[np.float64]) -> list[int]:
    """Rows from top to bottom, each from left to right. Lines belong to a row if they share half of their height."""
    tops, bottoms = boxes[:, :, 1].min(axis=1), boxes[:, :, 1].max(axis=1)
    rows: list[list[int]] = []
    for i in np.argsort((tops + bottoms) / 2, kind="stable").tolist():
        last = rows[-1][-1] if rows else None
        if last is not None:
            shared = min(bottoms[i], bottoms[last]) - max(tops[i], tops[last])
            if shared > 0.5 * min(bottoms[i] - tops[i], bottoms[last] - tops[last]):
                rows[-1].append(i)
                continue
        rows.append([i])
    return [i for row in rows for i in sorted(row, key=lambda i: float(boxes[i, :, 0].min()))]


def cut_out(pixels: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The line in ``box`` (4, 2) of a picture, turned upright; text that runs downwards is laid on its side."""
    wide = max(1, int(max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[2] - box[3]))))
    high = max(1, int(max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2]))))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform((box - 0.5).astype(np.float32), target - np.float32(0.5))
    crop = cv2.warpPerspective(pixels, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(crop)) if high >= 1.5 * wide else np.asarray(crop)


def _box(contour: Any, probability: NDArray[np.float32]) -> NDArray[np.float64] | None:
    centre, (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < 3 or _mean(probability, cv2.boxPoints((centre, (width, height), angle))) < MEAN:
        return None
    grow = GROWTH * width * height / (width + height)  # on both sides together: twice area / perimeter
    if min(width, height) + grow < 5:
        return None
    return _clockwise(cv2.boxPoints((centre, (width + grow, height + grow), angle)))


def _mean(probability: NDArray[np.float32], box: Any) -> float:
    height, width = probability.shape
    x1, y1 = np.clip(np.floor(box.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    x2, y2 = np.clip(np.ceil(box.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    inside = np.zeros((y2 - y1 + 1, x2 - x1 + 1), np.uint8)
    cv2.fillPoly(inside, [(box - [x1, y1]).astype(np.int32)], (1,))
    return float(cv2.mean(probability[y1 : y2 + 1, x1 : x2 + 1], inside)[0])


def _clockwise(points: Any) -> NDArray[np.float64]:
    by_x = points[np.argsort(points[:, 0], kind="stable")].astype(np.float64)
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.stack([top_left, top_right, bottom_right, bottom_left])
