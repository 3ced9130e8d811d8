"""The JSON Schema of pipeline files, and the copy of it that editors read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from visionkit.pipeline.schema import pipeline_schema
from visionkit.stage.catalogue import sinks, stages

UPDATE = "visionkit schema -o visionkit.schema.json"


def test_the_committed_schema_is_up_to_date(root: Path) -> None:
    command = [sys.executable, "-m", "visionkit", "schema"]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    kept = (root / "visionkit.schema.json").read_text(encoding="utf-8")
    assert made == kept, f"run: {UPDATE}"


def test_every_name_and_parameter_is_in_it_with_a_description() -> None:
    schema = pipeline_schema()
    for kind, names in (("stage", [*stages().names(), "for_each", "use", "python"]), ("output", sinks().names())):
        found = schema["definitions"][kind]["else"]["properties"]
        assert list(found) == names
        for name, part in found.items():
            assert part["description"], name
            for key, value in part["properties"].items():
                if not name.startswith(("toy.", "look.")):
                    described = schema["definitions"][value["$ref"].split("/")[-1]] if "$ref" in value else value
                    assert described.get("description"), (name, key)


def test_it_is_draft_7() -> None:
    """Language servers read draft 7: no prefixItems, no $defs."""
    text = json.dumps(pipeline_schema())
    assert "prefixItems" not in text
    assert "$defs" not in text


def test_sizes_stay_bearable(root: Path) -> None:
    """An editor reads it for every pipeline file."""
    compact: Any = json.loads((root / "visionkit.schema.json").read_text(encoding="utf-8"))
    assert len(json.dumps(compact)) < 400_000
