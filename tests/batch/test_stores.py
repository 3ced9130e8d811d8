"""Addresses of any file system that fsspec knows: here one on a disk, with a host, a password and folders."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.batch.batches import everything, visionkit
from visionkit.api import Pipeline
from visionkit.errors import MissingExtraError, SinkError, SourceError, UsageError
from visionkit.media.remote import places
from visionkit.media.remote.ahead import ahead
from visionkit.media.remote.stores import is_store

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
from fsspec.implementations.local import LocalFileSystem  # noqa: E402

USER = "me:hunter2"


class Depot(LocalFileSystem):  # type: ignore[misc]
    """``depot://user:password@host/path``: folders have to be made, and nothing is replaced by a move."""

    protocol = "depot"
    root = ""

    def __init__(self, host: str = "", password: str | None = None, **options: Any) -> None:
        super().__init__(auto_mkdir=False, **options)
        if password != "hunter2" or host != "shelf":
            raise PermissionError(f"depot://me:{password}@{host}/ lets nobody in")

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        parts = urlsplit(path)
        return {"host": parts.hostname, "password": parts.password}

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        text = str(path)
        inner = text.partition("://")[2].partition("/")[2]
        return (f"{cls.root}/{inner}" if text.startswith("depot://") else text).rstrip("/")

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        if Path(path2).exists():
            raise FileExistsError(path2)
        Path(path1).rename(path2)


@pytest.fixture
def depot(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A depot with twelve pictures below ``in/deep``."""
    fsspec.register_implementation("depot", Depot, clobber=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Depot, "root", str(tmp_path / "depot"))
    shutil.copytree(folder, tmp_path / "depot" / "in" / "deep")
    yield tmp_path / "depot"
    Depot.clear_instance_cache()


def test_a_folder_there_gives_what_it_gives_here(pipeline: Path, folder: Path, depot: Path, tmp_path: Path) -> None:
    made, there = Pipeline.load(pipeline), f"depot://{USER}@shelf"
    made.write(folder, out=tmp_path / "here")
    assert made.write(f"{there}/in", out=f"{there}/out/deeper").out == 12
    found = everything(depot / "out" / "deeper")
    assert sorted(found) == sorted(
        f"deep/{name}" if name.endswith(".png") else name for name in everything(tmp_path / "here")
    )
    assert found["deep/3.png"] == (tmp_path / "here" / "3.png").read_bytes()
    assert b"hunter2" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert made.write(f"{there}/in", out=f"{there}/out/deeper").counts["skipped"] == 12
    shutil.copy(depot / "in" / "deep" / "1.png", depot / "in" / "deep" / "2.png")
    assert made.write(f"{there}/in", out=f"{there}/out/deeper").out == 1  # tables are replaced
    assert made.write(f"{there}/in/deep/1*.png", out=tmp_path / "some").out == 3
    assert made.write(f"{there}/in/deep/4.png", out=tmp_path / "one").out == 1


def test_who_may_not_enter_is_told_so_without_the_password(pipeline: Path, depot: Path) -> None:
    with pytest.raises(SourceError, match="lets nobody in") as caught:
        list(Pipeline.load(pipeline).run("depot://me:secret77@shelf/in"))
    assert "secret77" not in str(caught.value)
    with pytest.raises(SinkError, match="lets nobody in"):
        Pipeline.load(pipeline).write(depot / "in", out="depot://shelf/out")
    with pytest.raises(UsageError, match="no pictures"):
        list(Pipeline.load(pipeline).run(f"depot://{USER}@shelf/nothing"))


def test_what_was_given_away_still_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for more: the files that are in work, and those that wait for a thread, are wanted all the same."""
    asked = []

    def slow(url: str) -> bytes:
        asked.append(url)
        time.sleep(0.05)
        return url.encode()

    monkeypatch.setattr("visionkit.media.remote.ahead.fetch", slow)
    names = [str(i) for i in range(60)]
    everyone = list(ahead((name, 1) for name in names))
    assert [wait() for wait in everyone] == [name.encode() for name in names]
    asked.clear()
    stopped = ahead((name, 1) for name in names)
    some = [next(stopped) for _ in range(25)]
    stopped.close()
    assert [wait() for wait in some] == [name.encode() for name in names[:25]]
    assert len(asked) <= 41


def test_local_files_and_chains_are_not_opened() -> None:
    assert all(map(is_store, ("gs://b/x", "sftp://h/x", "az://c/x", "abfs://c@a/x", "hf://datasets/x")))
    for url in ("file:///etc", "local:///etc", "zip://a", "reference://a", "simplecache://a", "http://a", "rtsp://a"):
        assert not is_store(url)
    for url in ("gs://b/x.png::file:///etc/x.zip", "sftp://h/x::memory://y"):
        with pytest.raises(UsageError, match="::"):
            places.fetch(url)


def test_a_missing_package_is_named(pipeline: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingExtraError, match=r"gs://.*gcsfs"):
        list(Pipeline.load(pipeline).run("gs://bucket/x.png"))
    with pytest.raises(MissingExtraError, match="gcsfs"):
        Pipeline.load(pipeline).write(folder, out="gs://bucket/x")


def test_the_command_line_says_which_package(pipeline: Path) -> None:
    if importlib.util.find_spec("gcsfs") is not None:
        pytest.skip("gcsfs is installed")
    done = visionkit("run", pipeline, "gs://bucket/x.png")
    assert done.returncode == 6
    assert "gcsfs" in done.stderr
