"""``classify.gradcam``: which parts of a picture speak for a class."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field as Parameter

from visionkit.backends import Fitted, Model, fit_batch, input_size
from visionkit.data import Field, Image
from visionkit.errors import VisionkitError, did_you_mean
from visionkit.lazy import cv2, np, torch
from visionkit.stage import BatchStage, StageContext, StageParams, WeightsName, wrong_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights import Catalogue


class GradCamParams(StageParams):
    weights: WeightsName = Parameter("mobilenet_v2", description="A classifier that torch runs, with convolutions.")
    class_name: str | None = Parameter(None, description="The class to look for; None: the best of each picture.")


class GradCam(BatchStage[GradCamParams]):
    """Heat where the picture speaks for a class, 0..1, after the last convolution of a classifier.

    Where the network cuts the middle out of a picture, the rest of the plane is 0.

    Grad-CAM: Visual Explanations from Deep Networks, Selvaraju et al., ICCV 2017, arXiv:1610.02391.

    Example:
        - classify.gradcam: {class_name: tabby}
        - draw.heatmap
    """

    def open(self, context: StageContext) -> None:
        self._model: Model = context.model(self.params.weights, task="classify")
        shared = getattr(self._model, "module", None)
        if shared is None:
            raise VisionkitError(
                f"classify.gradcam: {self.params.weights!r} is run by {self._model.backend}, which gives no gradients",
                help="take weights that torch runs, such as mobilenet_v2",
            )
        self._module = copy.deepcopy(shared)  # its hook must not be seen by others who run the same network
        layers = [part for part in self._module.modules() if isinstance(part, torch.nn.Conv2d)]
        if not layers:
            raise VisionkitError(f"classify.gradcam: {self.params.weights!r} has no convolutions")
        self._features: Any = None
        layers[-1].register_forward_hook(self._remember)
        self._wanted = _class_id(self.params.class_name, self._model.entry.classes)

    def bucket(self, image: Image) -> Hashable:
        return input_size(image.width, image.height, self._model.spec)

    def run(self, images: Sequence[Image]) -> Sequence[Field]:
        results: dict[int, Field] = {}
        for places, fitted, batch in fit_batch(images, self._model.spec, device=self._model.device):
            for row, plane in enumerate(self._heat(batch)):
                image = images[places[row]]
                results[places[row]] = Field(image.canvas, _on_picture(plane, fitted[row], image), "heat")
        return [results[place] for place in range(len(images))]

    def _heat(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Planes (N, h, w) in 0..1 at the resolution of the last convolution."""
        with torch.enable_grad():
            logits = self._module(self._model.pictures(batch))  # type: ignore[attr-defined]  # checked in open
            picked = logits.argmax(dim=1) if self._wanted is None else torch.full((len(batch),), self._wanted)
            score = logits.gather(1, picked.to(logits.device)[:, None]).sum()
            (gradient,) = torch.autograd.grad(score, self._features)
        weight = gradient.mean(dim=(2, 3), keepdim=True)
        heat = (weight * self._features.detach()).sum(dim=1).relu().float()
        peak = heat.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        return np.asarray((heat / peak).cpu().numpy(), np.float32)

    def _remember(self, _module: Any, _inputs: Any, output: Any) -> Any:
        """Hook: keep the features, and let gradients reach them."""
        self._features = output.detach().requires_grad_()
        return self._features

    @classmethod
    def check(cls, params: GradCamParams, weights: Catalogue) -> Sequence[tuple[str, str, str]]:
        if params.weights not in weights:
            return []
        entry = weights.get(params.weights)
        if wrong := wrong_task(weights, params.weights, "classify", "classifiers"):
            return wrong
        if params.class_name is None or params.class_name in entry.classes:
            return []
        message = f"{params.class_name!r} is not a class of {entry.name}"
        return [("class_name", message, did_you_mean(params.class_name, entry.classes))]


def _class_id(name: str | None, names: Sequence[str]) -> int | None:
    if name is None:
        return None
    if name not in names:
        raise VisionkitError(f"classify.gradcam: there is no class {name!r}", help=did_you_mean(name, names))
    return list(names).index(name)


def _on_picture(plane: NDArray[np.float32], fitted: Fitted, image: Image) -> NDArray[np.float32]:
    """A plane over the network's whole input → the picture's size, 0 where the network did not look."""
    rows, cols = fitted.pixels.shape[:2]
    step = np.array([plane.shape[1] / cols, plane.shape[0] / rows])
    scale = step / fitted.scale
    start = 0.5 * scale + np.array(fitted.offset) * step - 0.5
    matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (image.width, image.height)
    smooth = cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    seen = np.ones(fitted.inner[::-1], np.float32)
    left, top = np.minimum(np.array(fitted.offset), 0)  # the corner of a centre crop lies inside the picture
    where = np.array([[1 / fitted.scale[0], 0, left], [0, 1 / fitted.scale[1], top]])
    inside = cv2.warpAffine(seen, where, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(smooth * inside, np.float32)
