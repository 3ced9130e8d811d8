"""The backbone all our vision networks share: MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.lazy import torchvision

if TYPE_CHECKING:
    from torch import nn

# Where in `features` the picture has shrunk to 1/8, 1/16 and 1/32, and how many channels it has there.
STRIDE_8, STRIDE_16, STRIDE_32 = 6, 13, 17
CHANNELS = {STRIDE_8: 32, STRIDE_16: 96, STRIDE_32: 320}


def mobilenet_features() -> nn.Sequential:
    """The 19 feature blocks of torchvision's MobileNetV2, without its classifier.

    Input B×3×H×W float32, normalised as ImageNet; block 18 returns B×1280×H/32×W/32.
    """
    features: nn.Sequential = torchvision.models.mobilenet_v2(weights=None).features
    return features
