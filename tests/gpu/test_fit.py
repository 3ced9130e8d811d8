"""Pictures made ready for networks on the device: within a level of what OpenCV or Pillow makes, in the same place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from visionkit.backends import cuda_fit
from visionkit.backends.preprocess import fit, fit_batch
from visionkit.weights import Preprocessing

torch = pytest.importorskip("torch")
LETTERBOX = Preprocessing(size=(640, 640), fit="letterbox", stride=32)
SPECS = {
    "letterbox": LETTERBOX,
    "letterbox, cubic, bgr": LETTERBOX.model_copy(update={"interpolation": "cubic", "color": "bgr"}),
    "stretch, nearest": Preprocessing(size=(200, 300), interpolation="nearest"),
    "stretch, area, grey": Preprocessing(size=(111, 97), interpolation="area", color="gray", mean=(0.5,), std=(1.0,)),
    "centre crop": Preprocessing(size=(224, 224), fit="center-crop", resize=256, antialias=True),
    "centre crop, cubic": Preprocessing(
        size=(224, 224), fit="center-crop", resize=232, antialias=True, interpolation="cubic"
    ),
    "as it is": Preprocessing(fit="none"),
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("size", "order"), [((1280, 720), "i420"), ((500, 333), "bgr"), ((640, 640), "gray")])
def test_levels_and_places(scene, device, name, size, order) -> None:
    image, spec = scene(*size, order), SPECS[name]
    wanted = fit(image, spec)
    ((places, (fitted,), batch),) = cuda_fit.fit_batch([image], spec, 0, device)
    assert (places, tuple(batch.shape[2:])) == ([0], wanted.pixels.shape[:2])
    assert (fitted.scale, fitted.offset, fitted.inner) == (wanted.scale, wanted.offset, wanted.inner)
    gap = np.abs(fitted.pixels.cpu().numpy().astype(int) - wanted.pixels)
    exact = spec.interpolation in ("linear", "nearest") and not spec.antialias
    assert gap.max() <= (0 if exact else cuda_fit.TOLERANCE)
    assert gap.mean() < 0.2


@pytest.mark.parametrize("new", [(640, 360), (853, 480), (333, 200), (1500, 901), (17, 9), (1, 1), (2560, 1440)])
@pytest.mark.parametrize("how", ["linear", "nearest"])
def test_resizing_is_opencvs(scene, device, new, how) -> None:
    image = scene(1280, 720, "rgb")
    flags = {"linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}
    wanted = cv2.resize(image.rgb(), new, interpolation=flags[how])
    found = cuda_fit.resized(image.tensor(device)[None], *new, how)[0].permute(1, 2, 0).cpu().numpy()
    np.testing.assert_array_equal(found, wanted)


def test_groups_are_those_of_the_host(scene, device) -> None:
    shapes = [(1280, 720, "i420"), (720, 1280, "bgr"), (640, 360, "bgr"), (1280, 720, "i420"), (640, 360, "gray")]
    images = [scene(width, height, order, seed) for seed, (width, height, order) in enumerate(shapes)]
    found = cuda_fit.fit_batch(images, LETTERBOX, 16, device)
    wanted = fit_batch(images, LETTERBOX, 16)
    assert [sorted(places) for places, _, _ in found] == [sorted(places) for places, _, _ in wanted]
    for places, fitted, batch in found:
        assert batch.shape[:2] == (len(places), 3)
        for place, ready in zip(places, fitted, strict=True):
            host = fit(images[place], LETTERBOX, 16).pixels
            assert np.abs(ready.pixels.cpu().numpy().astype(int) - host).max() == 0


@pytest.mark.parametrize("size", [(640, 360), (853, 480), (333, 200), (17, 5), (1, 1)])
def test_area_is_opencvs_where_it_shrinks(scene, device, size) -> None:
    image = scene(1280, 720)
    wanted = cv2.resize(image.rgb(), size, interpolation=cv2.INTER_AREA)
    found = cuda_fit.resized(image.tensor(device)[None], *size, "area")[0].permute(1, 2, 0).cpu().numpy()
    assert np.abs(found.astype(int) - wanted).max() <= cuda_fit.TOLERANCE
