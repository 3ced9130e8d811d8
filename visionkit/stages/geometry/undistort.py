"""``undistort``: straighten what a lens has bent."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, Pixels, Probability, StageParams
from visionkit.stages.geometry._sampling import Resampling, Warping


class UndistortParams(StageParams):
    camera: tuple[float, float, float, float] = Field(
        description="Focal lengths fx, fy and principal point cx, cy in pixels, as cv2.calibrateCamera gives them."
    )
    distortion: tuple[float, ...] = Field(description="Coefficients k1, k2, p1, p2[, k3[, k4, k5, k6[, s1…s4]]].")
    calibrated: tuple[Pixels, Pixels] | None = Field(
        None, description="Width, height of the pictures the camera was calibrated with, where they differ from these."
    )
    keep: Probability | None = Field(
        None, description="0 shows valid pixels alone, 1 shows all pixels there were. Left out: the focal length stays."
    )
    color: Color = Field((0, 0, 0), description="Colour of what the lens did not see.")
    interpolation: Warping = Field("linear", description="How pixels between pixels are computed.")

    @field_validator("distortion")
    @classmethod
    def _known_model(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) not in (4, 5, 8, 12):
            raise ValueError(f"must be 4, 5, 8 or 12 coefficients, got {len(value)}")
        return value

    @field_validator("camera")
    @classmethod
    def _focal_length(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value[0] <= 0 or value[1] <= 0:
            raise ValueError(f"focal lengths are above 0, got {value[0]:g} and {value[1]:g}")
        return value


class Undistort(MapStage[UndistortParams]):
    """Takes out a lens' distortion, by a calibrated camera matrix and coefficients.

    The model is Brown's (D. Brown, Close-Range Camera Calibration, 1971) as OpenCV writes it. Results found on the
    straight picture are bent back when they are drawn on the frame.

    Example:
        - undistort: {camera: [520, 520, 320, 240], distortion: [-0.28, 0.07, 0, 0]}
    """

    _resampling: Resampling | None = None

    def run(self, image: Image) -> Image:
        size = image.width, image.height
        if self._resampling is None or self._resampling.size != size:
            self._resampling = self._made(size)
        return self._resampling.apply(image, self.params.interpolation, self.params.color)

    def _made(self, size: tuple[int, int]) -> Resampling:
        p = self.params
        width, height = p.calibrated or size
        fx, fy, cx, cy = p.camera
        sx, sy = size[0] / width, size[1] / height
        # cv2 counts from the middle of the first pixel: 0.5 is added before scaling and taken off after it.
        matrix = np.array([[fx * sx, 0, (cx + 0.5) * sx - 0.5], [0, fy * sy, (cy + 0.5) * sy - 0.5], [0, 0, 1]])
        coefficients = np.array(p.distortion, np.float64)
        new = matrix
        if p.keep is not None:
            new = cv2.getOptimalNewCameraMatrix(matrix, coefficients, size, p.keep)[0]

        def bend(points: Any) -> Any:
            rays = (points - 0.5 - new[:2, 2]) / new.diagonal()[:2]
            rays = np.column_stack([rays, np.ones(len(rays))])
            if not len(rays):
                return points
            return cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix, coefficients)[0].reshape(-1, 2) + 0.5

        def guess(points: Any) -> Any:
            rays = (points - 0.5 - matrix[:2, 2]) / matrix.diagonal()[:2]
            return rays * new.diagonal()[:2] + new[:2, 2] + 0.5

        return Resampling(size, bend, guess)
