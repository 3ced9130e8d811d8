"""What a network sees, and the way back to the picture."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.backends.preprocess import fit, fit_batch, input_size, normalised
from visionkit.data import Image
from visionkit.weights import Preprocessing


def noise(width: int, height: int) -> Image:
    return Image(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


SQUARE = Preprocessing(size=(640, 640), fit="letterbox")
NARROW = Preprocessing(size=(640, 640), fit="letterbox", stride=32)


@pytest.mark.parametrize(
    ("size", "spec", "wanted"),
    [
        ((1280, 720), SQUARE, (640, 640)),
        ((1280, 720), NARROW, (640, 384)),
        ((720, 1280), NARROW, (384, 640)),
        ((1, 1000), NARROW, (32, 640)),
        ((1280, 720), Preprocessing(size=(300, 200)), (200, 300)),
        ((1280, 720), Preprocessing(fit="none"), (1280, 720)),
        ((100, 50), Preprocessing(fit="letterbox", stride=32), (128, 64)),
        ((100, 50), Preprocessing(fit="stretch", stride=32), (128, 64)),
        ((400, 200), Preprocessing(fit="stretch", resize=100), (200, 100)),
    ],
)
def test_input_size(size, spec, wanted) -> None:
    assert input_size(*size, spec) == wanted
    assert fit(noise(*size), spec).pixels.shape[1::-1] == wanted


@pytest.mark.parametrize("spec", [SQUARE, NARROW, Preprocessing(size=(300, 200)), Preprocessing(fit="none")])
def test_a_disc_is_found_where_it_was(spec) -> None:
    pixels = np.zeros((333, 517, 3), np.uint8)
    ys, xs = np.mgrid[:333, :517]
    pixels[(xs + 0.5 - 211.3) ** 2 + (ys + 0.5 - 97.8) ** 2 < 900] = 255
    fitted = fit(Image(pixels), spec.model_copy(update={"pad_value": 0}))
    rows, cols = np.nonzero(fitted.pixels[..., 0] > 127)
    centre = fitted.to_image(np.array([[cols.mean() + 0.5, rows.mean() + 0.5]]))
    np.testing.assert_allclose(centre, [[211.3, 97.8]], atol=0.3)


def test_centre_crop_is_torchvisions() -> None:
    pytest.importorskip("torchvision")
    from PIL import Image as Pillow
    from torchvision import transforms

    spec = Preprocessing(size=(224, 224), fit="center-crop", resize=256, antialias=True)
    chain = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    for size in [(640, 480), (333, 517), (100, 31), (256, 256), (225, 1000)]:
        image = noise(*size)
        wanted = np.asarray(chain(Pillow.fromarray(image.rgb())))
        np.testing.assert_array_equal(fit(image, spec).pixels, wanted)


def test_a_margin_adds_bars_and_changes_no_place() -> None:
    assert input_size(640, 640, NARROW, margin=16) == (672, 672)
    assert input_size(640, 426, NARROW, margin=16) == (672, 448)
    assert input_size(1280, 720, SQUARE, margin=16) == (640, 640)
    image = noise(320, 213)
    plain, wide = fit(image, NARROW), fit(image, NARROW, margin=16)
    assert wide.pixels.shape == (448, 672, 3)
    assert wide.inner == plain.inner
    x, y = (int(value) for value in wide.offset)
    a, b = (int(value) for value in plain.offset)
    inner = wide.pixels[y : y + 426, x : x + 640]
    np.testing.assert_array_equal(inner, plain.pixels[b : b + 426, a : a + 640])
    np.testing.assert_allclose(wide.to_image(np.array([[x, y]])), [[0, 0]])


def test_normalised() -> None:
    spec = Preprocessing(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    batch = np.random.default_rng(0).integers(0, 255, (2, 5, 7, 3), dtype=np.uint8)
    wanted = (batch / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.4]
    np.testing.assert_allclose(normalised(batch, spec), wanted.transpose(0, 3, 1, 2), atol=1e-5)
    nhwc = normalised(batch, spec.model_copy(update={"layout": "nhwc"}))
    np.testing.assert_allclose(nhwc, wanted, atol=1e-5)


def test_groups_of_equal_size_keep_their_places() -> None:
    images = [noise(1280, 720), noise(720, 1280), noise(640, 360)]
    groups = fit_batch(images, NARROW)
    assert [(places, batch.shape) for places, _, batch in groups] == [
        ([0, 2], (2, 384, 640, 3)),
        ([1], (1, 640, 384, 3)),
    ]


def test_grey_networks_get_one_channel() -> None:
    spec = Preprocessing(size=(20, 30), fit="letterbox", color="gray", mean=(0.0,), std=(1.0,))
    ((_, _, batch),) = fit_batch([noise(50, 40)], spec)
    assert batch.shape == (1, 20, 30, 1)
    assert normalised(batch, spec).shape == (1, 1, 20, 30)


@pytest.mark.parametrize("spec", [SQUARE, NARROW, Preprocessing(size=(224, 224), fit="center-crop", antialias=True)])
def test_colours_may_be_swapped_before_or_after(spec) -> None:
    """A picture that came as RGB, and the same one that came as BGR and is swapped when it is small."""
    bgr = noise(1280, 720)
    rgb = Image(np.ascontiguousarray(bgr.rgb()), "rgb")
    assert np.array_equal(fit(bgr, spec).pixels, fit(rgb, spec).pixels)
