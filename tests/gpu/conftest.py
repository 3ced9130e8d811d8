"""The same tests on tensors of the CPU and, with ``-m gpu``, on an NVIDIA GPU."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from visionkit.data import Image


def has_gpu() -> bool:
    torch = pytest.importorskip("torch")
    return bool(torch.cuda.is_available())


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Where tensors lie."""
    if not has_gpu() and request.param == "cuda":
        pytest.skip("torch finds no NVIDIA GPU on this machine")
    return str(request.param)


@pytest.fixture
def gpu() -> str:
    """For what has no counterpart on a CPU."""
    if not has_gpu():
        pytest.skip("torch finds no NVIDIA GPU on this machine")
    return "cuda"


@pytest.fixture
def scene():
    """Makes pictures with smooth parts, edges and noise."""

    def make(width: int, height: int, order: str = "bgr", seed: int = 0) -> Image:
        rng = np.random.default_rng(seed)
        small = rng.integers(0, 256, (max(1, height // 40), max(1, width // 40), 3), dtype=np.uint8)
        pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(int)
        cv2.circle(soft := pixels.astype(np.uint8), (width // 2, height // 2), max(1, height // 4), (250, 30, 90), -1)
        noisy = np.clip(soft.astype(int) + rng.integers(-12, 13, soft.shape), 0, 255).astype(np.uint8)
        if order == "gray":
            return Image(noisy[..., 0].copy(), "gray")
        if order == "i420":
            return Image(cv2.cvtColor(noisy, cv2.COLOR_BGR2YUV_I420), "i420")
        return Image(noisy if order == "bgr" else cv2.cvtColor(noisy, cv2.COLOR_BGR2RGB), order)

    return make
