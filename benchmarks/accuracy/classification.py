"""Classification: logits against torchvision's own pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.backends import Settings, fit, load_model
from visionkit.data import Image
from visionkit.lazy import load
from visionkit.weights import Entry

CHEAP = ("alexnet", "resnet18", "efficientnet_b0")
"""Networks whose weights no package carries: measured with weights by chance."""


class ByHand:
    """A network as torchvision's documentation runs it: Pillow, its transforms, the network.

    MobileNet v2 with the weights of the store; any other with weights by chance, from a fixed seed.
    """

    def __init__(self, models: Any, name: str = "mobilenet_v2") -> None:
        torch, torchvision = load("torch"), load("torchvision")
        torch.manual_seed(0)
        self.net = torchvision.models.get_model(name, weights=None).eval()
        if name == "mobilenet_v2":
            self.net.load_state_dict(torch.load(models.file(name), weights_only=True))
        elif name.startswith("vit_"):  # a fresh one's last layer is nothing but zeros
            torch.nn.init.normal_(self.net.heads.head.weight, std=0.02)
        weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
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


def model_of(entry: Entry, by_hand: ByHand) -> Any:
    """The network of ``by_hand`` as our backend runs it, fed as the catalogue's entry says."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        load("safetensors.torch").save_file(by_hand.net.state_dict(), path)
        return load_model(entry, (path,), Settings(backend="own"))


def apart(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> float:
    """The furthest a logit is from the wanted one, as a share of how much logits differ from photo to photo.

    A network with weights by chance says nearly the same of every photo, so the difference alone would say little.
    """
    return float(np.abs(np.array(found) - wanted).max() / np.std(wanted, axis=0).mean())


def findings(lab: Lab) -> Iterator[Finding]:
    """Of MobileNet v2 on COCO128, and of three networks with weights by chance."""
    by_hand, model = ByHand(lab.models), lab.models.model("mobilenet_v2", "classify")
    pairs = [(ours(model, image), by_hand.logits(image)) for image in lab.photos]
    furthest = max(float(np.abs(a - b).max()) for a, b in pairs)
    other = sum(int(a.argmax() != b.argmax()) for a, b in pairs)
    on = "COCO128"
    what = "MobileNet v2: furthest a logit is from torchvision's own pipeline"
    yield Finding("classify", what, furthest, most=1e-3, on=on)
    yield Finding("classify", "MobileNet v2: photos with another best class", other, most=0, on=on)
    for name in CHEAP:
        by_hand = ByHand(lab.models, name)
        model = model_of(lab.models.catalogue.get(name), by_hand)
        photos = lab.photos[:8]
        furthest = apart([ours(model, image) for image in photos], [by_hand.logits(image) for image in photos])
        what = f"{name}: furthest a logit is from torchvision's own pipeline, as a share of their spread over photos"
        yield Finding("classify", what, furthest, most=0.01, on=f"{len(photos)} photos of COCO128, weights by chance")
