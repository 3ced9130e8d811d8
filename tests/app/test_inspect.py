"""Commands that write one file, and look at things."""

from __future__ import annotations

from pathlib import Path

import pytest

from visionkit import Pipeline
from visionkit.app.inspect_commands import new, schema, stages
from visionkit.app.run_commands import find_pipeline
from visionkit.errors import SinkError, UsageError
from visionkit.pipeline.compile import compile_file
from visionkit.pipeline.plan import StageNode
from visionkit.resources import resource_dir
from visionkit.stage.catalogue import sinks
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


@pytest.mark.parametrize("name", [*sinks().names(), "for_each", "use", "python", "detect"])
def test_whatever_a_file_may_name_can_be_looked_up(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    stages(name)
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ")
    assert "\nparameters\n" in said or "\nkeys\n" in said


def test_help_of_a_stage_has_the_ranges_of_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    stages("detect")
    said = capsys.readouterr().out
    assert "min_score: number from 0 to 1 (default" in said


def test_a_name_that_nothing_has_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="no stage and no output 'jsonll'") as caught:
        stages("jsonll")
    assert caught.value.help == "did you mean 'jsonl'?"


def test_what_is_no_pipeline_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "street.yaml").write_text("stages: [detect]")
    with pytest.raises(UsageError, match="is a folder"):
        find_pipeline(str(tmp_path))
    with pytest.raises(UsageError, match="no such file") as caught:
        find_pipeline(str(tmp_path / "steet.yaml"))
    assert caught.value.help == "did you mean 'street.yaml'?"
    with pytest.raises(UsageError, match="no such file"):
        find_pipeline("nowhere/coins.yaml")
    assert find_pipeline("coins").name == "coins.yaml"
    assert [node.id for node in Pipeline.load("coins").plan.walk()] == [
        node.id for node in Pipeline.load(find_pipeline("coins.yaml")).plan.walk()
    ]
