"""Listing inputs and naming outputs loads no codec."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import visionkit.media.sources, visionkit.media.sinks, visionkit.media.redact
from visionkit.stage.catalogue import sinks
assert {"csv", "errors", "jsonl", "media"} <= set(sinks().names()), sinks().names()
for name in ("csv", "errors", "jsonl", "media"):
    sinks().get(name).Params.model_json_schema()
visionkit.media.sources.open_sources([0, __file__ if "__file__" in globals() else sys.executable])
heavy = {"numpy", "cv2", "av", "PIL", "torch", "pandas"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_nothing_heavy_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
