"""Real networks for the tests of the stages that run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from visionkit.backends import ModelCache
from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.weights import Catalogue, Store


@dataclass
class Context:
    """The hand that the engine gives a stage in ``open``."""

    models: ModelCache
    stage_id: str = "stage"
    device: str = "cpu"
    seed: int = 0

    def model(self, name: str, task: str) -> Any:
        try:
            return self.models.model(name, task)
        except WeightsError as error:
            if error.code in ("VK312", "VK317"):
                pytest.skip(f"the weights {name} are not on this machine and cannot be fetched")
            raise

    def file(self, name: str, part: str | None = None) -> Path:
        return self.models.file(name, part)

    def report(self, message: str) -> None:
        raise AssertionError(message)


@pytest.fixture(scope="session")
def models() -> Iterator[ModelCache]:
    cache = ModelCache(Catalogue.load(), Store())
    yield cache
    cache.close()


@pytest.fixture
def opened(models: ModelCache) -> Iterator[Callable[[Any], Any]]:
    """Opens a stage and closes it after the test."""
    stages: list[Any] = []

    def open_(stage: Any) -> Any:
        stage.open(Context(models))
        stages.append(stage)
        return stage

    yield open_
    for stage in stages:
        stage.close()


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> list[Image]:
    """Eight street and indoor photos of several sizes."""
    from visionkit.lazy import cv2

    paths = sorted((shared_data / "coco128" / "images").glob("*.jpg"))
    return [Image(cv2.imread(str(paths[place]))) for place in (0, 1, 2, 3, 8, 34, 61, 90)]
