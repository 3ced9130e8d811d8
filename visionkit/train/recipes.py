"""The recipes behind ``weights/own``: data, network, augmentation and schedule, each by name."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from visionkit.frozen import Frozen
from visionkit.lazy import torch, torchvision
from visionkit.nets import faster_rcnn_mobilenet, mobilenet_features, ssdlite_mobilenet, unet_mobilenet
from visionkit.train.augment import Augmentation
from visionkit.train.detector import score_detector, train_detector
from visionkit.train.export import load_backbone, save_half
from visionkit.train.loop import Schedule
from visionkit.train.metrics import BoxScores, PixelScores
from visionkit.train.samples import BCCD_CLASSES, Sample, load_bccd, load_membrane, load_pennfudan, read_split
from visionkit.train.segmenter import score_segmenter, train_segmenter

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)


class Recipe(Frozen):
    """Everything that decides what a trained network will be, except the seed.

    Attributes:
        task: which trainer and which score.
        build: makes the network, on the MobileNetV2 blocks it is given.
        read: the reader of the data set.
        split: stem of the split file that belongs to it.
        classes: names of the classes.
        augmentation: how training views differ from the pictures.
        schedule: how long and how fast.
        licence: of the data.
        sees: height and width a segmenter is given whole pictures at; detectors know it themselves.
    """

    task: Literal["detector", "segmenter"]
    build: Callable[..., nn.Module]
    read: Callable[[Path, Sequence[str]], list[Sample]]
    split: str
    classes: tuple[str, ...]
    augmentation: Augmentation
    schedule: Schedule
    licence: str
    sees: tuple[int, int] = (0, 0)


RESEARCH = "trained on research-use data"
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "faster_rcnn_mobilenet_bccd": Recipe(
            "detector",
            partial(faster_rcnn_mobilenet, len(BCCD_CLASSES)),
            load_bccd,
            "bccd",
            BCCD_CLASSES,
            # The 640×480 pictures fit into the view at half their size: zoom 2 is the scale they are judged at.
            Augmentation((320, 320), zoom=(1.6, 2.8), quarter_turns=True),
            Schedule(700, 8, 5e-4),
            "data: MIT",
        ),
        "ssdlite_mobilenet_person": Recipe(
            "detector",
            partial(ssdlite_mobilenet, 1),
            load_pennfudan,
            "pennfudan",
            ("person",),
            Augmentation((320, 320), stretch=True, zoom=(0.6, 2.0), aspect=0.25),
            Schedule(900, 16),
            RESEARCH,
        ),
        "unet_mobilenet_membrane": Recipe(
            "segmenter",
            partial(unet_mobilenet, depth=4),
            load_membrane,
            "membrane",
            ("cell",),
            # Zoom 2 shows a quarter of the 512×512 slice at its own size.
            Augmentation((256, 256), zoom=(1.7, 2.6), quarter_turns=True, mirror=True, bend=4),
            Schedule(600, 4),
            RESEARCH,
            sees=(512, 512),
        ),
        "unet_mobilenet_person": Recipe(
            "segmenter",
            unet_mobilenet,
            load_pennfudan,
            "pennfudan",
            ("person",),
            Augmentation((256, 256), stretch=True, zoom=(0.7, 1.8), aspect=0.25, mirror=True),
            Schedule(600, 8),
            RESEARCH,
            sees=(256, 256),
        ),
    }
)


class Job(Frozen):
    """One run of a recipe: where things lie, and the seed.

    Attributes:
        data: top folder of the data set.
        split: the split file.
        fit: its parts to train on ...
        score: ... and to be judged on.
        backbone: torchvision's MobileNetV2 ImageNet file; None starts from nothing.
        out: folder for the weights and the scores.
        seed: of weights, order and augmentation.
        device: "cpu" or "cuda".
        steps: instead of the recipe's, for a quick try.
    """

    data: Path
    split: Path
    out: Path
    fit: tuple[str, ...] = ("train", "val")
    score: str = "test"
    backbone: Path | None = None
    seed: int = 0
    device: str = "cpu"
    steps: int | None = None


def run(name: str, job: Job) -> BoxScores | PixelScores:
    """Train recipe ``name``, write ``NAME-SEED.safetensors`` and ``NAME-SEED.json`` and return the scores.

    The last step's weights are saved, whatever their score: nothing is picked on the pictures it is judged on.
    On a CPU the same seed gives the same weights; CUDA adds up in no fixed order, there it is close.
    """
    recipe = RECIPES[name]
    torch.manual_seed(job.seed)
    features = mobilenet_features()
    net = recipe.build(features=load_backbone(features, job.backbone) if job.backbone else features)
    train = recipe.read(job.data, read_split(job.split, job.fit))
    held_out = recipe.read(job.data, read_split(job.split, [job.score]))
    schedule = Schedule(job.steps or recipe.schedule.steps, recipe.schedule.batch, recipe.schedule.rate)
    started = time.monotonic()
    trainer = train_detector if recipe.task == "detector" else train_segmenter
    losses = trainer(net, train, schedule, recipe.augmentation, seed=job.seed, device=job.device)
    seconds = time.monotonic() - started
    sha256 = save_half(net, job.out / f"{name}-{job.seed}.safetensors", recipe=name, licence=recipe.licence)
    scores: BoxScores | PixelScores
    if recipe.task == "detector":
        scores = score_detector(net, held_out, recipe.classes, device=job.device)
    else:
        scores = score_segmenter(net, held_out, recipe.sees, device=job.device)
    report = {
        "recipe": name,
        "seed": job.seed,
        "fit": {"parts": job.fit, "pictures": len(train)},
        "score": {"part": job.score, "pictures": len(held_out), **asdict(scores)},
        "schedule": asdict(schedule),
        "losses": [round(value, 4) for value in losses],
        "seconds": round(seconds),
        "sha256": sha256,
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
    }
    (job.out / f"{name}-{job.seed}.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    log.info("%s seed %d: %s", name, job.seed, scores)
    return scores
