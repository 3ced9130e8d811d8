"""The benchmark suite for GPUs: its jobs on the CPU, and that it stops where there is no GPU."""

from __future__ import annotations

import time

import pytest

from benchmarks.suites import NotHere, Settings, gpu
from benchmarks.table import Table
from benchmarks.timing import Sample

torch = pytest.importorskip("torch")


def test_without_a_gpu_nothing_is_measured(tmp_path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    table = Table("gpu", "", 9)
    with pytest.raises(NotHere, match="no NVIDIA GPU"):
        gpu.run(table, Settings(9, tmp_path))
    assert not table.rows


def test_its_pipelines_compile() -> None:
    for decoder in ("cpu", "nvdec"):
        run = gpu.pipeline_of("yolo11n", "graphs", 32, decoder)._run_settings()
        found = run.device, run.precision, run.backend, run.batch, run.decoder
        assert found == ("cuda", "fp16", "graphs", 32, decoder)


def test_its_jobs_do_the_work(samples, tmp_path, monkeypatch) -> None:
    pytest.importorskip("ultralytics")
    monkeypatch.setattr(gpu, "PIPELINE", gpu.PIPELINE.replace("cuda, precision: fp16", "cpu, precision: fp32"))
    given = {"source": str(samples / "tiny.mp4"), "weights": "yolo11n", "backend": "own", "batch": 2}
    try:
        memory = gpu.from_memory(**given, frames=5)()
    except Exception as error:
        pytest.skip(f"the weights are not here: {error}")
    assert memory.wall > 0
    assert gpu.video(**given, out=str(tmp_path / "out"), decoder="cpu")().wall > 0
    assert (tmp_path / "out" / "results.jsonl").stat().st_size > 0


@pytest.mark.parametrize(("loads", "share"), [([0, 100, 50, 0], 0.25), ([], None)])
def test_an_idle_share_that_nobody_knows_is_none(loads, share, monkeypatch) -> None:
    """Without the driver's library nothing is read, which is not a GPU that did nothing."""

    class Driver:
        def __init__(self) -> None:
            self.loads: list[int] = []

        def look(self) -> None:
            self.loads += loads[len(self.loads) :][:1]

        def close(self) -> None:
            pass

    monkeypatch.setattr("visionkit.profile.gpu.Gpu", Driver)
    monkeypatch.setattr(gpu, "from_memory", lambda *_: lambda: time.sleep(0.6))
    assert gpu.idle("x", "y", "own", 1, 1)() == share


def test_rows_say_what_was_expected() -> None:
    table = Table("gpu", "", 9)
    walls = {"bare": 1.0, "memory": 1.25, "video": 2.0, "yolo": 11.0}
    gpu._rows(table, "x", {name: [Sample(wall, 0.0)] * 9 for name, wall in walls.items()}, 100)
    verdicts = {row.name: (row.figure.value, row.verdict) for row in table.rows}
    assert verdicts["x: pictures a second, the bare network"] == (100, "")
    assert verdicts["x: the pipeline's share of the bare network's rate"] == (0.8, "no")
    assert verdicts["x: times as fast as yolo predict half=True, CPU decode"] == (5.5, "yes")
