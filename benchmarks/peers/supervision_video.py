"""supervision's ``process_video`` around Ultralytics' call, as its documentation has it; loaded beforehand.

Runs once for each line it reads; it knows nothing of visionkit.
"""

import json
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any


def main(source: str, weights: str, out: str, conf: float, iou: float) -> None:
    """Detect, draw, write; print wall time, processor time and peak memory."""
    import cv2
    import supervision
    from ultralytics import YOLO

    model = YOLO(weights, task="detect")
    boxes, labels = supervision.BoxAnnotator(), supervision.LabelAnnotator()

    def frame(pixels: Any, _: int) -> Any:
        found = supervision.Detections.from_ultralytics(model(pixels, conf=conf, iou=iou, verbose=False)[0])
        return labels.annotate(boxes.annotate(pixels, found), found)

    frame(cv2.VideoCapture(source).read()[1], 0)
    for _ in sys.stdin:
        cpu, wall = process_time(), perf_counter()
        supervision.process_video(source, out, frame)
        took = [perf_counter() - wall, process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
        if not Path(out).stat().st_size:
            raise SystemExit("nothing was written")
        print("benchmark:" + json.dumps(took), flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
