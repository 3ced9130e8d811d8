"""Where the files that ship with visionkit lie: weights, pipelines, samples.

In a checkout they are top-level folders; in an installed wheel the same folders lie under ``visionkit/_data``.
"""

from __future__ import annotations

from pathlib import Path

from visionkit.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The folder ``name`` ("weights", "pipelines", "samples") of this checkout or of the installed wheel.

    The wheel is asked first: beside an installed package lie other people's folders, perhaps of the same name.

    Raises:
        UsageError: visionkit is installed without the folder.
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise UsageError(f"this installation of visionkit has no folder {name!r}", help="reinstall visionkit")


def bundled_pipeline(name: str) -> Path | None:
    """The bundled pipeline of that name, with or without .yaml; None if there is none."""
    folder = resource_dir("pipelines")
    path = folder / (name if name.endswith(".yaml") else f"{name}.yaml")
    return path if path.parent == folder and path.is_file() else None
