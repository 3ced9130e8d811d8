"""``visionkit explain``: types, workers, batch sizes, cadence and D, and why a wire is as it is."""

from __future__ import annotations

from pathlib import Path

from tests.app.test_run import visionkit

ROOT = Path(__file__).resolve().parents[2]
PLATES = ROOT / "pipelines/plates.yaml"


def explain(*arguments: object) -> str:
    result = visionkit("explain", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(text: str) -> dict[str, str]:
    """Lines of the table by the id they start with."""
    return {line.split()[0]: line for line in text.splitlines() if line.strip()}


def test_each_stage_has_its_worker() -> None:
    found = rows(explain(PLATES))
    assert "worker 1" in found["contours"]
    assert "in parallel" in found["contours"]
    assert "worker 2: in order" in found["tracks"]
    assert "workers 3 and 5: gate, fold" in found["read"]
    assert "objects + number" in found["read"]
    assert "worker 4: one by one" in found["reading"]  # inside for_each, counted on
    assert "worker 7" in found["draw_boxes"]


def test_batches_of_the_run_section_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("run: {batch: 8, workers: 3}\nstages:\n  - filter.gamma\n  - detect\n")
    found = rows(explain(path))
    assert "worker 2: batches up to 8" in found["detect"]
    assert "worker 1: 3 in parallel" in found["filter_gamma"]
    path.write_text("run: {batch: 1, workers: 3}\nstages:\n  - detect\n")
    assert "up to 3 at a time" in rows(explain(path))["detect"]


def test_cadence_and_lag() -> None:
    text = explain(PLATES)
    assert "read: every 5 frames per track" in text
    assert "(D = 5)" in text
    assert "D = 1 lets only one packet in" in explain(PLATES, "--set", "n=1")


def test_why_a_wire_was_chosen() -> None:
    text = explain(PLATES, "--why", "draw.boxes.in")
    assert "draw_boxes.image takes source (image): named by in:" in text
    assert "draw_boxes.objects takes plates (detections): the nearest unhidden detections" in text


def test_mermaid() -> None:
    text = explain(PLATES, "--mermaid")
    assert text.startswith("flowchart LR")
    assert 'subgraph body_read ["each plate"]' in text


def test_an_unknown_wire() -> None:
    result = visionkit("explain", PLATES, "--why", "plate.in")
    assert result.returncode == 2
    assert "there is no stage 'plate'" in result.stderr
    assert "'plates'" in result.stderr
