"""Tiny data sets, drawn by the tests, in the layout of the real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

VOC = """<annotation><object><name>WBC</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax>
</bndbox></object><object><name>RBC</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>
</object></annotation>"""


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Many small operations: a second thread only waits for the first, the more so on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Four 64×80 pictures with one white cell each, as BCCD; in the second object the box is a point."""
    root = tmp_path / "bccd"
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True)
    for number in range(4):
        picture = np.full((64, 80, 3), 40, np.uint8)
        x, y = 10 + 8 * number, 12
        picture[y : y + 30, x : x + 30] = 230
        Image.fromarray(picture).save(root / "JPEGImages" / f"{number}.jpg")
        (root / "Annotations" / f"{number}.xml").write_text(VOC.format(x, y, x + 30, y + 30))
    return root


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """A split file for four pictures."""
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"how": "drawn", "train": ["0", "1"], "val": ["2"], "test": ["3"]}))
    return path
