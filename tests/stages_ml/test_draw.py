"""The draw stages by their pixels."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import (
    Annotated,
    Canvas,
    Detections,
    Field,
    Image,
    Labels,
    Lines,
    Masks,
    Matte,
    Scores,
    SemanticMask,
    TextLines,
)
from visionkit.errors import DataError, UsageError
from visionkit.stages.draw import STAGES

FRAME = Canvas.source(320, 240)


def make(name: str, **params):
    module, _, class_name = STAGES[name].partition(":")
    stage_class = getattr(import_module(f"visionkit.stages.draw.{module}"), class_name)
    stage = stage_class(stage_class.Params(**params))
    stage.open(None)
    return stage


def grey(canvas: Canvas = FRAME) -> Image:
    return Image(np.full((canvas.height, canvas.width, 3), 100, np.uint8), canvas=canvas)


def noise(canvas: Canvas = FRAME) -> Image:
    pixels = np.random.default_rng(0).integers(0, 255, (canvas.height, canvas.width, 3), dtype=np.uint8)
    return Image(pixels, canvas=canvas)


def changed(image: Image, after: Annotated) -> np.ndarray:
    assert isinstance(after, Annotated)
    return (after.bgr() != image.bgr()).any(axis=2)


def disc(x: float, y: float, radius: float, canvas: Canvas = FRAME) -> np.ndarray:
    ys, xs = np.mgrid[: canvas.height, : canvas.width]
    return (xs + 0.5 - x) ** 2 + (ys + 0.5 - y) ** 2 < radius**2


def with_mask() -> Detections:
    bitmap = disc(100, 80, 30)
    return Detections(FRAME, [[70, 50, 130, 110]], [0.9], [0], ("ball",), masks=Masks.from_bitmaps([bitmap], FRAME))


@pytest.mark.parametrize("name", ["draw.masks", "draw.blur", "draw.pixelate"])
def test_masks_bound_what_is_changed(name) -> None:
    image = noise()
    stage = make(name, **({"outline": False} if name == "draw.masks" else {}))
    touched = changed(image, stage.run(image, with_mask()))
    inside = disc(100, 80, 30)
    assert not touched[~inside].any()
    assert touched[inside].mean() > 0.97


def test_masks_without_masks_fill_outlines() -> None:
    corners = np.array([[[100, 20], [180, 100], [100, 180], [20, 100]]])
    tilted = Detections(FRAME, [[20, 20, 180, 180]], [0.9], [0], corners=corners)
    image = grey()
    touched = changed(image, make("draw.masks", outline=False).run(image, tilted))
    assert touched[100, 100]
    assert not touched[30, 30]
    assert touched.sum() == pytest.approx(2 * 80**2, rel=0.03)


@pytest.mark.parametrize("name", ["draw.blur", "draw.pixelate"])
def test_privacy_removes_detail(name) -> None:
    image = noise()
    box = Detections(FRAME, [[40, 40, 200, 160]], [0.9], [0])
    after = make(name).run(image, box).bgr()
    assert after[50:150, 50:190].std() < 0.25 * image.bgr()[50:150, 50:190].std()
    round_ = changed(image, make(name, shape="ellipse").run(image, box))
    assert round_.sum() == pytest.approx(np.pi * 80 * 60, rel=0.03)


def test_objects_partly_outside_and_on_a_crop() -> None:
    crop = FRAME.crop(200, 100, 100, 100)
    found = Detections(crop, [[-50, -50, 20, 20], [90, 90, 300, 300], [500, 500, 600, 600]], [0.9] * 3, [0] * 3)
    for name in ("draw.masks", "draw.blur", "draw.pixelate", "draw.polygons", "draw.boxes"):
        image = noise()
        touched = changed(image, make(name).run(image, found))
        assert touched[45:125, 145:225].any()
        assert not touched[:40, :140].any()
        on_crop = noise(crop)
        assert changed(on_crop, make(name).run(on_crop, found)).any()


def test_polygons_follow_polygons_masks_and_boxes() -> None:
    image = grey()
    triangle = np.array([[50, 50], [150, 50], [50, 150]], np.float32)
    outlined = Detections(FRAME, [[50, 50, 150, 150]], [0.9], [0], polygons=(triangle,))
    touched = changed(image, make("draw.polygons", thickness=1).run(image, outlined))
    assert touched[50, 60:140].all()
    assert touched[99:101, 97:103].any(), "the slope"
    assert not touched[70, 55:110].any()
    ring = changed(image, make("draw.polygons", thickness=1).run(image, with_mask()))
    distance = np.hypot(*(np.argwhere(ring) + 0.5 - [80, 100]).T)
    assert abs(distance - 30).max() < 2
    filled = changed(image, make("draw.polygons", thickness=1, fill=0.5).run(image, outlined))
    assert filled[70, 55:110].all()


@pytest.mark.parametrize(("corner", "rows", "cols"), [("top-left", 0, 0), ("bottom-right", -1, -1)])
def test_labels_and_title_sit_in_their_corner(corner, rows, cols) -> None:
    image = grey()
    labels = Labels(np.array([1, 0], np.int32), [0.7, 0.2], ("dog", "cat"))
    after = make("draw.labels", corner=corner).run(image, labels)
    assert after.bgr()[rows, cols].tolist() == [0, 0, 0]
    one = changed(image, make("draw.labels", corner=corner, top_k=1).run(image, labels)).sum()
    assert one < changed(image, after).sum()
    titled = make("draw.title", text="{objects.count} balls", corner=corner, color="red")
    full = titled.run(image, with_mask(), None, None, None)
    assert full.bgr()[rows, cols].tolist() == [53, 57, 230]


def test_title_fills_in_what_is_there() -> None:
    image = grey()
    title = make("draw.title", text="{objects.count} {labels.class_name|-} {lines.text|-} {scores.sharp:.1f}")
    same = make("draw.title", text="1 - AB 0.5")
    lines = TextLines(FRAME, ("AB",), [0.9], np.zeros((1, 4, 2)))
    found = title.run(image, with_mask(), None, lines, Scores({"sharp": 0.51}))
    np.testing.assert_array_equal(found.bgr(), same.run(image, None, None, None, None).bgr())


def test_text_is_outlined_and_written_above() -> None:
    image = grey()
    box = [[60, 100], [200, 100], [200, 130], [60, 130]]
    lines = TextLines(FRAME, ("Straße 你好",), [0.9], [box])
    touched = changed(image, make("draw.text", thickness=1).run(image, lines))
    assert touched[130, 62:198].all() or touched[129, 62:198].all()
    assert touched[84:98, 60:110].all()
    assert not touched[105:125, 65:195].any()
    bare = changed(image, make("draw.text", outline=False).run(image, lines))
    assert not bare[129:131, 62:198].any()


def test_a_font_that_is_none() -> None:
    with pytest.raises(UsageError, match="is no font"):
        make("draw.text", font="/nowhere.ttf")


def test_lines() -> None:
    image = grey()
    touched = changed(image, make("draw.lines", thickness=1).run(image, Lines(FRAME, [[10.5, 20.5, 100.5, 20.5]])))
    assert touched[20, 10:101].all()
    assert touched.sum() < 300


def test_keypoints_and_bones() -> None:
    image = grey()
    points = np.array([[[50, 50, 0.9], [150, 50, 0.9], [100, 150, 0.1]]])
    person = Detections(FRAME, [[40, 40, 160, 160]], [0.9], [0], keypoints=points)
    dots = changed(image, make("draw.keypoints").run(image, person))
    assert dots[50, 50]
    assert not dots[50, 70:130].any()
    assert not dots[145:155, 95:105].any(), "a point below min_score"
    joined = changed(image, make("draw.keypoints", skeleton=[[0, 1], [1, 2], [0, 9]]).run(image, person))
    assert joined[50, 70:130].all()
    assert not joined[80:120, :].any()
    nobody = make("draw.keypoints").run(image, Detections(FRAME, [[1, 2, 3, 4]], [0.9], [0]))
    assert not changed(image, nobody).any()


def test_heatmap_colours_by_value_and_range() -> None:
    image = grey()
    ramp = np.tile(np.linspace(0, 1, 320, dtype=np.float32), (240, 1))
    after = make("draw.heatmap", colors="bone", opacity=1.0).run(image, Field(FRAME, ramp)).bgr().astype(int)
    brightness = after.sum(axis=2)[0]
    assert (np.diff(brightness) >= 0).all()
    assert brightness[-1] - brightness[0] > 700
    narrow = make("draw.heatmap", colors="bone", opacity=1.0, low=0.0, high=2.0).run(image, Matte(FRAME, ramp)).bgr()
    assert narrow[0, -1].sum() < after[0, -1].sum()
    with pytest.raises(ValidationError, match="low must be below high"):
        make("draw.heatmap", low=2.0, high=1.0)


def test_flow_arrows_point_where_pixels_went() -> None:
    image = grey()
    motion = np.zeros((240, 320, 2), np.float32)
    motion[..., 0] = 12
    touched = changed(image, make("draw.flow", step=60).run(image, Field(FRAME, motion, "flow")))
    assert touched[30, 32:42].all()
    still = make("draw.flow").run(image, Field(FRAME, np.zeros_like(motion), "flow"))
    assert not changed(image, still).any()
    half = FRAME.resize(160, 120)
    small = Field(half, motion[::2, ::2] / 2, "flow")
    scaled = changed(image, make("draw.flow", step=60).run(image, small))
    np.testing.assert_array_equal(touched, scaled)
    assert changed(image, make("draw.flow", style="colors").run(image, Field(FRAME, motion, "flow"))).all()
    with pytest.raises(DataError, match=r"\(H, W, 2\)"):
        make("draw.flow").run(image, Field(FRAME, motion[..., 0]))


def test_mask_tints_classes() -> None:
    image = grey()
    ids = disc(100, 120, 40).astype(np.uint8) + 2 * disc(250, 120, 40).astype(np.uint8)
    mask = SemanticMask(FRAME, ids, ("background", "person", "car"))
    plain = {"legend": False}
    touched = changed(image, make("draw.mask", **plain).run(image, mask))
    np.testing.assert_array_equal(touched, ids > 0)
    only = changed(image, make("draw.mask", classes=["car"], **plain).run(image, mask))
    np.testing.assert_array_equal(only, ids == 2)
    listed = changed(image, make("draw.mask").run(image, mask))
    assert listed[:20, :20].all()


def test_side_by_side_and_mosaic_leave_the_frame() -> None:
    image, other = grey(), noise(Canvas.source(100, 120))
    pair = make("draw.sidebyside", gap=10).run(image, other)
    assert (pair.width, pair.height) == (650, 240)
    assert pair.canvas.to_frame is None
    assert (pair.bgr()[:, 320:330] == 255).all()
    np.testing.assert_array_equal(pair.bgr()[:, :320], image.bgr())
    assert (pair.bgr()[:, 330:380] == 255).all(), "a narrow picture is not stretched"
    down = make("draw.sidebyside", direction="down", gap=0, titles=["a", "b"]).run(image, other)
    assert (down.width, down.height) == (320, 480)
    four = make("draw.mosaic", gap=2).run((image, other, image))
    assert (four.width, four.height) == (642, 482)
    assert make("draw.mosaic").run((image,)).height == 240


def test_trails_stage() -> None:
    stage, image = make("draw.trails", frames=5, thickness=1), grey()
    for t in range(10):
        box = [[20 + 20 * t, 50, 40 + 20 * t, 70]]
        after = stage.run(image, Detections(FRAME, box, [0.9], [0], track_id=[3]))
    touched = changed(image, after)
    assert touched[58:61, 132:208].any(axis=0).all()
    assert not touched[:, :125].any()


@pytest.mark.parametrize("name", sorted(STAGES))
def test_parameters_have_defaults_and_descriptions(name) -> None:
    params = make(name).params
    assert all(info.description for info in type(params).model_fields.values())


def test_objects_at_infinity_do_no_harm() -> None:
    image = grey()
    far = np.array([[-1e30, -1e30, 1e30, np.inf], [5e9, 10, 6e9, 20]], np.float32)
    points = np.full((2, 17, 3), np.nan, np.float32)
    objects = Detections(FRAME, far, [0.9, 0.9], [0, 0], keypoints=points)
    for name in ("draw.boxes", "draw.masks", "draw.polygons", "draw.blur", "draw.pixelate", "draw.keypoints"):
        assert make(name).run(image, objects).width == 320
    corners = np.array([[[-1e30, 5], [np.nan, 5], [1e30, 1e30], [9, 9]]], np.float32)
    turned = Detections(FRAME, far[:1], [0.9], [0], corners=corners)
    assert make("draw.boxes").run(image, turned).width == 320
    make("draw.lines").run(image, Lines(FRAME, [[-1e30, 0, np.inf, np.nan]]))
    make("draw.text").run(image, TextLines(FRAME, ("a",), [0.9], corners))
