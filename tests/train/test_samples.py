"""Reading labelled pictures, and the split files that say which of them a network never saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visionkit.errors import DataError, SourceError
from visionkit.train.samples import load_bccd, load_membrane, load_pennfudan, read_split

READERS = {"bccd": load_bccd, "pennfudan": load_pennfudan, "membrane": load_membrane}


@pytest.mark.parametrize(
    ("name", "sizes"), [("bccd", (205, 87, 72)), ("pennfudan", (114, 21, 35)), ("membrane", (20, 4, 6))]
)
def test_the_parts_of_a_split_have_no_picture_in_common(root: Path, name: str, sizes: tuple[int, ...]) -> None:
    path = root / "weights" / "splits" / f"{name}.json"
    parts = [read_split(path, [part]) for part in ("train", "val", "test")]
    assert tuple(len(part) for part in parts) == sizes
    assert len(set().union(*parts)) == sum(sizes)


def test_parts_are_joined_in_order_and_a_wrong_one_is_named(split: Path) -> None:
    assert read_split(split, ["val", "train"]) == ["2", "0", "1"]
    with pytest.raises(DataError, match=r"no part 'how'[\s\S]*train, val, test"):
        read_split(split, ["how"])


def test_bccd_boxes_are_read_and_a_point_is_no_box(cells: Path) -> None:
    first, second = load_bccd(cells, ["0", "1"])
    assert first.image.shape == (3, 64, 80)
    assert first.boxes.tolist() == [[10, 12, 40, 42]]
    assert first.labels.tolist() == [2]
    assert second.boxes.tolist() == [[18, 12, 48, 42]]


def test_pennfudan_boxes_cover_the_pixels_of_each_person(tmp_path: Path) -> None:
    for folder in ("PNGImages", "PedMasks"):
        (tmp_path / folder).mkdir()
    mask = np.zeros((20, 30), np.uint8)
    mask[3:9, 2:5], mask[10, 29] = 1, 2
    Image.fromarray(mask).save(tmp_path / "PedMasks" / "a_mask.png")
    Image.fromarray(np.stack([mask * 7] * 3, 2)).save(tmp_path / "PNGImages" / "a.png")
    (sample,) = load_pennfudan(tmp_path, ["a"])
    assert sample.boxes.tolist() == [[2, 3, 5, 9], [29, 10, 30, 11]]
    assert sample.labels.tolist() == [1, 1]
    assert sample.mask is not None
    assert (sample.mask.numpy() == (mask > 0)).all()
    assert (sample.image[1].numpy() == mask * 7).all()


def test_a_missing_or_broken_picture_is_named(cells: Path) -> None:
    (cells / "JPEGImages" / "0.jpg").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"0\.jpg"):
        load_bccd(cells, ["0"])
    (cells / "JPEGImages" / "1.jpg").unlink()
    with pytest.raises(SourceError, match=r"1\.jpg"):
        load_bccd(cells, ["1"])


@pytest.mark.parametrize("name", READERS)
def test_every_name_of_the_real_splits_can_be_read(root: Path, shared_data: Path, name: str) -> None:
    split = json.loads((root / "weights" / "splits" / f"{name}.json").read_text())
    for part in ("train", "val", "test"):
        (sample,) = READERS[name](shared_data / name, split[part][-1:])
        assert sample.image.shape[0] == 3
        assert sample.mask is None or 0 < sample.mask.float().mean() < 1
        assert len(sample.boxes) == len(sample.labels)
        assert name == "membrane" or len(sample.boxes) > 0
