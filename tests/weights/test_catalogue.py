"""The catalogue: names without reading, entries with everything in them, errors that help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.weights.conftest import MakeEntry
from visionkit.errors import WeightsError
from visionkit.weights import Catalogue, FileSpec, Source, licences

DIGEST = "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    (folder / "classes").mkdir(parents=True)
    (folder / "detect").mkdir()
    (folder / "classes" / "pets.txt").write_text("cat\ndog\n")
    (folder / "detect" / "pets_small.yaml").write_text(
        "architecture: toy\nloader: onnx\nclasses: pets\nlicence: MIT\n"
        f"files:\n  - {{name: a.onnx, size: 3, sha256: '{DIGEST}', sources: [{{url: 'https://example.org/a.onnx'}}]}}\n"
    )
    return folder


def test_name_and_task_come_from_the_path(folder: Path) -> None:
    catalogue = Catalogue([folder])
    entry = catalogue.get("pets_small")
    assert (entry.name, entry.task, entry.class_list, entry.classes) == ("pets_small", "detect", "pets", ("cat", "dog"))
    assert catalogue.names() == catalogue.names("detect") == ("pets_small",)
    assert catalogue.names("classify") == ()
    assert "pets_small" in catalogue
    assert "pets" not in catalogue


def test_an_unknown_name_gets_the_nearest(folder: Path) -> None:
    with pytest.raises(WeightsError, match="no weights are called 'pet_smal'") as caught:
        Catalogue([folder]).get("pet_smal")
    assert caught.value.code == "VK311"
    assert caught.value.help == "did you mean 'pets_small'?"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: b: c", "not valid YAML"),
        ("- list", "must hold a mapping"),
        ("licence: MIT\nlicence: MIT", "not valid YAML"),
        ("architecture: toy\nloader: onnx\nlicence: MIT\nfiles: []", "files"),
        (
            "architecture: toy\nloader: onnx\nlicence: MIT\nclasses: absent\nfiles: []",
            "no class list classes/absent.txt",
        ),
        ("colour: red", "colour"),
    ],
)
def test_a_malformed_entry_is_named(folder: Path, text: str, says: str) -> None:
    (folder / "detect" / "pets_small.yaml").write_text(text)
    with pytest.raises(WeightsError, match=says) as caught:
        Catalogue([folder]).get("pets_small")
    assert caught.value.code == "VK319"
    assert "pets_small.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"url": "https://example.org/x", "bundled": "x"},
        {"pypi": "toynet==1.0"},
        {"pypi": "toynet", "member": "x"},
        {"pypi": "--index-url=https://example.org toynet==1.0", "member": "x"},
        {"npm": "--registry=x", "member": "x"},
        {"url": "file:///etc/hostname"},
        {"bundled": "../x"},
    ],
)
def test_a_source_is_exactly_one_safe_place(source: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Source(**source)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\nb", "-x"])
def test_a_file_name_is_no_path(name: str) -> None:
    with pytest.raises(ValidationError):
        FileSpec(name=name, size=1, sha256=DIGEST, sources=(Source(bundled="x"),))


def test_the_digest_follows_every_file(make_entry: MakeEntry) -> None:
    one, other = make_entry({"bundled": "a"}), make_entry({"bundled": "b"})
    assert one.digest == other.digest  # where a file comes from does not matter
    assert make_entry({"bundled": "a"}, content=b"x").digest != one.digest


def test_a_user_entry_never_hides_a_shipped_one(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "detect"
    mine.mkdir(parents=True)
    (mine / "pets_small.yaml").write_text("licence: mine")
    (mine / "other.yaml").write_text((folder / "detect" / "pets_small.yaml").read_text())
    catalogue = Catalogue([folder, mine.parent])
    assert catalogue.get("pets_small").licence == "MIT"
    assert catalogue.get("other").classes == ("cat", "dog")


def test_licences_name_copyleft_first(make_entry: MakeEntry) -> None:
    entries: list[Any] = [make_entry({"bundled": "a"}), make_entry({"bundled": "a"}, licence="AGPL-3.0", copyleft=True)]
    summary = licences(entries)
    assert [(row.licence, row.copyleft, row.names) for row in summary] == [
        ("AGPL-3.0", True, ("toy",)),
        ("MIT", False, ("toy",)),
    ]


def test_looking_up_names_and_classes_imports_nothing_heavy() -> None:
    code = (
        "import sys; from visionkit.weights import Catalogue; c = Catalogue.load(); c.names('detect');"
        "assert c.get('ssd_mobilenet_v2').classes[1] == 'person';"
        "heavy = {'numpy', 'torch', 'cv2', 'urllib.request', 'ssl', 'filelock'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
