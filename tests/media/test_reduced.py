"""JPEGs decoded at reduced scale: only where nothing can tell, and every pixel keeps its place in the whole picture."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from visionkit.api import Pipeline
from visionkit.data import Image, Reduced
from visionkit.errors import SourceError
from visionkit.media.sources import SourceOptions
from visionkit.media.sources.pictures import decode_picture
from visionkit.pipeline.compile import CompileOptions, compile_text
from visionkit.runtime.reduction import reduction


def spot(width: int, height: int, orientation: int = 1, mode: str = "RGB") -> bytes:
    """A JPEG with one soft bright spot, off the middle."""
    y, x = np.mgrid[:height, :width]
    light = 255 * np.exp(-((x - width * 0.3) ** 2 + (y - height * 0.6) ** 2) / 200)
    picture = Pillow.fromarray(light.astype(np.uint8)).convert(mode)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def centre(image: Image) -> np.ndarray:
    """Where the light is, in source-frame pixels."""
    light = np.where(image.gray() > 40, image.gray(), 0).astype(float)
    y, x = np.mgrid[: image.height, : image.width] + 0.5
    point = np.array([[(x * light).sum(), (y * light).sum()]]) / light.sum()
    return image.canvas.lift(point)[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(320, 240), (317, 243)])
def test_every_pixel_keeps_its_place(orientation: int, factor: int, size: tuple[int, int]) -> None:
    data = spot(*size, orientation)
    whole = decode_picture(data, "spot.jpg")
    small = decode_picture(data, "spot.jpg", lambda width, height: factor)
    assert isinstance(small, Reduced)
    assert small.full_size == whole.full_size == whole.canvas.size
    assert (small.width, small.height) == tuple(-(-side // factor) for side in whole.canvas.size)
    assert centre(small) == pytest.approx(centre(whole), abs=0.3)


def test_grey_stays_grey_and_other_formats_are_decoded_whole() -> None:
    assert decode_picture(spot(64, 64, mode="L"), "a.jpg", lambda width, height: 2).is_gray
    assert decode_picture(spot(64, 64, mode="CMYK"), "a.jpg", lambda width, height: 2).canvas.is_frame
    png = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    assert decode_picture(png, "a.png", lambda width, height: 2).canvas.is_frame


def test_a_cut_off_picture_fails_as_it_does_whole() -> None:
    data = spot(320, 240)
    with pytest.raises(SourceError, match="truncated"):
        decode_picture(data[: len(data) // 2], "a.jpg", lambda width, height: 2)


@pytest.mark.parametrize(
    ("stages", "outputs", "factor"),
    [
        ("[resize: {width: 480, height: 270}]", "[media]", 4),
        ("[resize: {width: 481}]", "[media]", 2),
        ("[resize: {scale: 0.5}]", "[media]", 2),
        ("[resize: {scale: 0.9}]", "[media]", 1),
        ("[resize: {width: 200}, resize: {width: 960, id: b, in: source}]", "[jsonl]", 2),
        ("[letterbox: {width: 640}, contours]", "[jsonl]", 2),
        ("[resize: {width: 480, interpolation: cubic}]", "[media]", 1),
        ("[resize: {width: 480, when: index > 3}]", "[media]", None),
        ("[filter.blur, resize: {width: 480}]", "[media]", None),
        ("[resize: {width: 480}, contours: {in: source}]", "[jsonl]", None),
        ("[resize: {width: 480}, contours]", "[coco]", None),
        ("[resize: {width: 480}, contours, draw.boxes: {in: {image: source}}]", "[media]", None),
    ],
)
def test_only_where_nothing_needs_the_whole_frame(stages: str, outputs: str, factor: int | None) -> None:
    plan = compile_text(f"stages: {stages}\noutputs: {outputs}\n", options=CompileOptions(check_weights=False))
    found = reduction(plan)
    assert (found and found(1920, 1080)) == factor


@pytest.mark.parametrize(
    "stage", ["resize: {scale: 0.4}", "resize: {width: 150}", "letterbox: {width: 128, height: 128}"]
)
def test_results_have_the_size_and_the_places_of_a_whole_decode(stage: str, samples: Path) -> None:
    photo = samples / "photos" / "astronaut.jpg"
    pipeline = Pipeline.from_text(f"stages:\n  - {stage}\n  - contours: {{min_area: 60, top_k: 3}}\n")
    (whole,) = pipeline.run(photo)
    (small,) = pipeline.run(photo, options=SourceOptions(reduced=True))
    assert isinstance(small.packet.values["source"], Reduced)
    assert (small.image.width, small.image.height) == (whole.image.width, whole.image.height)
    assert np.abs(small.image.bgr().astype(int) - whole.image.bgr()).mean() < 3
    corners = np.array([[0.0, 0.0], [small.image.width, small.image.height]])
    assert small.image.canvas.lift(corners) == pytest.approx(whole.image.canvas.lift(corners), abs=4)
