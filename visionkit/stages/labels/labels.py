"""``labels``: the boxes, outlines and keypoints that a data set has for a picture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Detections, Image, Key
from visionkit.errors import UsageError
from visionkit.stage import GivenFile, MapStage, SourceInfo, StageContext, StageParams
from visionkit.stages.labels._formats import Coco, Format, Voc, Yolo
from visionkit.stages.labels._names import class_names, picture_name


class LabelsParams(StageParams):
    path: GivenFile = Field(description="COCO's JSON file, or the folder of YOLO's .txt or Pascal VOC's .xml files.")
    format: Literal["auto", "coco", "yolo", "voc"] = Field("auto", description="auto looks at what is there.")
    classes: tuple[str, ...] | None = Field(
        None, description="Names of YOLO's class numbers; left out, those of data.yaml in the folder or above it."
    )


class ReadLabels(MapStage[LabelsParams]):
    """Reads the labels of each picture from a data set, as the outputs ``coco``, ``yolo`` and ``voc`` write them.

    A picture is found by its path below the folder given to ``run``, or by its name; one without labels has no objects.
    Frames of a video are called ``walk_000012.txt`` and, in COCO's file, ``walk.mp4#12``.

    Raises:
        UsageError: there are no labels at the path, or YOLO's class names are missing.
        DataError: a file of labels is broken; names its line.

    Example:
        - labels: {path: dataset/labels}
    """

    def open(self, context: StageContext) -> None:
        self._format = self._opened()

    def run(self, image: Image, source: SourceInfo, key: Key) -> Detections:
        return self._format.read(picture_name(source, key.index, self._pattern), image.canvas.as_frame())

    @property
    def _pattern(self) -> Literal["coco", "files"]:
        return "coco" if isinstance(self._format, Coco) else "files"

    def _opened(self) -> Format:
        path, kind = self.params.path, self.params.format
        if path.is_file() and kind in ("auto", "coco"):
            return Coco.open(path)
        if path.is_dir() and kind in ("auto", "voc") and next(path.rglob("*.xml"), None):
            return Voc(path, self.params.classes or ())
        if path.is_dir() and kind in ("auto", "yolo") and next(path.rglob("*.txt"), None):
            return Yolo(path, self.params.classes or class_names(path))
        what = "labels" if kind == "auto" else f"labels of {kind}"
        raise UsageError(f"labels: {path} holds no {what}", help="give a .json file, or a folder of .txt or .xml files")
