"""The networks that visionkit trained: on the whole held-out part, through the stages; and the worst seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.lab import ROOT, Finding, Lab
from visionkit.data import Image
from visionkit.lazy import load

REPORTS = ROOT / "benchmarks" / "results" / "training"
DETECTORS = {
    "faster_rcnn_mobilenet_bccd": ("load_bccd", "bccd", 0.8),
    "ssdlite_mobilenet_person": ("load_pennfudan", "pennfudan", 0.8),
}
"""Weights: reader, split, and the mAP50 that is asked for."""
SEGMENTERS = {
    "unet_mobilenet_membrane": ("load_membrane", "membrane", "f1", 0.9),
    "unet_mobilenet_person": ("load_pennfudan", "pennfudan", "iou", 0.75),
}


def findings(lab: Lab) -> Iterator[Finding]:
    """Of the bundled networks, and of all seeds there is a report of."""
    for weights, (reader, split, least) in DETECTORS.items():
        samples = held_out(lab.data, reader, split)
        with lab.stage("detect", weights=weights, min_score=0.01) as stage:
            scores = detector_scores(stage, samples)
        on = f"{len(samples)} held-out pictures of {split}"
        yield Finding("detect", f"`{weights}`: mAP50", scores.map50, least=least, on=on)
        yield from worst(weights, "map50", least)
    for weights, (reader, split, metric, least) in SEGMENTERS.items():
        samples = held_out(lab.data, reader, split)
        with lab.stage("segment", weights=weights) as stage:
            value = getattr(segmenter_scores(stage, samples), metric)
        on = f"{len(samples)} held-out pictures of {split}"
        yield Finding("segment", f"`{weights}`: {_shown(metric)}", value, least=least, on=on)
        yield from worst(weights, metric, least)


def held_out(data: Path, reader: str, split: str, count: int | None = None) -> list[Any]:
    """The test part of a data set, or its first ``count`` pictures."""
    samples = load("visionkit.train.samples")
    names = samples.read_split(ROOT / "weights" / "splits" / f"{split}.json", ["test"])
    return list(getattr(samples, reader)(data / split, names[:count]))


def detector_scores(stage: Any, samples: Sequence[Any]) -> Any:
    """Average precision of what the stage finds."""
    torch = load("torch")
    found = [stage.run([picture(sample)])[0] for sample in samples]
    rows = [
        {
            "boxes": torch.from_numpy(one.xyxy.copy()),
            "labels": torch.from_numpy(one.class_id.astype(np.int64) + 1),
            "scores": torch.from_numpy(one.score.copy()),
        }
        for one in found
    ]
    return load("visionkit.train.metrics").box_scores(rows, samples, found[0].class_names)


def segmenter_scores(stage: Any, samples: Sequence[Any]) -> Any:
    """Pixel scores of what the stage sees."""
    masks = [load("torch").from_numpy(stage.run([picture(sample)])[0].ids > 0) for sample in samples]
    return load("visionkit.train.metrics").pixel_scores(masks, [sample.mask > 0 for sample in samples])


def picture(sample: Any) -> Image:
    """A sample as stages take it."""
    return Image(np.ascontiguousarray(sample.image.permute(1, 2, 0).numpy()), "rgb")


def worst(weights: str, metric: str, least: float) -> Iterator[Finding]:
    """The lowest score among the trainings that left a report, each with a seed of its own."""
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(REPORTS.glob(f"{weights}-*.json"))]
    if reports:
        value = min(report["score"][metric] for report in reports)
        full = max(report["schedule"]["steps"] for report in reports)
        seeds = ", ".join(_seed(report, full) for report in reports)
        on = f"seed{'s' if len(reports) > 1 else ''} {seeds}, as training reported"
        task = "detect" if weights in DETECTORS else "segment"
        what = f"`{weights}`: {_shown(metric)}, worst of {len(reports)}"
        yield Finding(task, what, value, least=least, on=on)


def _seed(report: Mapping[str, Any], full: int) -> str:
    """A training's seed, and its steps where others took more."""
    steps = report["schedule"]["steps"]
    return str(report["seed"]) if steps == full else f"{report['seed']} (with {steps} of {full} steps)"


def _shown(metric: str) -> str:
    return {"map50": "mAP50", "f1": "pixel F1", "iou": "pixel IoU"}[metric]
