"""Hostile and broken weights through every loader: a clear error, and no code runs."""

from __future__ import annotations

import hashlib
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.weights.conftest import Malice
from visionkit.errors import WeightsError
from visionkit.weights import Catalogue, check_pickle, load_state_dict, load_torch

torch = pytest.importorskip("torch")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "code-was-run"


@pytest.fixture(params=["zip", "legacy", "bare pickle"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path, mark: Path) -> Path:
    path = tmp_path / "hostile.pt"
    held = {"weight": torch.zeros(3), "extra": Malice(mark)}
    if request.param == "bare pickle":
        path.write_bytes(pickle.dumps(held, protocol=2))
    else:
        torch.save(held, path, _use_new_zipfile_serialization=request.param == "zip")
    return path


@pytest.fixture
def nothing(tmp_path: Path) -> Catalogue:
    """A catalogue without entries."""
    return Catalogue([tmp_path / "nothing"])


@pytest.fixture
def known(tmp_path: Path) -> Any:
    """Makes a catalogue that has a file, trusted or not."""

    def make(path: Path, trusted: str) -> Catalogue:
        folder = tmp_path / "known" / "detect"
        folder.mkdir(parents=True)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / "toy.yaml").write_text(
            f"architecture: toy\nloader: file\nlicence: MIT\ntrusted: {trusted}\n"
            f"files:\n  - {{name: a.pt, size: 3, sha256: '{digest}', sources: [{{bundled: a.pt}}]}}\n"
        )
        return Catalogue([folder.parent])

    return make


@pytest.mark.parametrize("load", [load_torch, load_state_dict, check_pickle])
def test_a_hostile_pickle_runs_nothing(hostile: Path, mark: Path, nothing: Catalogue, load: Any) -> None:
    with pytest.raises(WeightsError, match="could run any code") as caught:
        load(hostile, nothing)
    assert caught.value.code == "VK316"
    assert "--trust-weights" in caught.value.help
    assert not mark.exists()


def test_the_test_would_see_code_that_runs(hostile: Path, mark: Path, nothing: Catalogue) -> None:
    with suppress(WeightsError):  # the bare pickle is no PyTorch file, which is found out too late
        load_torch(hostile, nothing, trust=True)
    assert mark.exists()


def test_a_known_hash_is_trusted_and_another_is_not(hostile: Path, mark: Path, known: Any, tmp_path: Path) -> None:
    catalogue = known(hostile, "true")
    assert check_pickle(hostile, catalogue) == hostile
    changed = tmp_path / "changed.pt"
    torch.save({"more": Malice(mark)}, changed)
    with pytest.raises(WeightsError):
        check_pickle(changed, catalogue)
    assert not mark.exists()


def test_an_import_that_was_not_trusted_is_not(hostile: Path, mark: Path, known: Any) -> None:
    with pytest.raises(WeightsError, match="could run any code"):
        load_torch(hostile, known(hostile, "false"))
    assert not mark.exists()


def test_plain_tensors_load_whoever_made_them(tmp_path: Path, nothing: Catalogue) -> None:
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    torch.save({"epoch": 3, "state_dict": tensors}, tmp_path / "a.pth")
    loaded = load_state_dict(check_pickle(tmp_path / "a.pth", nothing), nothing)
    assert loaded.keys() == tensors.keys()
    assert torch.equal(loaded["a"], tensors["a"])


def test_safetensors_load(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file({"a": torch.arange(3.0)}, tmp_path / "a.safetensors")
    assert torch.equal(load_state_dict(tmp_path / "a.safetensors")["a"], torch.arange(3.0))
    (tmp_path / "a.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:40])
    with pytest.raises(WeightsError, match="cannot be read as safetensors") as caught:
        load_state_dict(tmp_path / "a.safetensors")
    assert caught.value.code == "VK319"


@pytest.mark.parametrize(
    "content", [b"", b"hello world" * 100, b"\x80\x02", None], ids=["empty", "text", "cut", "half"]
)
@pytest.mark.parametrize("trust", [False, True])
def test_what_is_no_pytorch_file_is_an_error(
    tmp_path: Path, nothing: Catalogue, content: bytes | None, trust: bool
) -> None:
    path = tmp_path / "a.pt"
    if content is None:
        torch.save({"a": torch.arange(3.0)}, path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        load_state_dict(path, nothing, trust=trust)


def test_a_file_without_tensors_is_an_error(tmp_path: Path, nothing: Catalogue) -> None:
    torch.save([1, 2], tmp_path / "a.pt")
    with pytest.raises(WeightsError, match="holds list, not tensors by name"):
        load_state_dict(tmp_path / "a.pt", nothing)
