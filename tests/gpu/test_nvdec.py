"""Videos that a GPU decodes: what becomes of NV12 frames is shown on those that swscale makes, the rest with a GPU."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from visionkit.errors import SourceError
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.media.sources.nvdec import Converter, objection, objection_to
from visionkit.media.sources.video import frame_image
from visionkit.stage.source import Frame

torch = pytest.importorskip("torch")


def nv12(image, colorspace: int = 6) -> tuple[av.VideoFrame, av.VideoFrame]:
    """A picture as frames in NV12 and in I420 of the same values."""
    source = av.VideoFrame.from_ndarray(image.rgb(), format="rgb24")
    names = {6: "ITU601", 1: "ITU709"}
    planar = source.reformat(format="yuv420p", dst_colorspace=names[colorspace])
    planar.colorspace = colorspace
    planar.color_range = 1
    packed = planar.reformat(format="nv12")
    packed.colorspace, packed.color_range = colorspace, 1
    return packed, planar


def test_the_picture_is_the_cpus(scene) -> None:
    packed, planar = nv12(scene(320, 240))
    np.testing.assert_array_equal(Converter()(packed).rgb(), frame_image(planar).rgb())


def test_bt709_is_swscales(scene) -> None:
    packed, planar = nv12(scene(320, 240), 1)
    gap = np.abs(Converter()(packed).rgb().astype(int) - frame_image(planar).rgb())
    assert gap.mean() < 1.5
    assert np.percentile(gap, 99) <= 8  # where colours change between pixels swscale mixes them, here they are repeated


def test_what_is_not_converted_says_why(scene) -> None:
    packed, planar = nv12(scene(320, 240))
    assert objection_to(packed) == ""
    assert "NV12" in objection_to(planar)
    packed.color_range = 2
    assert "range" in objection_to(packed)
    with pytest.raises(SourceError, match="range"):
        Converter()(packed)


def frames(path, options: SourceOptions) -> tuple[list[Frame], list[str]]:
    (source,) = open_sources([str(path)], options)
    return [frame for frame in source.frames() if isinstance(frame, Frame)], getattr(source, "notes", [])


def test_without_nvdec_the_cpu_decodes_and_the_run_says_so(samples) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine may have NVDEC")
    path = samples / "tiny.mp4"
    found, notes = frames(path, SourceOptions(device="cuda:0", limit=3))
    wanted, none = frames(path, SourceOptions(limit=3))
    assert [frame.pts for frame in found] == [frame.pts for frame in wanted]
    np.testing.assert_array_equal(found[0].load().bgr(), wanted[0].load().bgr())
    assert none == []
    (note,) = notes
    assert note.startswith(f"{path}: the CPU decodes it, not NVDEC: ")
    assert len(note) > len(f"{path}: the CPU decodes it, not NVDEC: ")


def test_a_run_that_asks_for_nvdec_without_a_gpu(samples, tmp_path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    from visionkit.api import Job, Pipeline

    text = "version: 1\nstages: [filter.box]\noutputs: [jsonl]\nrun: {decoder: nvdec}\n"
    pipeline = Pipeline.from_text(text)
    summary = Job(pipeline.plan, pipeline._run_settings()).run([str(samples / "tiny.mp4")], out=tmp_path)
    assert any("nvdec needs an NVIDIA GPU" in note for note in summary.notes)
    assert summary.out > 0


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["traffic.mp4", "upright.mp4"])
@pytest.mark.usefixtures("gpu")
def test_frames_and_times_are_the_cpus(samples, name) -> None:
    path = samples / name
    if text := objection(str(path), "cuda:0"):
        pytest.skip(f"NVDEC: {text}")
    found, notes = frames(path, SourceOptions(device="cuda:0", limit=40, from_=Fraction(1, 5)))
    wanted, _ = frames(path, SourceOptions(limit=40, from_=Fraction(1, 5)))
    assert notes == []
    assert [frame.pts for frame in found] == [frame.pts for frame in wanted]
    for ours, theirs in zip(found, wanted, strict=True):
        image, host = ours.load(), theirs.load()
        assert image.device == "cuda:0"
        assert np.abs(image.rgb().astype(int) - host.rgb()).mean() < 1.5
