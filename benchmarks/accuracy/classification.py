"""Classification: logits against torchvision's own pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.backends import fit
from visionkit.data import Image
from visionkit.lazy import load


class ByHand:
    """MobileNet v2 as torchvision's documentation runs it: Pillow, its transforms, the network."""

    def __init__(self, models: Any) -> None:
        torchvision = load("torchvision")
        self.net = torchvision.models.mobilenet_v2().eval()
        self.net.load_state_dict(load("torch").load(models.file("mobilenet_v2"), weights_only=True))
        weights = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1
        self.names: list[str] = weights.meta["categories"]
        self._prepare = weights.transforms()

    def logits(self, image: Image) -> np.ndarray:
        """(1000,) float32."""
        picture = load("PIL.Image").fromarray(image.rgb())
        with load("torch").inference_mode():
            return np.asarray(self.net(self._prepare(picture)[None])[0])


def ours(model: Any, image: Image) -> np.ndarray:
    """The logits (1000,) of the network behind a stage, with our preparation."""
    return np.asarray(model.infer(fit(image, model.spec).pixels[None])[0][0])


def findings(lab: Lab) -> Iterator[Finding]:
    """Of MobileNet v2 on COCO128."""
    by_hand, model = ByHand(lab.models), lab.models.model("mobilenet_v2", "classify")
    pairs = [(ours(model, image), by_hand.logits(image)) for image in lab.photos]
    furthest = max(float(np.abs(a - b).max()) for a, b in pairs)
    other = sum(int(a.argmax() != b.argmax()) for a, b in pairs)
    on = "COCO128"
    what = "MobileNet v2: furthest a logit is from torchvision's own pipeline"
    yield Finding("classify", what, furthest, most=1e-3, on=on)
    yield Finding("classify", "MobileNet v2: photos with another best class", other, most=0, on=on)
