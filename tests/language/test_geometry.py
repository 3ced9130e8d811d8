"""Geometry through whole files: tiles, crops of crops, rotated boxes; what is found deep inside lies on the frame.

Held to pixels: discs are drawn, found in the pictures that arrive at the innermost stage, and lifted by the engine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from visionkit import Pipeline

SIZE = (360, 260)
Discs = Sequence[tuple[float, float, float]]


def scene(discs: Discs, size: tuple[int, int] = SIZE, level: float = 255) -> Any:
    """White discs (x, y, radius) with smooth edges on black, as BGR pixels."""
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    picture = np.zeros(size[::-1])
    for x, y, radius in discs:
        picture = np.maximum(picture, np.clip(radius + 0.5 - np.hypot(xs - x, ys - y), 0, 1))
    return cv2.cvtColor(np.rint(picture * level).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def run(text: str, picture: Any) -> Any:
    (result,) = Pipeline.from_text(text).run(picture)
    assert result.packet.failure is None, result.packet.failure
    return result


def centres(objects: Any) -> Any:
    """Of boxes in source-frame pixels, (N, 2)."""
    boxes = objects.lifted().xyxy.astype(np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def spread(count: int, rng: random.Random, radius: float = 6) -> list[tuple[float, float, float]]:
    """Discs that keep apart from one another and from the edge."""
    found: list[tuple[float, float, float]] = []
    while len(found) < count:
        x, y = rng.uniform(20, SIZE[0] - 20), rng.uniform(20, SIZE[1] - 20)
        if all(math.hypot(x - a, y - b) > 5 * radius for a, b, _ in found):
            found.append((x, y, radius))
    return found


def test_tiles_find_everything_once_and_where_it_is() -> None:
    discs = spread(14, random.Random(1))
    text = """
stages:
  - tile: {id: tiles, width: 120, height: 120, overlap: 0.3}
  - for_each:
      id: each
      in: tiles
      stages:
        - look.blobs: {id: small}
  - nms: {in: each.small, iou: 0.3}
"""
    result = run(text, scene(discs))
    assert len(result["tiles"]) > 8
    assert len(result["each.small"]) > len(discs), "overlapping tiles see some discs twice"
    found = centres(result["nms"])
    assert len(found) == len(discs)
    for x, y, _ in discs:
        assert np.hypot(*(found - (x, y)).T).min() <= 0.5
    parents = result["each.small"].columns["parent"]
    boxes = result["tiles"].xyxy[parents.astype(int)]
    inside = result["each.small"].xyxy
    assert (inside[:, :2] >= boxes[:, :2]).all()
    assert (inside[:, 2:] <= boxes[:, 2:]).all()


def test_crops_of_crops_of_a_turned_picture() -> None:
    """Three levels, a change of geometry before, in and after each."""
    discs = spread(5, random.Random(2), radius=8)
    text = """
stages:
  - rotate: {angle: 30}
  - resize: {scale: 1.5}
  - look.blobs: {id: coarse, margin: 12}
  - for_each:
      id: first
      in: {objects: coarse, image: resize}
      pad: 0.1
      stages:
        - flip: {direction: horizontal}
        - look.blobs: {id: closer, margin: 6}
        - for_each:
            id: second
            in: {objects: closer, image: flip}
            stages:
              - resize: {scale: 2.0}
              - rotate: {angle: 90}
              - look.blobs: {id: tight, margin: 3}
              - for_each:
                  id: third
                  in: {objects: tight, image: rotate}
                  stages:
                    - look.centre: {id: point}
"""
    result = run(text, scene(discs))
    for name in ("coarse", "first.closer", "first.second.tight", "first.second.third.point"):
        found = centres(result[name])
        assert len(found) == len(discs), name
        for x, y, _ in discs:
            assert np.hypot(*(found - (x, y)).T).min() <= 0.5 + 1 / 1.5, name


def corners(rng: random.Random) -> list[list[float]]:
    """A quadrilateral near the picture's own corners, in shares of it."""
    frame = ((0.0, 0.0, 1, 1), (1.0, 0.0, -1, 1), (1.0, 1.0, -1, -1), (0.0, 1.0, 1, -1))
    return [[x + sx * rng.uniform(0, 0.1), y + sy * rng.uniform(0, 0.1)] for x, y, sx, sy in frame]


STEPS = {
    "resize": lambda r: f"{{scale: {r.uniform(0.7, 1.6):.3f}}}",
    "letterbox": lambda r: f"{{width: {r.randint(300, 460)}, height: {r.randint(300, 460)}, color: black}}",
    "crop": lambda r: f"{{x: {r.uniform(0, 0.08):.3f}, y: {r.uniform(0, 0.08):.3f}, width: 0.9, height: 0.9}}",
    "pad": lambda r: f"{{left: {r.randint(0, 30)}, top: {r.randint(0, 30)}, right: 5, multiple_of: 8}}",
    "rotate": lambda r: f"{{angle: {r.uniform(-180, 180):.2f}}}",
    "flip": lambda r: f"{{direction: {r.choice(['horizontal', 'vertical', 'both'])}}}",
    "warp": lambda r: f"{{points: {corners(r)}}}",
    "undistort": lambda r: f"{{camera: [400, 400, 180, 130], distortion: [{r.uniform(-0.2, 0.2):.3f}, 0.02, 0, 0]}}",
    "elastic": lambda r: f"{{amplitude: {r.uniform(0, 4):.2f}, smoothness: 40, seed: {r.randint(0, 99)}}}",
}


