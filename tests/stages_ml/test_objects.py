"""``merge``, ``nms`` and ``select``."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.data import ABSENT, Canvas, Detections, Homography
from visionkit.expr import Expression
from visionkit.stages.objects.merge import Merge, MergeParams
from visionkit.stages.objects.nms import Nms, NmsParams
from visionkit.stages.objects.select import Select, SelectParams

FRAME = Canvas.source(640, 480)


def found(boxes, scores, names, canvas=FRAME, **columns) -> Detections:
    classes = tuple(dict.fromkeys(names)) or ("object",)
    ids = [classes.index(name) for name in names]
    return Detections(canvas, np.reshape(boxes, (-1, 4)), scores, ids, classes, columns=columns)


def test_merge_unites_classes_and_pictures() -> None:
    crop = FRAME.derive(100, 100, Homography.translation(300, 200))
    a = found([[10, 10, 60, 60], [5, 5, 9, 9]], [0.9, 0.3], ["car", "person"], speed=np.array([3.0, 4.0]))
    b = found([[1, 2, 31, 42]], [0.8], ["person"], canvas=crop)
    merged = Merge(MergeParams()).run((a, b))
    assert merged.canvas.is_frame
    assert merged.class_name.tolist() == ["car", "person", "person"]
    np.testing.assert_allclose(merged.xyxy[2], [301, 202, 331, 242])
    assert merged.columns["speed"][:2].tolist() == [3, 4]
    assert np.isnan(merged.columns["speed"][2])


def test_merge_of_nothing() -> None:
    assert Merge(MergeParams()).run(()) is ABSENT
    empty = Detections.empty(FRAME, ("car",))
    assert len(Merge(MergeParams()).run((empty, empty))) == 0
    assert Merge(MergeParams()).run((empty,)).canvas is FRAME


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, [0.9, 0.8, 0.6]),
        ({"agnostic": True}, [0.9, 0.6]),
        ({"iou": 1.0}, [0.9, 0.8, 0.7, 0.6]),
        ({"min_score": 0.75}, [0.9, 0.8]),
        ({"top_k": 1}, [0.9]),
        ({"soft": True, "min_score": 0.5}, [0.9, 0.8, 0.6]),
    ],
)
def test_nms(params, wanted) -> None:
    boxes = [[0, 0, 100, 100], [300, 300, 330, 330], [5, 5, 100, 100], [0, 5, 100, 105]]
    objects = found(boxes, [0.7, 0.6, 0.9, 0.8], ["car", "car", "car", "person"])
    kept = Nms(NmsParams(**params)).run(objects)
    assert kept.score.tolist() == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, [0, 1, 2]),
        ({"where": "height > 80 and age >= 3"}, [0]),
        ({"where": "age > 1"}, [0, 2]),
        ({"where": 'class_name == "car" or plate.text == "B 7"'}, [0, 1, 2]),
        ({"where": "plate.text is null"}, [0, 2]),
        ({"classes": ["person"]}, [1]),
        ({"classes": []}, []),
        ({"top_k": 2}, [1, 2]),
        ({"min_score": 0.5, "top_k": 1, "classes": ["car"]}, [2]),
    ],
)
def test_select(params, wanted) -> None:
    objects = found(
        [[0, 0, 50, 100], [0, 0, 50, 50], [0, 0, 50, 60]],
        [0.4, 0.9, 0.6],
        ["car", "person", "car"],
        age=np.array([4.0, np.nan, 2.0]),
        **{"plate.text": np.array([None, "B 7", None], object), "row": np.arange(3)},
    )
    kept = Select(SelectParams(**params)).run(objects)
    assert kept.columns["row"].tolist() == wanted


def test_select_measures_in_the_frame() -> None:
    half = FRAME.resize(320, 240)
    objects = found([[0, 0, 50, 50]], [0.9], ["car"], canvas=half)
    assert len(Select(SelectParams(where=Expression.parse("width > 90"))).run(objects)) == 1
