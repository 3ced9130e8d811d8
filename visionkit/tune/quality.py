"""How well a detector does on pictures with labels: COCO's mean average precision."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import UsageError, WeightsError
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, load, np
from visionkit.media.sources.kinds import kind_by_name

if TYPE_CHECKING:
    from visionkit.backends import Model
    from visionkit.data import Detections, Image

LABELS = ("labels/boxes", "labels")
"""Where YOLO's labels are looked for: beside the folder of pictures, then inside it."""
LEAST_SCORE = 0.01
"""Average precision looks at the order of the scores, so even poor ones count."""


class Labelled(Frozen):
    """A picture's file and the boxes in it: (N, 5) class, then centre x, y, width, height as shares of its size."""

    path: Path
    boxes: Any

    def image(self) -> Image:
        """The picture.

        Raises:
            UsageError: it cannot be read.
        """
        from visionkit.data import Image

        pixels = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if pixels is None:
            raise UsageError(f"{self.path}: cannot be read as a picture")
        return Image(pixels)


def labelled(folder: Path, most: int) -> list[Labelled]:
    """At most ``most`` pictures of a folder, evenly spread, with YOLO's labels.

    Raises:
        UsageError: there are no pictures, or no labels beside them.
    """
    paths = sorted(path for path in folder.rglob("*") if kind_by_name(path.name) == "image")
    if not paths:
        raise UsageError(f"{folder}: there are no pictures in it")
    homes = [base / name for base in (folder.parent, folder) for name in LABELS]
    home = next((home for home in homes if any(home.glob("*.txt"))), None)
    if home is None:
        raise UsageError(
            f"{folder}: no labels beside the pictures, so the loss of precision cannot be measured",
            help="put YOLO's text files into a folder 'labels' beside it, one a picture",
        )
    chosen = [paths[i * len(paths) // min(most, len(paths))] for i in range(min(most, len(paths)))]
    return [Labelled(path, _boxes(home / f"{path.stem}.txt")) for path in chosen]


def _boxes(path: Path) -> Any:
    if not path.is_file():  # nothing is in the picture
        return np.zeros((0, 5))
    rows = [line.split()[:5] for line in path.read_text("utf-8").splitlines() if line.strip()]
    try:
        return np.array(rows, np.float64).reshape(-1, 5)
    except ValueError as error:
        raise UsageError(f"{path}: no boxes of YOLO: {error}") from error


def mean_precision(model: Model, pictures: Sequence[Labelled]) -> float:
    """COCO's mAP of a detector (0 to 1): the mean over classes and over IoU 0.5, 0.55, ... 0.95, by pycocotools."""
    images: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, (picture, detections, size) in enumerate(_detected(model, pictures), 1):
        images.append({"id": number})
        truth += _true_rows(number, picture, size, len(truth))
        found += _found_rows(number, detections)
    return _scored(images, truth, found, len(model.entry.classes))


class _Given(Frozen):
    """Gives a stage one network, whatever it asks for."""

    found: Model
    device: str = "cpu"

    def model(self, name: str, task: str, alone: bool = False) -> Model:
        return self.found

    def file(self, name: str, part: str | None = None) -> Path:
        raise WeightsError(f"{self.found.entry.name} wants {name}, and only networks of one file are compared")

    def release(self, model: Model) -> None:
        """Whoever gave it away looks after it."""


def _detected(model: Model, pictures: Sequence[Labelled]) -> Iterator[tuple[Labelled, Detections, tuple[int, int]]]:
    from visionkit.runtime.context import Context
    from visionkit.stages.detect.detect import Detect, DetectParams

    params = DetectParams.model_validate({"weights": model.entry.name, "min_score": LEAST_SCORE, "iou": 0.7})
    stage, context = Detect(params), Context("detect", _Given(model), 0, lambda _: None)
    stage.open(context)  # type: ignore[arg-type]  # a frozen one will do
    for picture in pictures:
        image = picture.image()
        yield picture, stage.run([image])[0], (image.width, image.height)


def _true_rows(number: int, picture: Labelled, size: tuple[int, int], known: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for class_id, x, y, width, height in picture.boxes:
        w, h = width * size[0], height * size[1]
        box = [x * size[0] - w / 2, y * size[1] - h / 2, w, h]
        place = {"id": known + len(rows) + 1, "image_id": number, "category_id": int(class_id) + 1}
        rows.append({**place, "bbox": box, "area": w * h, "iscrowd": 0})
    return rows


def _found_rows(number: int, found: Detections) -> list[dict[str, Any]]:
    rows = []
    for (x1, y1, x2, y2), score, class_id in zip(
        found.xyxy.tolist(), found.score.tolist(), found.class_id.tolist(), strict=True
    ):
        box = [x1, y1, x2 - x1, y2 - y1]
        rows.append({"image_id": number, "category_id": class_id + 1, "bbox": box, "score": score})
    return rows


def _scored(images: list[dict[str, Any]], truth: list[dict[str, Any]], found: list[dict[str, Any]], n: int) -> float:
    if not found:
        return 0.0
    coco, cocoeval = load("pycocotools.coco"), load("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports with print
        held = coco.COCO()
        held.dataset = {"images": images, "annotations": truth, "categories": [{"id": i + 1} for i in range(n)]}
        held.createIndex()
        scorer = cocoeval.COCOeval(held, held.loadRes(found), "bbox")
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    return float(scorer.stats[0])
