"""Scores, against cases small enough to work out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pycocotools")

from visionkit.train.metrics import box_scores, pixel_scores  # noqa: E402  (they need torch)
from visionkit.train.samples import Sample  # noqa: E402

EMPTY = torch.zeros((3, 100, 100), dtype=torch.uint8)
BOX = [10.0, 10.0, 50.0, 50.0]


def truth(*labels: int) -> Sample:
    return Sample("a", EMPTY, torch.tensor([BOX] * len(labels)).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64))


def found(*rows: tuple[list[float], int, float]) -> dict[str, torch.Tensor]:
    return {
        "boxes": torch.tensor([row[0] for row in rows]).reshape(-1, 4),
        "labels": torch.tensor([row[1] for row in rows], dtype=torch.int64),
        "scores": torch.tensor([row[2] for row in rows]),
    }


def test_all_found_is_one_and_nothing_found_is_nought() -> None:
    assert box_scores([found((BOX, 1, 0.9))], [truth(1)], ["cell"]).map50 == pytest.approx(1)
    assert box_scores([found()], [truth(1)], ["cell"]).map50 == 0


@pytest.mark.parametrize(("shift", "expected"), [(13.0, 1.0), (14.0, 0.0)])
def test_half_an_overlap_decides(shift: float, expected: float) -> None:
    moved = [BOX[0] + shift, BOX[1], BOX[2] + shift, BOX[3]]  # 27/53 = 0.509, 26/54 = 0.481
    assert box_scores([found((moved, 1, 0.9))], [truth(1)], ["cell"]).map50 == pytest.approx(expected)


def test_a_false_alarm_ahead_of_the_hit_halves_the_precision() -> None:
    away = [60.0, 60, 90, 90]
    scores = box_scores([found((away, 1, 0.9), (BOX, 1, 0.5))], [truth(1)], ["cell"])
    assert scores.map50 == pytest.approx(0.5)


def test_the_mean_is_over_the_classes_that_occur() -> None:
    scores = box_scores([found((BOX, 1, 0.9))], [truth(1, 2)], ["red", "white", "never"])
    assert scores.per_class["red"] == pytest.approx(1)
    assert scores.per_class["white"] == 0
    assert scores.map50 == pytest.approx(0.5)


def test_pixel_scores_count_over_all_pictures() -> None:
    a = torch.tensor([[1, 1, 0, 0]]).bool(), torch.tensor([[1, 0, 0, 0]]).bool()
    b = torch.tensor([[0, 0], [1, 0]]).bool(), torch.tensor([[0, 0], [1, 1]]).bool()
    scores = pixel_scores([a[0], b[0]], [a[1], b[1]])  # 2 right, 2 wrong, 4 right background
    assert scores.iou == pytest.approx(2 / 4)
    assert scores.f1 == pytest.approx(4 / 6)
    assert scores.background_f1 == pytest.approx(8 / 10)
