"""The toy stages of the engine's tests, in the catalogue for every test here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.language.looking import TARGETS as LOOKING
from tests.runtime.toys import TARGETS as TOYS
from visionkit.stage import catalogue


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    """The toy stages join the catalogue as a plugin's would."""
    plugins = catalogue._plugins
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            catalogue, "_plugins", lambda group: {**TOYS, **LOOKING} if group == "visionkit.stages" else plugins(group)
        )
        catalogue.stages.cache_clear()
        yield
    catalogue.stages.cache_clear()
