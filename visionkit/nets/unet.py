"""U-Net on a MobileNetV2, from segmentation-models-pytorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import segmentation_models_pytorch as smp
from visionkit.nets.mobilenet import STRIDE_16

if TYPE_CHECKING:
    from torch import nn

DECODERS = {4: (128, 64, 32, 16), 5: (128, 64, 48, 32, 16)}


def unet_mobilenet(classes: int = 1, *, features: nn.Sequential | None = None, depth: int = 5) -> nn.Module:
    """U-Net (Ronneberger et al. 2015, arXiv:1505.04597) with a MobileNetV2 as its contracting path.

    In: B×3×H×W float32 RGB, normalised as ImageNet; H and W multiples of 2**depth. Out: B×classes×H×W logits.

    Args:
        classes: planes of the output. One plane and a sigmoid make a binary mask.
        features: MobileNetV2 blocks to build on, pretrained for instance; fresh ones if left out.
        depth: how often the picture is halved. 5 sees whole people (4.2 million parameters), 4 is enough for
            texture (1.0 million).
    """
    net = smp.Unet(
        "mobilenet_v2", encoder_depth=depth, encoder_weights=None, decoder_channels=DECODERS[depth], classes=classes
    )
    blocks: Any = features or net.encoder.features
    # Short of its full depth the library would still keep, and run, the blocks nobody reads.
    net.encoder.features = blocks if depth == 5 else blocks[: STRIDE_16 + 1]
    return net
