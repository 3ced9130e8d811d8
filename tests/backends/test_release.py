"""Networks are given back when the stages that took them are closed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.backends import ModelCache
from visionkit.errors import VisionkitError

TEXT = "stages:\n  - classify: {id: a}\n  - classify: {id: b, top_k: 1}\n"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    found: Counter[str] = Counter()
    for name in ("model", "release"):
        whole = getattr(ModelCache, name)

        def counted(self: ModelCache, *args: Any, _name: str = name, _whole: Any = whole) -> Any:
            found[_name] += 1
            return _whole(self, *args)

        monkeypatch.setattr(ModelCache, name, counted)
    return found


def test_as_many_as_were_taken(counts: Counter[str]) -> None:
    (result,) = Pipeline.from_text(TEXT).run(np.zeros((60, 80, 3), np.uint8))
    assert len(result["a"]) == 5
    assert counts["model"] == counts["release"] == 2


def test_also_where_the_next_stage_cannot_be_opened(counts: Counter[str], tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_text("no font")
    text = f"stages:\n  - classify\n  - draw.title: {{text: hello, font: '{tmp_path / 'broken.ttf'}'}}\n"
    with pytest.raises(VisionkitError):
        list(Pipeline.from_text(text).run(np.zeros((60, 80, 3), np.uint8)))
    assert counts["model"] == counts["release"] == 1
