"""``elastic``: a random smooth deformation."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from visionkit.data import Image
from visionkit.data.geometry import looked_up
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, StageContext, StageParams, derived_seed
from visionkit.stages.geometry._sampling import Resampling, Warping


class ElasticParams(StageParams):
    amplitude: float = Field(
        8.0, gt=0, le=256, description="How far pixels move at most, in pixels; less where it would fold the picture."
    )
    smoothness: float = Field(32.0, ge=2, le=1024, description="Distance in pixels over which the movement changes.")
    seed: int | None = Field(None, ge=0, description="Another number, another deformation. Left out: the run's seed.")
    color: Color = Field((0, 0, 0), description="Colour of what comes from outside the picture.")
    interpolation: Warping = Field("linear", description="How pixels between pixels are computed.")


class Elastic(MapStage[ElasticParams]):
    """Bends the picture like a rubber sheet, the same way for every picture of a size.

    Random displacements smoothed by a Gaussian: P. Simard, D. Steinkraus and J. Platt, Best Practices for Convolutional
    Neural Networks Applied to Visual Document Analysis, 2003. Results found on the bent picture are drawn on
    the frame where they belong.

    Example:
        - elastic: {amplitude: 8, smoothness: 32, seed: 1}
    """

    _resampling: Resampling | None = None

    def open(self, context: StageContext) -> None:
        self._run_seed = derived_seed(context.seed, context.stage_id, "", 0)

    def run(self, image: Image) -> Image:
        size = image.width, image.height
        if self._resampling is None or self._resampling.size != size:
            self._resampling = self._made(size)
        return self._resampling.apply(image, self.params.interpolation, self.params.color)

    def _made(self, size: tuple[int, int]) -> Resampling:
        p = self.params
        seed = p.seed if p.seed is not None else self._run_seed
        field = _displacements(size, p.amplitude, p.smoothness, seed)

        def bend(points: Any) -> Any:
            return points + looked_up(field, points)

        return Resampling(size, bend, lambda points: points)


def _displacements(size: tuple[int, int], amplitude: float, smoothness: float, seed: int) -> Any:
    """Smooth random movements (H, W, 2), the longest ``amplitude`` pixels, neighbours differing by 0.45 at most."""
    sigma = smoothness / 2
    shrink = max(1.0, sigma / 8)  # a field this smooth loses nothing when it is made small
    width, height = (math.ceil(side / shrink) for side in size)
    noise = np.random.default_rng(seed).uniform(-1, 1, (height, width, 2)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma / shrink).reshape(noise.shape)
    field = cv2.resize(blurred, size, interpolation=cv2.INTER_CUBIC).reshape(size[1], size[0], 2)
    field = field - field.mean(axis=(0, 1))
    longest = np.hypot(field[..., 0], field[..., 1]).max()
    steepest = max(np.abs(np.diff(field, axis=axis)).max(initial=0.0) for axis in (0, 1))
    return field / max(longest / amplitude, steepest / 0.45, 1e-9)
