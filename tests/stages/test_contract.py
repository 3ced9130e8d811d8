"""Every stage of the catalogue passes the public suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from visionkit.data import Field, Image
from visionkit.errors import MissingExtraError, WeightsError
from visionkit.stage.catalogue import stages
from visionkit.testing import CountingContext, check_stage, heavy_imports

# Stages whose defaults do not suit the small pictures of the suite.
PARAMS: Mapping[str, Mapping[str, Any]] = {
    **{
        name: {"probability": 1}
        for name in stages().names()
        if name.startswith("augment.") and name != "augment.pixels"
    },
    "augment.pixels": {"transform": "Posterize", "options": {"num_bits": 3}, "probability": 1},
    "contours": {"level": 60, "min_area": 4},
    "filter.nlm": {"search": 7, "patch": 3},
    "style.arbitrary": {"style": "samples/style/starry_night.jpg"},
    "style.gatys": {"style": "samples/style/starry_night.jpg", "steps": 1, "size": 32},
    "hough.circles": {"votes": 8, "min_radius": 3},
    "hough.lines": {"votes": 5, "min_length": 5},
}


def with_flow(image: Image) -> Mapping[str, Any]:
    values = np.full((image.height, image.width, 2), (2, -1), np.float32)
    return {"image": image, "flow": Field(image.canvas, values, "flow")}


# Stages that take one kind of a type alone.
INPUTS: Mapping[str, Callable[[Image], Mapping[str, Any]]] = {"draw.flow": with_flow}


@pytest.fixture(scope="module")
def context() -> CountingContext:
    """One for all, so that each network is loaded once."""
    return CountingContext()


ELSEWHERE = {"labels", "labels.mask"}
"""They need a data set: test_labels.py checks them."""


@pytest.mark.timeout(600)  # some networks take seconds a picture
@pytest.mark.parametrize("name", sorted(set(stages().names()) - ELSEWHERE))
def test_stage_keeps_the_contract(name: str, context: CountingContext) -> None:
    try:
        check_stage(stages().get(name), PARAMS.get(name), INPUTS.get(name), context=context, fresh_import=False)
    except MissingExtraError as error:
        pytest.skip(str(error))
    except WeightsError as error:
        if error.code not in ("VK312", "VK317"):
            raise
        pytest.skip(f"the weights are not on this machine and cannot be fetched: {error.message}")


def test_no_stage_imports_anything_heavy() -> None:
    assert heavy_imports(sorted({stages().get(name).__module__ for name in stages().names()})) == {}
