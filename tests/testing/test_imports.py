"""A stage's module must not import heavy packages at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from visionkit.testing import heavy_imports


def test_a_plugin_that_imports_numpy_at_once_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hasty_plugin.py").write_text("import numpy as np\n")
    (tmp_path / "patient_plugin.py").write_text("from visionkit.lazy import cv2, np\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert heavy_imports(["patient_plugin", "hasty_plugin"]) == {"hasty_plugin": ["numpy"]}
