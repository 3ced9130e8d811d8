"""``restore``: the bare network, in tiles whose seams nobody sees, with the right place on the frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Image
from visionkit.errors import PipelineError, WeightsError
from visionkit.lazy import cv2, onnxruntime
from visionkit.stage.catalogue import stages
from visionkit.stages.restore._windows import windows
from visionkit.testing import frames

Restore = stages().get("restore")


@pytest.fixture(scope="module")
def face(samples: Path) -> Image:
    """A face, 150 × 170."""
    return Image(cv2.imread(str(samples / "photos" / "astronaut.jpg"))).crop(160, 40, 150, 170)


def psnr(one: Image, other: Image) -> float:
    return float(cv2.PSNR(one.bgr(), other.bgr()))


def test_it_is_the_bare_network(opened, face, root: Path) -> None:
    made = opened(Restore(Restore.Params())).run([face])[0]
    session = onnxruntime.InferenceSession(str(root / "weights/restore/realesr_x4.onnx"))
    planes = face.rgb().transpose(2, 0, 1)[None].astype(np.float32) / 255
    bare = session.run(None, {"image": planes})[0][0].clip(0, 1).transpose(1, 2, 0) * 255
    assert (made.width, made.height) == (600, 680)
    assert np.abs(made.rgb() - bare).max() <= 0.51


def test_enlarged_it_is_the_same_picture_and_sharper(opened, face) -> None:
    small = Image(cv2.resize(face.bgr(), (75, 85), interpolation=cv2.INTER_AREA))
    made = opened(Restore(Restore.Params())).run([small])[0]
    smooth = Image(cv2.resize(small.bgr(), (300, 340), interpolation=cv2.INTER_CUBIC))
    assert psnr(made, smooth) > 24
    assert cv2.Laplacian(made.gray(), cv2.CV_32F).var() > 3 * cv2.Laplacian(smooth.gray(), cv2.CV_32F).var()


def test_what_is_found_on_it_lies_on_the_frame(opened, face) -> None:
    whole = Image(cv2.copyMakeBorder(face.bgr(), 20, 0, 30, 0, cv2.BORDER_CONSTANT))
    made = opened(Restore(Restore.Params())).run([whole.crop(30, 20, 51, 37)])[0]
    assert (made.width, made.height) == (204, 148)
    corners = np.array([[0.0, 0.0], [204.0, 148.0], [2.0, 2.0]])
    np.testing.assert_allclose(made.canvas.lift(corners), [[30, 20], [81, 57], [30.5, 20.5]])


@pytest.mark.parametrize(("weights", "tile"), [("realesr_x4", 64), ("dejpeg", 96)])
def test_tiles_are_the_whole(opened, face, weights: str, tile: int) -> None:
    face = face.crop(30, 30, 109, 101)
    stage = opened(Restore(Restore.Params(weights=weights, tile=tile)))
    seen = []
    infer, stage._infer = stage._infer, lambda images: seen.append(images[0].canvas.size) or infer(images)
    tiles = stage.run([face])[0]
    assert len(seen) >= 4
    assert set(seen) == {(tile, tile)}
    whole = opened(Restore(Restore.Params(weights=weights))).run([face])[0]
    assert np.abs(tiles.bgr().astype(int) - whole.bgr()).max() <= 1


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("side", [64, 100, 1920, 3840])
def test_windows_cover_a_side_with_room_around_what_is_kept(side: int, stride: int) -> None:
    found = windows(side, 101, 20, stride)
    assert [w.low for w in found] == [0, *(w.high for w in found[:-1])]
    assert found[-1].high == found[-1].stop == side
    assert len({w.stop - w.start for w in found}) == 1
    assert all(w.start % stride == 0 and w.stop - w.start <= 101 for w in found)
    assert all(w.start == 0 or w.low - w.start >= 20 for w in found)
    assert all(w.stop == side or w.stop - w.high >= 20 for w in found)


@pytest.mark.parametrize("weights", ["realesr_x4", "denoise"])
def test_a_batch_is_its_parts_at_any_size(opened, face, weights: str) -> None:
    stage = opened(Restore(Restore.Params(weights=weights)))
    images = [face.crop(0, 0, 61, 33), face.crop(7, 5, 61, 33), Image(np.zeros((1, 1), np.uint8), "gray")]
    for image, together in zip(images, stage.run(images), strict=True):
        assert together.is_gray == image.is_gray
        assert together.width % image.width == together.height % image.height == 0
        assert np.abs(stage.run([image])[0].bgr().astype(int) - together.bgr()).max() <= 1


def _noisy(image: Image) -> Image:
    noise = np.random.default_rng(0).normal(0, 25, image.bgr().shape)
    return Image(np.clip(image.bgr() + noise, 0, 255).astype(np.uint8))


def _blocky(image: Image) -> Image:
    return Image(cv2.imdecode(cv2.imencode(".jpg", image.bgr(), [cv2.IMWRITE_JPEG_QUALITY, 10])[1], 1))


def _blurred(image: Image) -> Image:
    return Image(cv2.GaussianBlur(image.bgr(), (21, 21), 1.5))


@pytest.mark.parametrize(
    ("weights", "spoil", "gain"), [("denoise", _noisy, 6), ("dejpeg", _blocky, 0.8), ("deblur", _blurred, 2)]
)
def test_it_takes_away_what_was_done_to_a_photo(opened, face, weights: str, spoil, gain: float) -> None:
    poor = spoil(face)
    made = opened(Restore(Restore.Params(weights=weights))).run([poor])[0]
    assert psnr(made, face) > psnr(poor, face) + gain


def test_weights_that_do_not_restore_and_tiles_too_small(opened) -> None:
    for text, message in [
        ("{weights: u2netp}", "for segment, not for restore"),
        ("{weights: denoise, tile: 80}", "must be more than 80 for denoise"),
    ]:
        with pytest.raises(PipelineError, match=message):
            Pipeline.from_text(f"stages:\n  - restore: {text}")
    stage = opened(Restore(Restore.Params()))
    stage._infer = lambda images: np.zeros((1, 3, 7, 7), np.float32)
    with pytest.raises(WeightsError, match="for a picture of"):
        stage.run([frames.shapes(64, 48)])
