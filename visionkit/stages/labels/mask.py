"""``labels.mask``: the class of every pixel, from a picture of numbers."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key, SemanticMask
from visionkit.errors import DataError, UsageError
from visionkit.lazy import cv2, np
from visionkit.stage import GivenFile, MapStage, SourceInfo, StageContext, StageParams
from visionkit.stages.labels._formats import beside
from visionkit.stages.labels._names import picture_name


class MaskParams(StageParams):
    path: GivenFile = Field(description="The folder of grey PNGs that are called like the pictures.")
    classes: tuple[str, ...] = Field(("background", "thing"), description="Names of the levels 0, 1, ...")
    threshold: bool = Field(False, description="Every level above 127 is class 1, as in masks of black and white.")


class ReadMask(MapStage[MaskParams]):
    """Reads the mask of each picture: grey level = number of the class, as the output ``masks`` writes them.

    Raises:
        UsageError: there is no such folder.
        DataError: a picture has no mask, or the mask has another size or an unknown class.

    Example:
        - labels.mask: {path: dataset/masks, classes: [background, cell]}
    """

    def open(self, context: StageContext) -> None:
        if not self.params.path.is_dir():
            raise UsageError(f"labels.mask: there is no folder {self.params.path}")

    def run(self, image: Image, source: SourceInfo, key: Key) -> SemanticMask:
        canvas = image.canvas.as_frame()
        path = beside(self.params.path, picture_name(source, key.index, "files"), ".png")
        raw = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
        levels = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) if raw.size else None
        if levels is None:
            raise DataError(f"labels.mask: {source.name} has no mask {path}")
        if levels.shape != (canvas.height, canvas.width):
            size = f"{levels.shape[1]}×{levels.shape[0]}"
            raise DataError(f"{path}: {size} pixels, but the picture has {canvas.width}×{canvas.height}")
        ids = (levels > 127).astype(np.uint8) if self.params.threshold else np.asarray(levels, np.uint8)
        return SemanticMask(canvas, ids, self.params.classes)
