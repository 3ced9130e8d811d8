"""The weights catalogue, the store of verified files, and safe loading.

Checking a pipeline needs names and classes only, so the store and its network code are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.weights.catalogue import Catalogue, LicenceSummary, licences, user_weights_dir
from visionkit.weights.entry import Entry, FileSpec, Preprocessing, Quality, Source

if TYPE_CHECKING:
    from visionkit.weights.importing import import_file as import_file
    from visionkit.weights.safe import check_pickle as check_pickle
    from visionkit.weights.safe import load_state_dict as load_state_dict
    from visionkit.weights.safe import load_torch as load_torch
    from visionkit.weights.store import Store as Store

_HOMES = {
    "Store": "store",
    "check_pickle": "safe",
    "import_file": "importing",
    "load_state_dict": "safe",
    "load_torch": "safe",
}
__all__ = [
    "Catalogue",
    "Entry",
    "FileSpec",
    "LicenceSummary",
    "Preprocessing",
    "Quality",
    "Source",
    "Store",
    "check_pickle",
    "import_file",
    "licences",
    "load_state_dict",
    "load_torch",
    "user_weights_dir",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