def chain(rng: random.Random, most: int, indent: str) -> str:
    names = [rng.choice(list(STEPS)) for _ in range(rng.randint(1, most))]
    return "".join(f"{indent}- {name}: {STEPS[name](rng)}\n" for name in names)


@pytest.mark.slow
def test_random_chains_outside_and_inside_for_each() -> None:
    """The disc's centroid in the innermost picture, lifted: within half a pixel plus one pixel of that picture."""
    rng, checked, worst = random.Random(3), 0, 0.0
    for _ in range(60):
        x, y = rng.uniform(0.35, 0.65) * SIZE[0], rng.uniform(0.35, 0.65) * SIZE[1]
        text = (
            f"stages:\n{chain(rng, 3, '  ')}  - look.blobs: {{id: there, margin: 25, whole: false}}\n"
            f"  - for_each:\n      id: each\n      pad: {rng.uniform(0, 0.3):.2f}\n      stages:\n"
            f"{chain(rng, 2, '        ')}        - look.centre: {{id: point}}\n        - look.quarters: {{id: size}}\n"
            "      set: {wide: size.width}\n"
        )
        result = run(text, scene([(x, y, 9)]))
        if len(result["there"]) != 1 or len(result["each.point"]) != 1:
            continue
        point = result["each.point"]
        assert point.canvas.is_frame
        pixel = float(np.sqrt(np.prod(point.xyxy[0, 2:] - point.xyxy[0, :2])))  # the box was one pixel inside
        error = float(np.hypot(*(centres(point)[0] - (x, y))))
        worst = max(worst, error - pixel)
        assert error <= 0.5 + pixel, f"{error:.2f} px, an output pixel is {pixel:.2f} px:\n{text}"
        checked += 1
    assert checked >= 40, f"{checked} chains; at worst {worst:.2f} px beyond an output pixel"


