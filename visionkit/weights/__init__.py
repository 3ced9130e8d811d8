"""The weights catalogue, the store of verified files, and safe loading.

Checking a pipeline needs names and classes only, so the store and its network code are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.weights.catalogue import Catalogue, LicenceSummary, licences, user_weights_dir
from visionkit.weights.entry import Entry, FileSpec, Preprocessing, Quality, Source

if TYPE_CHECKING:
    from visionkit.weights.store import Store as Store

__all__ = [
    "Catalogue",
    "Entry",
    "FileSpec",
    "LicenceSummary",
    "Preprocessing",
    "Quality",
    "Source",
    "Store",
    "licences",
    "user_weights_dir",
]


def __getattr__(name: str) -> Any:
    if name == "Store":
        from visionkit.weights.store import Store

        return Store
    raise AttributeError(name)
