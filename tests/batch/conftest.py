"""Fixtures of the tests of runs on folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.batch.batches import PIPELINE, pictures


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures."""
    return pictures(tmp_path / "in", 12)