def test_rotated_boxes_are_cut_upright() -> None:
    """A sign with four grey quarters, turned by many angles: the crop has them in their places, at its own size."""
    quarters = {"tl": 40, "tr": 100, "br": 160, "bl": 220}
    wide, high = 80, 48
    sign = np.zeros((high, wide), np.uint8)
    for name, (top, left) in {"tl": (0, 0), "tr": (0, 1), "br": (1, 1), "bl": (1, 0)}.items():
        sign[top * high // 2 : (top + 1) * high // 2, left * wide // 2 : (left + 1) * wide // 2] = quarters[name]
    for angle in range(0, 360, 15):
        turn = np.deg2rad(angle)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        local = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) - (wide / 2, high / 2)
        corners = local @ matrix.T + (180, 130)
        affine = np.hstack([matrix, (np.array([180, 130]) - matrix @ (wide / 2, high / 2))[:, None]])
        affine[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV speaks of centres of pixels
        picture = cv2.warpAffine(sign, affine, SIZE, flags=cv2.INTER_LINEAR)
        rows = ", ".join(f"[{x:.4f}, {y:.4f}]" for x, y in corners)
        text = f"""
stages:
  - look.given: {{id: signs, corners: [[{rows}]]}}
  - for_each:
      id: read
      in: signs
      as: sign
      when: sign.height > 0
      stages:
        - look.quarters: {{id: seen}}
        - look.blobs: {{id: light, level: 190, whole: false}}
      set: {{tl: seen.tl, tr: seen.tr, br: seen.br, bl: seen.bl, wide: seen.width, high: seen.height}}
"""
        result = run(text, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        columns = result["read"].columns
        assert (columns["wide"][0], columns["high"][0]) == (wide, high)
        for name, gray in quarters.items():
            assert columns[name][0] == pytest.approx(gray, abs=8), (angle, name)
        (outline,) = result[
            "read.light"
        ].outlines()  # the bottom left quarter, found in the crop, lies turned on the frame
        expected = (np.array([-wide / 4, high / 4]) @ matrix.T) + (180, 130)
        assert np.hypot(*(outline.mean(axis=0) - expected)) <= 1.0
        edges = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
        assert sorted(edges) == pytest.approx(sorted([wide / 2, high / 2] * 2), abs=2.5)


def test_padding_of_rotated_boxes_keeps_them_upright() -> None:
    corners = [[100, 80], [160, 100], [150, 130], [90, 110]]
    text = f"""
stages:
  - look.given: {{id: signs, corners: [{corners}]}}
  - for_each: {{id: read, in: signs, pad: 0.25, stages: [look.quarters: {{id: seen}}], set: {{wide: seen.width}}}}
"""
    wide = run(text, scene([]))["read"].columns["wide"][0]
    assert wide == pytest.approx(math.dist(corners[0], corners[1]) * 1.5, abs=1)


def test_polygons_are_cut_by_their_hull() -> None:
    polygon = [[100, 80], [160, 100], [150, 130], [90, 110]]
    text = f"""
stages:
  - look.given: {{id: shapes, polygons: true, corners: [{polygon}]}}
  - for_each: {{id: read, in: shapes, stages: [look.quarters: {{id: seen}}], set: {{w: seen.width, h: seen.height}}}}
"""
    columns = run(text, scene([]))["read"].columns
    assert (columns["w"][0], columns["h"][0]) == (70, 50)


def test_objects_at_the_edge_and_outside() -> None:
    shapes = [[[-20, -20], [30, -20], [30, 30], [-20, 30]], [[400, 10], [450, 10], [450, 60], [400, 60]]]
    text = f"""
stages:
  - look.given: {{id: shapes, polygons: true, corners: {shapes}}}
  - for_each: {{id: read, in: shapes, stages: [look.quarters: {{id: seen}}], set: {{w: seen.width, h: seen.height}}}}
"""
    columns = run(text, scene([]))["read"].columns
    assert (columns["w"][0], columns["h"][0]) == (30, 30)
    assert np.isnan(columns["w"][1]), "what lies outside the picture is not run"


def test_drawing_on_the_source_is_exact_to_the_pixel() -> None:
    """Found on a small, turned, cropped picture; drawn on the frame: the outline hugs the disc."""
    x, y, radius = 150.0, 120.0, 30.0
    text = """
stages:
  - resize: {scale: 0.5}
  - rotate: {angle: 90}
  - crop: {x: 5, y: 5, width: 100, height: 160}
  - look.blobs: {id: found, in: crop, level: 127}
  - draw.boxes: {in: {image: source, objects: found}, label: "", thickness: 1, color: red}
"""
    picture = scene([(x, y, radius)])
    drawn = run(text, picture)["draw_boxes"].bgr()
    red = np.argwhere((drawn != picture).any(axis=2))
    low, high = red.min(axis=0)[::-1], red.max(axis=0)[::-1] + 1
    np.testing.assert_allclose(low, [x - radius, y - radius], atol=2.5)  # a pixel of the small picture is two
    np.testing.assert_allclose(high, [x + radius, y + radius], atol=2.5)
    assert abs(low - [x - radius, y - radius]).max() + abs(high - [x + radius, y + radius]).max() <= 4


def test_rotated_boxes_are_drawn_rotated() -> None:
    text = """
stages:
  - rotate: {angle: 30}
  - look.blobs: {id: found, level: 127}
  - draw.boxes: {in: {image: source, objects: found}, label: "", thickness: 1, color: red}
"""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    centre, half = np.array([180.0, 130.0]), np.array([40.0, 20.0])
    turn = np.deg2rad(30)  # upright after the picture is turned by 30 degrees counter-clockwise
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ axes
    cv2.fillPoly(picture, [np.round(corners - 0.5).astype(np.int32)], (255, 255, 255))
    drawn = run(text, picture)["draw_boxes"].bgr()
    red = np.argwhere((drawn != picture).any(axis=2) & (drawn[:, :, 2] > 200))[:, ::-1] + 0.5
    assert len(red) > 150
    local = np.abs((red - centre) @ axes.T)
    distance = np.abs(local - half).min(axis=1)
    assert np.percentile(distance, 95) <= 2.0, "the drawn outline lies on the edges of the rectangle"


def test_columns_read_deep_inside_come_out_on_the_outermost_objects() -> None:
    text = """
stages:
  - look.blobs: {id: discs, margin: 5}
  - for_each:
      id: outer
      in: discs
      stages:
        - look.blobs: {id: disc, margin: 2}
        - for_each:
            id: inner
            in: disc
            stages: [look.quarters: {id: seen}]
            set: {size: seen, bright: seen.tl}
      set: {bright: highest(inner.bright), size: best(inner.size.width), wide: last(highest(inner.size.width))}
"""
    result = run(text, scene([(60, 60, 10), (200, 150, 16)]))
    columns = result["outer"].columns
    order = np.argsort(result["outer"].xyxy[:, 0])
    wide = columns["wide"][order]
    assert wide[0] == pytest.approx(24, abs=2)
    assert wide[1] == pytest.approx(36, abs=2)
    assert (columns["bright"] > 100).all()


def test_a_whole_record_can_be_handed_up() -> None:
    """``set: {size: last(inner.size)}`` copies all fields of what the nested list read."""
    text = """
stages:
  - look.blobs: {id: discs, margin: 5}
  - for_each:
      id: outer
      in: discs
      stages:
        - look.blobs: {id: disc, margin: 2}
        - for_each: {id: inner, in: disc, stages: [look.quarters: {id: seen}], set: {size: seen}}
      set: {size: last(inner.size)}
"""
    columns = run(text, scene([(60, 60, 10)]))["outer"].columns
    assert columns["size.width"][0] == pytest.approx(24, abs=2)
    assert {f"size.{name}" for name in ("tl", "tr", "br", "bl", "width", "height")} <= set(columns)
