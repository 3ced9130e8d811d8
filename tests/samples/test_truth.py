"""The ground truth beside the sample videos is exact, and the videos show what it says."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from samples.studio import tiny, traffic, walk
from samples.studio.scene import Scene

FILMS = ("traffic", "walk", "tiny", "upright")


def truth(samples: Path, name: str) -> dict[str, Any]:
    return json.loads((samples / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    """Without the painted sets: they do not change the truth."""
    return {
        "traffic": traffic.scene(painted=False),
        "walk": walk.scene(painted=False),
        "tiny": tiny.scene(),
        "upright": tiny.upright(),
    }


def some_frames(film: dict[str, Any], count: int = 7) -> list[dict[str, Any]]:
    return [film["frames"][i] for i in np.linspace(0, len(film["frames"]) - 1, count).astype(int)]


@pytest.mark.parametrize("name", FILMS)
def test_an_object_drawn_alone_fills_its_box(samples: Path, scenes: dict[str, Scene], name: str) -> None:
    film = truth(samples, name)
    measured = 0
    for frame in some_frames(film, 20):
        for one in frame["objects"]:
            if min(one["box"][:2]) < 1 or np.any(np.array(one["box"][2:]) > np.array(film["size"]) - 1):
                continue  # what is beyond the edge cannot be measured
            alpha = scenes[name].alone(one["id"], float(frame["pts"] * Fraction(film["time_base"])))
            rows, columns = np.nonzero(alpha >= 0.5)
            found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            assert np.abs(found - one["box"]).max() <= 1.0, (name, frame["index"], one, found)
            measured += 1
    assert measured >= 10


@pytest.mark.parametrize("name", FILMS)
def test_rendering_again_gives_the_stored_truth(samples: Path, scenes: dict[str, Scene], name: str) -> None:
    film = truth(samples, name)
    for frame in some_frames(film, 4):
        _, seen = scenes[name].render(float(frame["pts"] * Fraction(film["time_base"])))
        again = {one.number: one for one in seen}
        for one in frame["objects"]:
            assert np.allclose(again[one["id"]].box, one["box"], atol=0.011)
            assert again[one["id"]].visible == pytest.approx(one["visible"], abs=0.01)
            if "plate" in one:
                assert np.allclose(again[one["id"]].plate, one["plate"]["corners"], atol=0.011)


@pytest.mark.parametrize(
    ("name", "picture"), [("tiny", 30), ("upright", 30), pytest.param("traffic", 160, marks=pytest.mark.slow)]
)
def test_rendering_again_gives_nearly_the_stored_picture(samples: Path, name: str, picture: int) -> None:
    film = truth(samples, name)
    scene = {"traffic": traffic.scene, "tiny": tiny.scene, "upright": tiny.upright}[name]()
    drawn, _ = scene.render(float(film["frames"][picture]["pts"] * Fraction(film["time_base"])))
    stored = decoded(samples / f"{name}.mp4")[picture].to_ndarray(format="bgr24")
    if name == "upright":
        stored = cv2.rotate(stored, cv2.ROTATE_90_CLOCKWISE)
    stored[:10], drawn[:10] = 0, 0  # the number in the corner of tiny.mp4
    assert cv2.PSNR(stored, drawn) > 27


def decoded(path: Path) -> list[Any]:
    with av.open(str(path)) as file:
        return list(file.decode(file.streams.video[0]))


@pytest.mark.parametrize("name", FILMS)
def test_time_stamps_are_those_of_the_truth(samples: Path, name: str) -> None:
    film = truth(samples, name)
    base = Fraction(film["time_base"])
    frames = decoded(samples / f"{name}.mp4")
    assert [frame.pts * frame.time_base for frame in frames] == [frame["pts"] * base for frame in film["frames"]]
    assert [frame["index"] for frame in film["frames"]] == list(range(len(frames)))


def test_the_walk_has_a_variable_frame_rate(samples: Path) -> None:
    gaps = {b["pts"] - a["pts"] for a, b in pairwise(truth(samples, "walk")["frames"])}
    assert gaps == set(walk.GAPS)


def test_one_car_is_fully_hidden_for_thirty_frames(samples: Path) -> None:
    film = truth(samples, "traffic")
    longest: dict[int, int] = {}
    for number in map(int, film["objects"]):
        shown = [one["visible"] for frame in film["frames"] for one in frame["objects"] if one["id"] == number]
        inner = np.trim_zeros(np.array(shown))
        longest[number] = max((len(list(run)) for hidden, run in groupby(inner == 0) if hidden), default=0)
    assert longest[3] == 30
    assert all(run < 20 for number, run in longest.items() if number != 3)


@pytest.mark.parametrize("name", ["traffic", "walk"])
def test_objects_cross_enter_and_leave(samples: Path, name: str) -> None:
    film = truth(samples, name)
    pairs = {
        (a["id"], b["id"])
        for frame in film["frames"]
        for a in frame["objects"]
        for b in frame["objects"]
        if a["id"] < b["id"] and overlap(np.array(a["box"]), np.array(b["box"])) > 0.2
    }
    assert len(pairs) >= 3
    first, last = ({one["id"] for one in film["frames"][i]["objects"]} for i in (0, -1))
    everyone = set(map(int, film["objects"]))
    assert everyone - first
    assert everyone - last


def overlap(a: Any, b: Any) -> float:
    """Intersection over union."""
    width, height = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - width * height
    return float(width * height / union)


@pytest.mark.parametrize("name", FILMS)
def test_the_mot_file_says_the_same(samples: Path, name: str) -> None:
    film = truth(samples, name)
    rows = np.loadtxt(samples / f"{name}.mot.txt", delimiter=",", ndmin=2)
    stored = {(int(row[0]), int(row[1])): row for row in rows}
    assert len(stored) == len(rows) == sum(len(frame["objects"]) for frame in film["frames"])
    for frame in film["frames"]:
        for one in frame["objects"]:
            row = stored[frame["index"] + 1, one["id"]]
            box = np.clip(one["box"], 0, film["size"] * 2)
            assert np.allclose([*row[2:4], *(row[2:4] + row[4:6])], box, atol=0.011)
            assert row[6] == (one["visible"] >= 0.1)


def test_the_tiny_film_carries_its_frame_numbers(samples: Path) -> None:
    for index, frame in enumerate(decoded(samples / "tiny.mp4")):
        bits = frame.to_ndarray(format="gray")[3:7].mean(0)[: 8 * 10].reshape(8, 10)[:, 3:7].mean(1) > 128
        assert int("".join(str(int(bit)) for bit in bits), 2) == index


@pytest.mark.slow
def test_plates_can_be_read(samples: Path) -> None:
    """A recogniser that knows nothing of them reads nine of ten fully visible plates right."""
    rapidocr = pytest.importorskip("rapidocr")
    engine = rapidocr.RapidOCR(params={"Global.log_level": "critical"})
    film, right, total = truth(samples, "traffic"), 0, 0
    for frame, known in zip(decoded(samples / "traffic.mp4"), film["frames"], strict=True):
        plates = [one["plate"] for one in known["objects"] if one["plate"]["visible"] > 0.99]
        if known["index"] % 15 or not plates:
            continue
        picture = frame.to_ndarray(format="bgr24")
        for plate in plates:
            x1, y1, x2, y2 = np.round(plate["box"]).astype(int)
            read = engine(
                np.ascontiguousarray(picture[max(y1 - 2, 0) : y2 + 2, max(x1 - 2, 0) : x2 + 2]),
                use_det=False,
                use_cls=False,
            )
            right += read.txts[0].replace(" ", "") == plate["text"]
            total += 1
    assert total >= 10
    assert right / total >= 0.9
