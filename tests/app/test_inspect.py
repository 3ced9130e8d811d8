"""Commands that write one file, and look at things."""

from __future__ import annotations

from pathlib import Path

import pytest

from visionkit.app.inspect_commands import new, schema
from visionkit.errors import SinkError
from visionkit.pipeline.compile import compile_file
from visionkit.pipeline.plan import StageNode
from visionkit.resources import resource_dir
from visionkit.stage.params import file_fields

BUNDLED = sorted(path.stem for path in resource_dir("pipelines").glob("*.yaml"))


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_pipeline_works_wherever_it_is_copied_to(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "a folder" / "copy.yaml"
    copy.parent.mkdir()
    new(copy, like=name)
    plan = compile_file(copy)
    nodes = [node for node in plan.walk() if isinstance(node, StageNode)]
    files = [getattr(node.params, field) for node in nodes for field in file_fields(type(node.params))]
    assert all(file.is_file() for file in files if file is not None)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="there is no folder"):
        new(tmp_path / "nodir" / "a.yaml")
    with pytest.raises(SinkError, match="is a folder"):
        schema(tmp_path)
    with pytest.raises(SinkError, match="there is no folder"):
        schema(tmp_path / "nodir" / "x.json")
