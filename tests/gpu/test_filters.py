"""Stages on pictures that lie on a device: their pictures lie there too, and are OpenCV's within a level."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.backends import cuda_filters
from visionkit.stage.catalogue import stages

torch = pytest.importorskip("torch")
EXACT = {
    "filter.gray": [{}],
    "filter.color": [{"to": "gray"}],
    "filter.invert": [{}],
    "filter.gamma": [{"gamma": 2.2}],
    "filter.brightness": [{"add": -40}],
    "filter.contrast": [{"factor": 1.7}],
    "filter.threshold": [{"method": "fixed", "level": 99}, {"method": "fixed", "invert": True}],
    "edges.canny": [{}, {"low": 40, "high": 120}, {"low": 300, "high": 900, "aperture": 5, "l2": True}],
    "edges.laplacian": [{"size": 1}, {"size": 3}, {"size": 5, "gain": 0.1}],
}
NEAR = {
    "filter.blur": [{}, {"sigma": 1.5}, {"size": 9}, {"size": 3, "sigma": 4}],
    "filter.box": [{"size": 5}, {"size": 4}, {"size": 31}],
    "edges.sobel": [{}, {"direction": "x"}, {"size": 5, "gain": 0.1}, {"direction": "y", "size": 7, "gain": 0.01}],
    "edges.scharr": [{"gain": 0.25}, {"direction": "y", "gain": 0.25}],
    "resize": [{"width": 111}, {"scale": 1.7}, {"width": 90, "height": 200}, {"width": 77, "interpolation": "cubic"}],
}
CASES = [
    (name, params, gap) for table, gap in ((EXACT, 0), (NEAR, 1)) for name, many in table.items() for params in many
]


def stage_of(name: str, params: dict):
    cls = stages().get(name)
    assert cls.on_device or name == "filter.color"
    return cls(cls.Params.model_validate(params))


@pytest.mark.parametrize(("name", "params", "gap"), CASES)
def test_the_picture_is_opencvs(scene, device, name, params, gap) -> None:
    stage = stage_of(name, params)
    for size, order in [((160, 120), "i420"), ((93, 71), "bgr"), ((64, 64), "gray"), ((1, 1), "bgr"), ((3, 2), "rgb")]:
        image, host = scene(*size, order), scene(*size, order)
        image.put(device)
        found, wanted = stage.run(image), stage.run(host)
        assert found.device == image.device, "it left the device"
        assert (found.is_gray, found.width, found.height) == (wanted.is_gray, wanted.width, wanted.height)
        np.testing.assert_allclose(found.canvas.to_frame.matrix, wanted.canvas.to_frame.matrix)
        difference = np.abs(found.native().astype(int) - wanted.native())
        assert difference.max() <= gap <= cuda_filters.TOLERANCE, (size, order)
        assert difference.mean() < 0.3


def test_a_chain_leaves_the_device_once(scene, device) -> None:
    from visionkit.profile.conversions import watching

    chain = [("resize", {"width": 200}), ("filter.blur", {"sigma": 1.2}), ("filter.gamma", {}), ("edges.canny", {})]
    opened = [stage_of(*one) for one in chain]
    image = scene(640, 480, "i420")
    with watching() as seen:
        image.put(device)
        for stage in opened:
            image = stage.run(image)
        first = image.gray()
        assert image.gray() is first
    counts = [one.what for one in seen]
    assert counts.count("pixels sent to the device") == 1
    assert counts.count("pixels fetched from the device") <= 1  # small ones are not counted


@pytest.mark.parametrize(("name", "params"), [("filter.median", {}), ("filter.threshold", {"method": "otsu"})])
def test_what_has_no_way_there_works_on_the_host(scene, device, name, params) -> None:
    cls = stages().get(name)
    stage = cls(cls.Params.model_validate(params))
    image = scene(64, 48)
    image.put(device)
    found = stage.run(image)
    assert found.device == ""
    np.testing.assert_array_equal(found.native(), stage.run(scene(64, 48)).native())
