"""``background.replace``: the subject before a colour or another picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Image, Matte, SemanticMask
from visionkit.errors import UsageError
from visionkit.lazy import cv2, np
from visionkit.stage import Color, GivenFile, MapStage, StageContext, StageParams
from visionkit.stages.segment._alpha import alpha_of, composed

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BackgroundReplaceParams(StageParams):
    color: Color = Field("green", validate_default=True, description="The new background, where there is no picture.")
    picture: GivenFile | None = Field(None, description="A picture to put behind, scaled and cut to cover the frame.")


class BackgroundReplace(MapStage[BackgroundReplaceParams]):
    """Puts a colour or a picture behind what a matte or a mask calls foreground.

    Example:
        - matte
        - background.replace: {color: white}
    """

    hides = True

    def open(self, context: StageContext) -> None:
        self._behind: NDArray[np.uint8] | None = None
        if self.params.picture is not None:
            try:
                raw = np.fromfile(self.params.picture, np.uint8)
            except OSError as error:
                raise UsageError(f"background.replace: {self.params.picture} cannot be read: {error}") from error
            behind = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
            if behind is None:
                raise UsageError(f"background.replace: {self.params.picture} is no picture that can be read")
            self._behind = np.asarray(behind, np.uint8)

    def run(self, image: Image, mask: Matte | SemanticMask) -> Image:
        return image.replaced(composed(image.bgr(), self._background(image), alpha_of(mask, image)))

    def _background(self, image: Image) -> NDArray[np.uint8]:
        if self._behind is None:
            plain = np.empty((image.height, image.width, 3), np.uint8)
            cv2.rectangle(plain, (0, 0), (image.width, image.height), self.params.color[::-1], cv2.FILLED)
            return plain
        high, wide = self._behind.shape[:2]
        ratio = max(image.width / wide, image.height / high)
        size = max(image.width, round(wide * ratio)), max(image.height, round(high * ratio))
        scaled = cv2.resize(self._behind, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
        x, y = (size[0] - image.width) // 2, (size[1] - image.height) // 2
        return np.ascontiguousarray(scaled[y : y + image.height, x : x + image.width])
