"""NMS against torchvision's and against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionkit.backends import nms, soft_nms
from visionkit.data.geometry import iou


def boxes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 200, (count, 2)), rng.uniform(5, 90, (count, 2))
    xyxy = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    return xyxy, rng.uniform(0, 1, count).astype(np.float32), rng.integers(0, 3, count).astype(np.int32)


def greedy(xyxy, scores, class_id, threshold) -> list[int]:
    """NMS as it is defined."""
    kept: list[int] = []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        rivals = [k for k in kept if class_id is None or class_id[k] == class_id[i]]
        if all(iou(xyxy[i : i + 1], xyxy[k : k + 1])[0, 0] <= threshold for k in rivals):
            kept.append(i)
    return kept


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]), st.booleans())
def test_hard_nms_is_the_definition(count, seed, threshold, agnostic) -> None:
    xyxy, scores, class_id = boxes(count, seed)
    classes = None if agnostic else class_id
    assert nms(xyxy, scores, classes, threshold).tolist() == greedy(xyxy, scores, classes, threshold)


def test_equals_torchvision() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    xyxy, scores, class_id = boxes(300, 1)
    wanted = ops.batched_nms(torch.from_numpy(xyxy), torch.from_numpy(scores), torch.from_numpy(class_id), 0.45)
    assert nms(xyxy, scores, class_id, 0.45).tolist() == wanted.tolist()


def test_ties_zeros_and_top_k() -> None:
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    zeros = np.zeros(3, np.float32)
    assert nms(xyxy, zeros, None, 0.5).tolist() == [0, 2]
    assert nms(xyxy, zeros, None, 1.0, top_k=2).tolist() == [0, 1]


def test_soft_nms_lowers_instead_of_dropping() -> None:
    xyxy = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    index, lowered = soft_nms(xyxy, scores, None, 0.01)
    overlap = float(iou(xyxy[:1], xyxy[1:2])[0, 0])
    assert index.tolist() == [0, 2, 1]
    np.testing.assert_allclose(lowered, [0.9, 0.7, 0.8 * np.exp(-(overlap**2) / 0.5)], rtol=1e-5)
    assert soft_nms(xyxy, scores, np.array([0, 1, 0]), 0.01)[1].tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert soft_nms(xyxy[:0], scores[:0], None, 0.01)[0].tolist() == []
