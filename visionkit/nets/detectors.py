"""Two detectors on a MobileNetV2: one looks twice (Faster R-CNN), one once (SSDlite).

Both speak torchvision's protocol. In: a list of 3×H×W float32 RGB pictures in 0..1, of any size; they are
normalised and resized inside. Out, in eval mode: per picture a dict of ``boxes`` N×4 float32 xyxy in pixels of
that picture, ``labels`` N int64 (0 is the background and never returned) and ``scores`` N float32, best first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from visionkit.lazy import load, torch
from visionkit.nets.mobilenet import CHANNELS, STRIDE_8, STRIDE_16, STRIDE_32, mobilenet_features

if TYPE_CHECKING:
    from torch import nn


def faster_rcnn_mobilenet(
    classes: int, *, features: nn.Sequential | None = None, min_size: int = 480, max_size: int = 640
) -> nn.Module:
    """Faster R-CNN (Ren et al. 2015, arXiv:1506.01497) with a narrow feature pyramid, 4.1 million parameters.

    The pyramid starts at stride 8 rather than 4 and has 128 channels rather than 256, the box head 256 units
    rather than 1024: a tenth of torchvision's ResNet-50 version, and enough for objects of 30 pixels and more.

    Args:
        classes: number of classes, background not counted.
        features: MobileNetV2 blocks to build on, pretrained for instance; fresh ones if left out.
        min_size: the picture's short side is scaled to this many pixels ...
        max_size: ... unless its long side would exceed this.
    """
    detection = load("torchvision.models.detection")
    backbone = load("torchvision.models.detection.backbone_utils")
    faster_rcnn = load("torchvision.models.detection.faster_rcnn")
    ops = load("torchvision.ops")
    levels = (STRIDE_8, STRIDE_16, STRIDE_32)
    pyramid = backbone.BackboneWithFPN(
        features or mobilenet_features(),
        return_layers={str(block): str(level) for level, block in enumerate(levels)},
        in_channels_list=[CHANNELS[block] for block in levels],
        out_channels=128,
    )
    # One anchor size a level: the three above and the max-pooled one that BackboneWithFPN adds.
    anchors = detection.anchor_utils.AnchorGenerator(((32,), (64,), (128,), (256,)), ((0.5, 1.0, 2.0),) * 4)
    net: nn.Module = detection.FasterRCNN(
        pyramid,
        min_size=min_size,
        max_size=max_size,
        rpn_anchor_generator=anchors,
        box_roi_pool=ops.MultiScaleRoIAlign(featmap_names=["0", "1", "2"], output_size=7, sampling_ratio=2),
        box_head=faster_rcnn.TwoMLPHead(128 * 7 * 7, 256),
        box_predictor=faster_rcnn.FastRCNNPredictor(256, classes + 1),
        # A third or less of torchvision's proposals: the head is then no slower than the backbone on a CPU.
        rpn_pre_nms_top_n_test=500,
        rpn_post_nms_top_n_test=300,
        rpn_pre_nms_top_n_train=500,
        rpn_post_nms_top_n_train=300,
        box_batch_size_per_image=128,
        _skip_resize=True,  # in training only, where views come in the size they shall be seen at
    )
    return net


def ssdlite_mobilenet(classes: int, *, features: nn.Sequential | None = None, size: int = 320) -> nn.Module:
    """SSDlite (section 6.2 of the MobileNetV2 paper; SSD: Liu et al. 2016, arXiv:1512.02325), 3.1 million parameters.

    torchvision ships SSDlite on MobileNetV3 only; this is its code on MobileNetV2.

    Args:
        classes: number of classes, background not counted.
        features: MobileNetV2 blocks to build on, pretrained for instance; fresh ones if left out.
        size: every picture is stretched to size×size pixels.
    """
    ssd = load("torchvision.models.detection.ssd")
    ssdlite = load("torchvision.models.detection.ssdlite")
    norm = partial(torch.nn.BatchNorm2d, eps=0.001, momentum=0.03)
    blocks = features or mobilenet_features()
    # The extractor taps the expansion layer of the block that goes from stride 16 to 32. It knows the layers of
    # a MobileNetV3 block by the name `block`; in V2 they are called `conv`.
    tap = STRIDE_16 + 1
    blocks[tap].block = blocks[tap].conv
    extractor = ssdlite.SSDLiteFeatureExtractorMobileNet(blocks, tap, norm)
    anchors = ssd.DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    channels = [576, 1280, 512, 256, 256, 128]
    net: nn.Module = ssd.SSD(
        extractor,
        anchors,
        (size, size),
        num_classes=classes + 1,
        head=ssdlite.SSDLiteHead(channels, anchors.num_anchors_per_location(), classes + 1, norm),
        nms_thresh=0.5,
        detections_per_img=100,
        topk_candidates=300,
    )
    return net
