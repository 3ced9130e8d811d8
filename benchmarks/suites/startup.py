"""How long one waits: for help, for the check of a file, for the first detection.

Whole processes, from start to end, in turn with a Python that only imports what it must be measured against.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2

from benchmarks import inputs
from benchmarks.child import ROOT, process
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Sample, figure, in_turn, ratio

BARE = "import pydantic, ruamel.yaml, typer"


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    python, visionkit = [sys.executable], [sys.executable, "-m", "visionkit"]
    pipeline, out = str(ROOT / "pipelines/detect.yaml"), settings.work / "startup"
    photo = out / "photo.png"
    out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(photo), inputs.scene(100, 1280, 720, inputs.backdrop(1280, 720)))
    first = [*visionkit, "run", pipeline, str(photo), "-o", str(out / "first"), "--overwrite"]
    jobs: dict[str, Callable[[], Sample]] = {
        "python": partial(process, [*python, "-c", "pass"]),
        "bare": partial(process, [*python, "-c", BARE]),
        "help": partial(process, [*visionkit, "--help"]),
        "validate": partial(process, [*visionkit, "validate", pipeline]),
        "first": partial(process, first),
        "cv2": partial(process, [*python, "-c", serial_first(photo, out)]),
    }
    if find_spec("ultralytics"):
        quiet = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "0", "YOLO_CONFIG_DIR": str(out / "yolo")}
        jobs["ultralytics"] = partial(process, [*python, "-c", "import ultralytics"], quiet)
        jobs["import"] = partial(
            process, [*python, "-c", "from ultralytics import YOLO; import torch, torchvision"], quiet
        )
    found = in_turn(jobs, settings.rounds)
    labels = {"help": "visionkit --help", "validate": "visionkit validate", "first": "first detection on a picture"}
    table.add(
        "visionkit --help over a bare interpreter that imports pydantic, ruamel.yaml, typer",
        ratio(found["help"], found["bare"], "cpu"),
        "×",
        note="processor time",
    )
    table.add(
        "visionkit validate over that interpreter",
        ratio(found["validate"], found["bare"], "cpu"),
        "×",
        most=1.3,
        note="processor time",
    )
    table.add(
        "first detection over twelve lines of cv2 with the same network",
        ratio(found["first"], found["cv2"], "cpu"),
        "×",
        note="processor time; SSD MobileNet v2",
    )
    if "ultralytics" in found:
        table.add(
            "visionkit --help over import ultralytics",
            ratio(found["help"], found["ultralytics"], "cpu"),
            "×",
            most=0.1,
            note="Ultralytics imports torch when first asked",
        )
        table.add(
            "visionkit --help over import of YOLO and torch",
            ratio(found["help"], found["import"], "cpu"),
            "×",
            most=0.1,
        )
        table.add(
            "first detection over that import alone",
            ratio(found["first"], found["import"], "cpu"),
            "×",
            most=1.1,
            note="a lower bound of what yolo predict takes",
        )
    for name, label in labels.items():
        table.add(f"{label}: processor time", figure(found[name], "cpu", 1000), "ms")
    table.add("python -c pass: processor time", figure(found["python"], "cpu", 1000), "ms")
    shutil.rmtree(out / "first", ignore_errors=True)


def serial_first(photo: Path, out: Path) -> str:
    """The code of a script that finds and draws with OpenCV alone."""
    from visionkit.weights import Catalogue, Store

    files = Store().pull(Catalogue.load().get("ssd_mobilenet_v2"))
    return f"""
import cv2
net = cv2.dnn.readNetFromTensorflow({str(files[0])!r}, {str(files[1])!r})
image = cv2.imread({str(photo)!r})
height, width = image.shape[:2]
net.setInput(cv2.dnn.blobFromImage(image, size=(300, 300), swapRB=True))
for _, kind, score, x1, y1, x2, y2 in net.forward()[0, 0]:
    if score > 0.4:
        box = [int(x1 * width), int(y1 * height)], [int(x2 * width), int(y2 * height)]
        cv2.rectangle(image, *box, (0, 255, 0), 2)
cv2.imwrite({str(out / "by_hand.png")!r}, image)
"""
