"""``style.gatys``: the style of any picture, by optimisation, as the first of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.backends import Model
from visionkit.data import Image
from visionkit.errors import VisionkitError
from visionkit.lazy import np, torch
from visionkit.stage import BatchStage, GivenFile, Pixels, StageContext, StageParams, WeightsName
from visionkit.stages.style._features import LEAST, Features, scaled
from visionkit.stages.style._pixels import finished, padded, shrunk, style_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue

TASKS = {"hed": "edges"}
"""Networks with VGG's features that are there for something else; all others are classifiers."""
SMOOTH = 1.0  # weight of differences between neighbours: less grain
REPORTS = 4


class GatysParams(StageParams):
    style: GivenFile = Field(description="The picture whose style is taken.")
    weights: WeightsName = Field("hed", description="Where VGG's features come from: hed, vgg16.")
    steps: int = Field(150, ge=1, le=5000, description="Steps of the optimisation; more is slower, and closer.")
    size: Pixels = Field(384, description="Longest side that is painted; larger pictures are scaled there.")
    style_weight: float = Field(1.0, gt=0, description="How much the style counts beside the content.")


class Gatys(BatchStage[GatysParams]):
    """Paints the picture in the style of another one by optimisation: slow, and without a network trained for it.

    Beginning with the picture itself, its pixels are changed step by step, until VGG sees the content of the one and
    the textures of the other. That takes minutes a picture on a CPU; ``style.arbitrary`` is the fast one.

    Image Style Transfer Using Convolutional Neural Networks, Gatys et al., CVPR 2016, arXiv:1508.06576.

    Raises:
        UsageError: the style cannot be read as a picture.

    Example:
        - style.gatys: {style: starry_night.jpg, steps: 200}
    """

    def open(self, context: StageContext) -> None:
        weights = self.params.weights
        self._report = context.report
        self._model: Model = context.model(weights, task=TASKS.get(weights, "classify"))
        if getattr(self._model, "module", None) is None:
            raise VisionkitError(f"style.gatys: {weights!r} is run by {self._model.backend}, which gives no gradients")
        self._features = Features(self._model)
        style = scaled(style_picture(self.params.style, "style.gatys"), self.params.size)
        with torch.no_grad():
            self._wanted = self._features(self._planes(style)).textures

    def run(self, images: Sequence[Image]) -> Sequence[Image]:
        return [self._painted(image) for image in images]

    def _painted(self, image: Image) -> Image:
        small = shrunk(image, self.params.size)
        planes = self._optimised(self._planes(padded(small, LEAST)))
        made = planes[0].permute(1, 2, 0).cpu().numpy()[: small.shape[0], : small.shape[1]]
        return finished(made, image, 1.0)

    def _optimised(self, start: Any) -> Any:
        """Planes (1, 3, H, W) in 0..1 after all steps."""
        with torch.no_grad():
            content = self._features(start).content
        planes = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([planes], lr=0.03)
        for step in range(1, self.params.steps + 1):
            optimiser.zero_grad()
            with torch.enable_grad():
                loss = self._loss(planes, content)
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                planes.clamp_(0, 1)
            if step * REPORTS % self.params.steps < REPORTS:
                self._report(f"style.gatys: step {step} of {self.params.steps}")
        return planes.detach()

    def _loss(self, planes: Any, content: Any) -> Any:
        """How far the picture is from the content of the one and the textures of the other."""
        seen = self._features(planes)
        pairs = zip(seen.textures, self._wanted, strict=True)
        style = sum(((a - b) ** 2).sum() / (b**2).sum() for a, b in pairs) / len(self._wanted)
        kept = ((seen.content - content) ** 2).sum() / (content**2).sum().clamp_min(1e-6)
        rough = (planes.diff(dim=2) ** 2).mean() + (planes.diff(dim=3) ** 2).mean()
        return kept + self.params.style_weight * style + SMOOTH * rough

    def _planes(self, pixels: NDArray[np.uint8]) -> Any:
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / 255
        return torch.from_numpy(planes).to(self._model.device)

    @classmethod
    def check(cls, params: GatysParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights:
            return []
        entry = weights.get(params.weights)
        if entry.name in TASKS or "vgg" in entry.architecture.lower():
            return []
        return [("weights", f"{params.weights!r} has no features of VGG", "hed and vgg16 do")]
