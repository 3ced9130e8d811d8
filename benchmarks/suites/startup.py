"""How long one waits: for help, for the check of a file, for the first detection.

Whole processes, from start to end, in turn. `yolo predict` is Ultralytics' own command in an environment of its own, on
the same picture with the same weights.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2

from benchmarks import inputs, peers
from benchmarks.child import ROOT, process
from benchmarks.suites import Settings
from benchmarks.suites.video import file_of
from benchmarks.table import Table
from benchmarks.timing import Sample, figure, ratio

BARE = """
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML
class Model(BaseModel):
    number: int
app = typer.Typer()
@app.command()
def command(text: str = "x"):
    Model(number=1); YAML(typ="rt", pure=True).compose("a: [1, 2]")
app(standalone_mode=False)
"""
"""pydantic, ruamel.yaml and typer load themselves lazily: importing the names alone would measure nothing."""
NAMES = "import pydantic, ruamel.yaml, typer"
YOLO = "stages:\n  - detect: {weights: yolo11n}\n  - draw.boxes\noutputs: [media]\nrun: {backend: BACKEND}\n"


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    out = settings.work / "startup"
    photo = out / "photo.png"
    out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(photo), inputs.scene(100, 1280, 720, inputs.backdrop(1280, 720)))
    found = settings.measured("startup", {**_own(photo, out), **_peers(photo, out, settings.work)})
    table.rounds = len(found["help"])
    _light(table, found)
    _first(table, found)
    names = ("python", "help", "validate", "first", "first own", "first openvino", "yolo", "ultralytics")
    for name in names:
        table.add(f"{LABELS[name]}: processor time", figure(found[name], "cpu", 1000), "ms")
    shutil.rmtree(out / "first", ignore_errors=True)


LABELS = {
    "python": "python -c pass",
    "help": "visionkit --help",
    "validate": "visionkit validate",
    "first": "visionkit run, SSD MobileNet v2, one picture",
    "first own": "visionkit run, yolo11n in torch, one picture",
    "first openvino": "visionkit run, yolo11n in OpenVINO, one picture",
    "yolo": "yolo predict, yolo11n, the same picture",
    "ultralytics": "import ultralytics",
}


def _own(photo: Path, out: Path) -> dict[str, Callable[[], Sample]]:
    python, visionkit = [sys.executable], [sys.executable, "-m", "visionkit"]
    pipeline = str(ROOT / "pipelines/detect.yaml")
    where = ["-o", str(out / "first"), "--overwrite", "--offline"]
    jobs: dict[str, Callable[[], Sample]] = {
        "python": partial(process, [*python, "-c", "pass"]),
        "bare": partial(process, [*python, "-c", BARE]),
        "names": partial(process, [*python, "-c", NAMES]),
        "help": partial(process, [*visionkit, "--help"]),
        "validate": partial(process, [*visionkit, "validate", pipeline]),
        "first": partial(process, [*visionkit, "run", pipeline, str(photo), *where]),
        "cv2": partial(process, [*python, "-c", serial_first(photo, out)]),
    }
    for backend in ("own", "openvino"):
        path = out / f"{backend}.yaml"
        path.write_text(YOLO.replace("BACKEND", backend), "utf-8")
        jobs[f"first {backend}"] = partial(process, [*visionkit, "run", str(path), str(photo), *where])
    return jobs


def _peers(photo: Path, out: Path, work: Path) -> dict[str, Callable[[], Sample]]:
    programs = peers.environment(work, "ultralytics")
    quiet = {**peers.QUIET, "YOLO_CONFIG_DIR": str(out / "yolo")}
    predict = ["predict", f"model={file_of('yolo11n')}", f"source={photo}", "save=True", f"project={out / 'yolo'}"]
    return {
        "yolo": partial(process, [str(programs / "yolo"), *predict, "exist_ok=True", "device=cpu"], quiet),
        "ultralytics": partial(process, [str(programs / "python"), "-c", "import ultralytics"], quiet),
        "import": partial(
            process, [str(programs / "python"), "-c", "from ultralytics import YOLO; import torch, torchvision"], quiet
        ),
    }


def _light(table: Table, found: dict[str, list[Sample]]) -> None:
    bare = "a bare interpreter that uses pydantic, ruamel.yaml and typer once"
    cpu = "processor time"
    table.add(f"visionkit --help over {bare}", ratio(found["help"], found["bare"], "cpu"), "×", note=cpu)
    over = ratio(found["validate"], found["bare"], "cpu")
    table.add("visionkit validate over that interpreter", over, "×", most=1.3, note=cpu)
    over = ratio(found["validate"], found["names"], "cpu")
    table.add("visionkit validate over one that imports their names alone", over, "×", note=cpu)
    over = ratio(found["help"], found["ultralytics"], "cpu")
    late = f"{cpu}; Ultralytics imports torch when first asked"
    table.add("visionkit --help over import ultralytics", over, "×", most=0.1, note=late)
    over = ratio(found["help"], found["import"], "cpu")
    table.add("visionkit --help over import of YOLO and torch", over, "×", most=0.1, note=cpu)


def _first(table: Table, found: dict[str, list[Sample]]) -> None:
    over = ratio(found["first"], found["cv2"], "cpu")
    table.add("first detection over twelve lines of cv2 with the same network", over, "×", note="SSD MobileNet v2")
    for backend, label in (("own", "torch"), ("openvino", "OpenVINO")):
        ours = found[f"first {backend}"]
        name = f"first detection of yolo11n in {label} over yolo predict"
        table.add(name, ratio(ours, found["yolo"]), "×", most=1.1, note="the whole process on the clock")
        table.add(f"{name}, processor time", ratio(ours, found["yolo"], "cpu"), "×", most=1.1)


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
