"""Every entry that ships: complete, consistent, and honest about its licence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from visionkit.resources import resource_dir
from visionkit.weights import Catalogue, Entry
from visionkit.weights.fetch import check_file

SHIPPED = Catalogue([resource_dir("weights")])
LOADERS = r"(cv2dnn|cv2dnn-tf|onnx|ultralytics|file|(torchvision|timm):\w+|(nets|keras-h5):\w+\.\w+)"
PERMISSIVE_DEFAULTS = ("mobilenet_v2_onnx", "ssd_mobilenet_v2", "mobilenet_v2", "pp-ocr", "u2netp", "hed", "styles26")


@pytest.fixture(params=SHIPPED.names())
def entry(request: pytest.FixtureRequest) -> Entry:
    return SHIPPED.get(request.param)


def test_is_complete(entry: Entry) -> None:
    assert re.fullmatch(LOADERS, entry.loader), entry.loader
    assert entry.origin.startswith("https://") or any(s.bundled for f in entry.files for s in f.sources)
    assert entry.copyleft == ("GPL" in entry.licence)
    if entry.task in ("detect", "classify"):
        assert entry.classes
        assert entry.preprocessing is not None
    if entry.preprocessing and entry.preprocessing.fit == "center-crop":
        assert entry.preprocessing.size
        assert entry.preprocessing.resize
    for quality in entry.quality:
        assert quality.value > 0
        assert quality.how


def test_files_have_an_official_hash_and_bundled_ones_match_it(entry: Entry) -> None:
    for spec in entry.files:
        assert spec.sha256 or spec.sources[0].url, "a hash of 8 digits is only good enough from its publisher"
        for source in spec.sources:
            assert not source.url or source.url.startswith("https://")
            if source.bundled:
                check_file(entry.folder / source.bundled, spec)


def test_torchvision_entries_say_what_torchvision_says(entry: Entry) -> None:
    if not entry.loader.startswith("torchvision:"):
        return
    models = pytest.importorskip("torchvision.models")
    published = models.get_model_weights(entry.loader.removeprefix("torchvision:"))
    [weights] = [one for one in published if one.url == entry.files[0].sources[0].url]
    categories = weights.meta["categories"]
    assert len(entry.classes) == len(categories)
    assert entry.classes[-1] == categories[-1]
    preset = weights.transforms()
    if entry.preprocessing and hasattr(preset, "mean"):
        assert list(entry.preprocessing.mean) == preset.mean
        assert list(entry.preprocessing.std) == preset.std
        assert [entry.preprocessing.resize] == preset.resize_size


@pytest.mark.parametrize("name", PERMISSIVE_DEFAULTS)
def test_the_default_of_every_task_is_permissive(name: str) -> None:
    assert not SHIPPED.get(name).copyleft


@pytest.mark.parametrize(("name", "length"), [("coco80", 80), ("coco91", 91), ("imagenet1k", 1000), ("voc21", 21)])
def test_class_lists_are_whole(name: str, length: int) -> None:
    lines = (resource_dir("weights") / "classes" / f"{name}.txt").read_text("utf-8").splitlines()
    assert len(lines) == length
    assert all(line == line.strip() != "" for line in lines)


def test_resources_are_found(root: Path) -> None:
    assert resource_dir("weights") == root / "weights"
