"""Networks of our own: small, on a mobile backbone, built from the blocks of well-kept libraries.

Every builder is a plain function that returns an ``nn.Module`` with fresh weights; reading its body is reading
the architecture. torch is imported when a builder is called, not before.
"""

from __future__ import annotations

from visionkit.nets.detectors import faster_rcnn_mobilenet, ssdlite_mobilenet
from visionkit.nets.mobilenet import mobilenet_features
from visionkit.nets.unet import unet_mobilenet

__all__ = ["faster_rcnn_mobilenet", "mobilenet_features", "ssdlite_mobilenet", "unet_mobilenet"]
