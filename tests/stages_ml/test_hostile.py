"""A file that would run code, handed to every loader there is: an error, and nothing has run."""

from __future__ import annotations

import hashlib
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from visionkit.backends import Settings, load_model
from visionkit.backends.loaders import LOADERS
from visionkit.errors import UsageError, WeightsError
from visionkit.stage.catalogue import stages
from visionkit.weights import Catalogue, Entry, FileSpec, Source, import_file

torch = pytest.importorskip("torch")
WHAT = {
    "torchvision": "torchvision:mobilenet_v2",
    "timm": "timm:resnet18",
    "smp": "smp:Unet",
    "nets": "nets:unet.unet_mobilenet",
    "keras-h5": "keras-h5:hed.hed",
}
FORMS = {
    "whole": lambda evil, path: torch.save(evil, path),
    "in a checkpoint": lambda evil, path: torch.save({"model": evil, "ema": None, "epoch": 3}, path),
    "in a state dict": lambda evil, path: torch.save({"state_dict": {"weight": torch.zeros(2), "bias": evil}}, path),
    "old format": lambda evil, path: torch.save({"model": evil}, path, _use_new_zipfile_serialization=False),
    "bare pickle": lambda evil, path: path.write_bytes(pickle.dumps(evil)),
}


class Evil:
    """Unpickling it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture(params=FORMS)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "net.pt"
    FORMS[request.param](Evil(tmp_path / "ran"), path)
    return path


def entry_of(path: Path, loader: str, name: str = "net") -> Entry:
    """An entry that a user imported, and did not trust."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = FileSpec(name=path.name, size=path.stat().st_size, sha256=digest, sources=(Source(bundled=path.name),))
    settings = {"tensors": [0] * 38}
    values = {"name": name, "task": "detect", "architecture": "a test", "licence": "none", "folder": path.parent}
    return Entry(**values, loader=loader, files=(spec,), trusted=False, settings=settings, preprocessing={})


@pytest.mark.parametrize("kind", LOADERS)
def test_no_loader_runs_what_is_in_it(hostile: Path, kind: str) -> None:
    entry = entry_of(hostile, WHAT.get(kind, kind))
    with pytest.raises(WeightsError):
        load_model(entry, (hostile,), Settings())
    assert not (hostile.parent / "ran").exists()


def test_no_import_runs_what_is_in_it(hostile: Path, tmp_path: Path) -> None:
    for task, more in [("detect", {}), ("classify", {"like": "mobilenet_v2"})]:
        folder = tmp_path / task
        try:
            entry = import_file(hostile, task=task, user_folder=folder, **more)  # type: ignore[arg-type]
        except (UsageError, WeightsError):
            assert not list(folder.rglob("*.*"))
        else:  # nothing in it was looked at yet
            with pytest.raises(WeightsError):
                load_model(entry, (folder / task / "net.pt",), Settings())
    assert not (tmp_path / "ran").exists()


def test_easyocr_never_sees_it(hostile: Path) -> None:
    """The library unpickles in full, so the stage looks first."""
    pytest.importorskip("easyocr")

    class Context:
        device = "cpu"
        models = None

        def model(self, name: str, task: str) -> Any:
            raise AssertionError(name)

        def file(self, name: str, part: str | None = None) -> Path:
            return hostile

        def report(self, message: str) -> None:
            raise AssertionError(message)

    stage = stages().get("ocr.easyocr")
    with pytest.raises(WeightsError):
        stage(stage.Params()).open(Context())
    assert not (hostile.parent / "ran").exists()


def test_the_test_would_see_code_that_runs(hostile: Path) -> None:
    with suppress(RuntimeError):  # a bare pickle is run before torch finds that it is no file of its own
        torch.load(hostile, weights_only=False)
    assert (hostile.parent / "ran").exists()
    assert not Catalogue.load().trusts(hashlib.sha256(hostile.read_bytes()).hexdigest())


@pytest.mark.parametrize("kind", ["graphs", "tensorrt", "nonsense"])
def test_only_loaders_can_be_named_by_an_entry(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="there is no loader"):
        load_model(entry_of(path, kind), (path,), Settings())
