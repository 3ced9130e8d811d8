"""How the libraries themselves feed the networks they build: what an import need not be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor
from types import MappingProxyType
from typing import Any

from visionkit.errors import UsageError, did_you_mean
from visionkit.lazy import load, torchvision

Fields = dict[str, Any]
"""Some of the fields of an entry, as its YAML file has them."""

INTERPOLATIONS = MappingProxyType({"bilinear": "linear", "bicubic": "cubic"})
IMAGENET = MappingProxyType({"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})
OTHERWISE = ("inception", "xception", "dpn", "timm-tf_")  # encoders of smp that were not trained with those numbers
SHARED_LISTS = MappingProxyType({1000: "imagenet1k", 91: "coco91", 21: "voc21"})
"""Class lists of the catalogue, by how many names they have."""
SMP_STRIDE = 32


def convention(loader: str, build: Mapping[str, Any]) -> Fields:
    """``preprocessing`` and, where it is known, ``classes`` of the network that ``loader`` builds with ``build``.

    Empty where its library does not say. Nothing is downloaded.

    Raises:
        UsageError: the library has no such network.
        MissingExtraError: the library is not installed.
    """
    library, _, name = loader.partition(":")
    return LIBRARIES[library](name, build) if library in LIBRARIES else {}


def _torchvision(name: str, _build: Mapping[str, Any]) -> Fields:
    known = torchvision.models.list_models()
    if name not in known:
        raise UsageError(f"torchvision has no network {name!r}", help=did_you_mean(name, known))
    weights = torchvision.models.get_model_weights(name).DEFAULT
    prepare = weights.transforms()
    spec = TRANSFORMS.get(type(prepare).__name__)
    return {"preprocessing": spec(prepare), "classes": _names(weights.meta["categories"])} if spec else {}


def _names(names: Sequence[str]) -> str | list[str]:
    return SHARED_LISTS.get(len(names)) or list(names)


def _classifier(prepare: Any) -> Fields:
    (side,), (resize,) = prepare.crop_size, prepare.resize_size
    return {"size": [side, side], "fit": "center-crop", "resize": resize, **_pixels(prepare)}


def _segmenter(prepare: Any) -> Fields:
    (resize,) = prepare.resize_size
    return {"resize": resize, **_pixels(prepare)}


def _detector(_prepare: Any) -> Fields:
    return {"fit": "none", "color": "rgb"}  # it resizes and normalises by itself


def _pixels(prepare: Any) -> Fields:
    """What torchvision's transforms say of colours and resampling."""
    return {
        "color": "rgb",
        "mean": list(prepare.mean),
        "std": list(prepare.std),
        "interpolation": INTERPOLATIONS[prepare.interpolation.value],
        "antialias": bool(prepare.antialias),
    }


TRANSFORMS: Mapping[str, Callable[[Any], Fields]] = MappingProxyType(
    {"ImageClassification": _classifier, "SemanticSegmentation": _segmenter, "ObjectDetection": _detector}
)
"""What torchvision's own transforms for a network say, as preprocessing."""


def _timm(name: str, build: Mapping[str, Any]) -> Fields:
    """A square that is cut out as ``crop_pct`` says, or, with ``crop_mode: squash``, the whole picture."""
    timm = load("timm")
    if not timm.is_model(name):
        raise UsageError(f"timm has no network {name!r}", help=did_you_mean(name, timm.list_models()))
    pretrained = timm.get_pretrained_cfg(name)
    own = {"img_size": build["img_size"]} if isinstance(build.get("img_size"), int) else {}
    config = timm.data.resolve_data_config(own, pretrained_cfg=pretrained.to_dict())
    _, height, width = config["input_size"]
    fit: Fields = {"size": [height, width]}
    if config["crop_mode"] == "center" and height == width:
        fit |= {"fit": "center-crop", "resize": floor(height / config["crop_pct"])}
    elif config["crop_mode"] != "squash" or config["crop_pct"] != 1:
        return {}
    if config["interpolation"] not in INTERPOLATIONS:
        return {}
    fit |= {"interpolation": INTERPOLATIONS[config["interpolation"]], "antialias": True, "color": "rgb"}
    fit |= {"mean": list(config["mean"]), "std": list(config["std"])}
    return {"preprocessing": fit, "classes": _names([str(number) for number in range(pretrained.num_classes)])}


def _smp(name: str, build: Mapping[str, Any]) -> Fields:
    """Any size that is a multiple of the stride; colours as the encoder was trained with.

    ``get_preprocessing_params`` looks those up on the network, except for timm's encoders.
    """
    made = getattr(load("segmentation_models_pytorch"), name, None)
    if not isinstance(made, type):
        raise UsageError(f"segmentation-models-pytorch has no architecture {name!r}")
    encoders = load("segmentation_models_pytorch.encoders")
    usual = load("inspect").signature(made).parameters["encoder_name"].default
    encoder = str(build.get("encoder_name", usual))
    spec: Fields = {"fit": "letterbox", "stride": SMP_STRIDE, "pad_value": 0, "color": "rgb"}
    if encoder.startswith("tu-"):
        try:
            said = encoders.get_preprocessing_params(encoder)
        except (ValueError, RuntimeError):  # it has no pretrained weights
            return {}
        return {"preprocessing": {**spec, "mean": said["mean"], "std": said["std"]}}
    if encoder not in encoders.encoders:
        help_ = did_you_mean(encoder, encoders.encoders)
        raise UsageError(f"segmentation-models-pytorch has no encoder {encoder!r}", help=help_)
    return {} if encoder.startswith(OTHERWISE) else {"preprocessing": {**spec, **IMAGENET}}


LIBRARIES = MappingProxyType({"torchvision": _torchvision, "timm": _timm, "smp": _smp})
