"""What half precision costs a detector: mAP on COCO128 beside fp32's, the same pictures through the same stage."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.accuracy.detection import AS_VALIDATED, scored, truth
from benchmarks.accuracy.lab import Finding, Lab
from visionkit.backends import ModelCache
from visionkit.backends.model import Settings
from visionkit.runtime.context import choose_device


def findings(lab: Lab) -> Iterator[Finding]:
    """Of YOLO11n, run by torch on the GPU where there is one."""
    device = choose_device("auto")
    whole = mean_precision(lab, Settings(device, "fp32"))
    on = f"COCO128; library: the same in fp32; on {'a GPU' if device != 'cpu' else 'the CPU'}"
    for name in ("fp16", "bf16"):
        ours = mean_precision(lab, Settings(device, name))
        yield Finding("detect", f"YOLO11n in {name}: mAP50-95", ours, library=whole, apart=0.002, on=on)


def mean_precision(lab: Lab, settings: Settings) -> float:
    """mAP50-95 of YOLO11n on COCO128 with these settings."""
    cache = ModelCache(lab.models.catalogue, lab.models.store, settings)
    with Lab(lab.data, cache).stage("detect", weights="yolo11n", **AS_VALIDATED) as stage:
        found = [stage.run([image])[0] for image in lab.photos]
    cache.close()
    truths = [truth(path, image) for path, image in zip(lab.photo_paths, lab.photos, strict=True)]
    return float(scored(found, truths).map)
