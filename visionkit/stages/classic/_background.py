"""What both background models share: a mask from a subtractor that is made anew at every session."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import Probability, StageParams


class BackgroundParams(StageParams):
    history: int = Field(300, ge=1, le=100_000, description="Frames that the model looks back on.")
    shadows: Literal["drop", "mark", "keep"] = Field(
        "drop", description="A shadow is background (drop), grey 127 (mark), or moves like the thing itself (keep)."
    )
    learning: Probability | None = Field(None, description="How fast the model follows, 0 to 1. Left out: by history.")


class Background:
    """A subtractor of OpenCV with its count of frames."""

    def __init__(self, subtractor: Any, params: BackgroundParams) -> None:
        self._subtractor = subtractor
        self._subtractor.setDetectShadows(params.shadows != "keep")
        self._subtractor.setShadowValue(127 if params.shadows == "mark" else 0)
        self._rate = -1.0 if params.learning is None else params.learning
        self._frames = 0

    def mask(self, image: Image) -> Image:
        """White (255) where the picture moved; the first is all white, for nothing is known yet."""
        self._frames += 1
        cv2.setRNGSeed(self._frames)  # KNN draws from the thread's generator: equal runs, equal masks
        return image.replaced(self._subtractor.apply(image.native(), None, self._rate))
