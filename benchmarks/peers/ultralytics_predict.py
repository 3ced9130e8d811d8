"""``yolo predict save=True`` on a video, by Ultralytics itself: loaded and warmed before the clock starts.

Runs once for each line it reads; it knows nothing of visionkit.
"""

import json
import resource
import shutil
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any


def main(
    source: str,
    weights: str,
    out: str,
    conf: float,
    iou: float,
    device: str = "cpu",
    half: bool = False,
    save: bool = True,
) -> None:
    """Predict, save, print wall time, processor time and peak memory."""
    import cv2
    from ultralytics import YOLO

    model = YOLO(weights, task="detect")
    options = {"conf": conf, "iou": iou, "verbose": False, "project": out, "exist_ok": True, "device": device}
    options |= {"half": half} if half else {}
    model.predict(cv2.VideoCapture(source).read()[1], save=False, **options)
    for _ in sys.stdin:
        shutil.rmtree(out, ignore_errors=True)
        Path(out).mkdir(parents=True)
        once(model, source, out, options, save)


def once(model: Any, source: str, out: str, options: dict[str, Any], save: bool) -> None:
    """One run."""
    cpu, wall = process_time(), perf_counter()
    frames = sum(1 for _ in model.predict(source, save=save, stream=True, **options))
    took = [perf_counter() - wall, process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
    written = [path for path in Path(out).rglob("*") if path.suffix in {".avi", ".mp4"} and path.stat().st_size]
    if not frames or (save and not written):
        raise SystemExit("nothing was written")
    print("benchmark:" + json.dumps(took), flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
