"""The store against a server that misbehaves: the right file, or a clear error and nothing under a final name."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.weights.conftest import CONTENT, MakeEntry, Site, names_in
from visionkit.errors import WeightsError
from visionkit.weights import Entry, Store, fetch

PATH = "/net.onnx"


@pytest.fixture
def entry(site: Site, make_entry: MakeEntry) -> Entry:
    site.pages[PATH] = CONTENT
    return make_entry({"url": site.url + PATH})


def test_fetches_once_and_reports_progress(site: Site, entry: Entry, store: Store) -> None:
    seen: list[tuple[str, int, int]] = []
    path = store.path(entry, progress=lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT
    assert path.name == "net.onnx"
    assert seen[-1] == ("net.onnx", len(CONTENT), len(CONTENT))
    assert store.pull(entry) == (path,)
    assert len(site.requests) == 1
    assert names_in(store.cache_dir) == {"net.onnx"}


def test_a_transfer_that_breaks_off_is_resumed_where_it_stopped(site: Site, entry: Entry, store: Store) -> None:
    site.cut = [300_000, 300_000]
    assert store.path(entry).read_bytes() == CONTENT
    assert site.requests == [(PATH, None), (PATH, "bytes=300000-"), (PATH, "bytes=600000-")]


def test_truncated_every_time_is_an_error_and_goes_on_later(site: Site, entry: Entry, store: Store) -> None:
    site.cut = [100_000] * 3
    with pytest.raises(WeightsError, match="broke off after 300,000 of 1,048,576 bytes") as caught:
        store.path(entry)
    assert caught.value.code == "VK314"
    assert names_in(store.cache_dir) == {"net.onnx.part"}
    assert store.path(entry).read_bytes() == CONTENT
    assert site.requests[-1] == (PATH, "bytes=300000-")


def test_a_server_without_ranges_starts_over(site: Site, entry: Entry, store: Store) -> None:
    site.cut, site.ranges = [300_000], False
    assert store.path(entry).read_bytes() == CONTENT


def test_remains_of_another_file_do_not_poison_the_download(entry: Entry, store: Store) -> None:
    store.folder(entry).mkdir(parents=True)
    (store.folder(entry) / "net.onnx.part").write_bytes(b"x" * 1000)
    assert store.path(entry).read_bytes() == CONTENT


def test_remains_longer_than_the_file_do_not_either(entry: Entry, store: Store) -> None:
    store.folder(entry).mkdir(parents=True)
    (store.folder(entry) / "net.onnx.part").write_bytes(b"x" * (len(CONTENT) + 5))
    assert store.path(entry).read_bytes() == CONTENT


def test_a_wrong_hash_names_both_and_leaves_nothing(site: Site, entry: Entry, store: Store) -> None:
    site.pages[PATH] = forged = CONTENT[:-1] + b"?"
    with pytest.raises(WeightsError) as caught:
        store.path(entry)
    assert caught.value.code == "VK313"
    assert str(entry.files[0].sha256) in str(caught.value)
    assert hashlib.sha256(forged).hexdigest() in str(caught.value)
    assert names_in(store.cache_dir) == set()


def test_a_longer_file_is_cut_off(site: Site, entry: Entry, store: Store) -> None:
    site.pages[PATH] = CONTENT * 3
    with pytest.raises(WeightsError, match="longer than the 1,048,576 bytes expected"):
        store.path(entry)
    assert names_in(store.cache_dir) == set()


def test_the_next_source_is_tried(site: Site, make_entry: MakeEntry, store: Store) -> None:
    site.pages = {"/forged": CONTENT[::-1], "/good": CONTENT}
    sources = ({"url": f"{site.url}{path}"} for path in ("/absent", "/forged", "/good"))
    assert store.path(make_entry(*sources)).read_bytes() == CONTENT


def test_no_network_fails_fast_and_says_what_was_tried(make_entry: MakeEntry, store: Store) -> None:
    with socket.socket() as unused:  # bound, not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        entry = make_entry({"url": f"http://127.0.0.1:{port}/a"}, {"url": f"http://127.0.0.1:{port}/b"})
        before = time.monotonic()
        with pytest.raises(WeightsError, match=r"could not be had from any source(?s:.*)/a:(?s:.*)/b:") as caught:
            store.path(entry)
    assert caught.value.code == "VK317"
    assert time.monotonic() - before < 5
    assert str(store.folder(entry) / "net.onnx") in caught.value.help


@pytest.mark.parametrize(
    "to", ["https://127.0.0.1:1/x", "file:///etc/hostname", "http://203.0.113.1/x", "ftp://127.0.0.1/"]
)
def test_redirects_to_another_scheme_or_plain_http_elsewhere_are_refused(
    site: Site, entry: Entry, store: Store, to: str
) -> None:
    site.redirects[PATH] = to
    with pytest.raises(WeightsError, match=r"refused|not allowed") as caught:
        store.path(entry)
    assert caught.value.code == "VK317"


def test_a_redirect_on_the_same_scheme_is_followed(site: Site, entry: Entry, store: Store) -> None:
    site.redirects[PATH], site.pages["/other"] = f"{site.url}/other", CONTENT
    assert store.path(entry).read_bytes() == CONTENT


def test_plain_http_to_another_machine_is_refused(make_entry: MakeEntry, store: Store) -> None:
    with pytest.raises(WeightsError, match="not https: refused"):
        store.path(make_entry({"url": "http://203.0.113.1/net.onnx"}))


def test_offline_uses_the_cache_and_nothing_else(site: Site, entry: Entry, store: Store, tmp_path: Path) -> None:
    offline = Store(cache_dir=tmp_path / "cache", offline=True)
    with pytest.raises(WeightsError, match="not on this machine, and visionkit is offline") as caught:
        offline.path(entry)
    assert caught.value.code == "VK312"
    assert "visionkit weights pull toy" in caught.value.help
    assert site.requests == []
    assert not offline.present(entry)
    path = store.path(entry)
    assert offline.path(entry) == path
    assert offline.present(entry)


def test_settings_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONKIT_OFFLINE", "1")
    monkeypatch.setenv("VISIONKIT_MIRROR", "https://weights.example/visionkit")
    assert Store() == Store(tmp_path / "cache", offline=True, mirror="https://weights.example/visionkit")
    monkeypatch.setenv("VISIONKIT_OFFLINE", "0")
    assert not Store().offline


def test_a_file_broken_in_the_cache_is_fetched_anew(site: Site, entry: Entry, store: Store) -> None:
    path = store.path(entry)
    path.write_bytes(b"broken")
    assert store.verify(entry) == {"net.onnx": "net.onnx is truncated: 6 of 1,048,576 bytes; deleted"}
    assert store.verify(entry) == {"net.onnx": "absent"}
    path.write_bytes(CONTENT[::-1])
    assert store.path(entry).read_bytes() == CONTENT
    assert store.verify(entry) == {"net.onnx": "ok"}
    assert len(site.requests) == 2


def test_a_good_file_is_hashed_once_until_it_is_touched(
    entry: Entry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    plain = fetch.sha256_of
    monkeypatch.setattr(fetch, "sha256_of", lambda path: hashed.append(path) or plain(path))
    path = store.path(entry)
    fetched = len(hashed)
    store.path(entry)
    assert len(hashed) == fetched
    assert store.verify(entry) == {"net.onnx": "ok"}
    assert len(hashed) == fetched + 1
    path.write_bytes(CONTENT[::-1])
    assert store.path(entry).read_bytes() == CONTENT


def test_a_read_only_cache_that_is_filled_serves(entry: Entry, store: Store) -> None:
    path = store.path(entry)
    (path.parent / ".net.onnx.verified").unlink()
    (path.parent / ".net.onnx.verified").mkdir()  # nothing can be written there
    assert store.path(entry) == path


def test_a_mirror_address_is_asked_first(site: Site, entry: Entry, tmp_path: Path) -> None:
    site.pages["/mirror/toy/net.onnx"] = CONTENT
    store = Store(cache_dir=tmp_path / "cache", mirror=f"{site.url}/mirror")
    assert store.path(entry).read_bytes() == CONTENT
    assert site.requests == [("/mirror/toy/net.onnx", None)]


def test_a_mirror_folder_is_used_in_place_even_offline(entry: Entry, tmp_path: Path) -> None:
    mirrored = tmp_path / "mirror" / "toy" / "net.onnx"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(CONTENT)
    store = Store(cache_dir=tmp_path / "cache", mirror=str(tmp_path / "mirror"), offline=True)
    assert store.path(entry) == mirrored
    mirrored.write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        store.path(entry)
    assert mirrored.exists()


def test_bundled_files_need_no_cache(make_entry: MakeEntry, tmp_path: Path) -> None:
    (tmp_path / "detect").mkdir()
    (tmp_path / "detect" / "toy.onnx").write_bytes(CONTENT)
    store = Store(cache_dir=tmp_path / "cache", offline=True)
    assert store.path(make_entry({"bundled": "toy.onnx"})) == tmp_path / "detect" / "toy.onnx"
    assert not store.cache_dir.exists()


def test_a_prefix_of_the_hash_is_enough_to_verify(site: Site, make_entry: MakeEntry, store: Store) -> None:
    site.pages[PATH] = CONTENT
    spec = {"name": "net.pth", "size": len(CONTENT) + 300, "sources": [{"url": site.url + PATH}]}
    digest = hashlib.sha256(CONTENT).hexdigest()
    good = make_entry(files=[{**spec, "sha256_prefix": digest[:8]}])
    assert store.path(good).read_bytes() == CONTENT
    bad = make_entry(files=[{**spec, "sha256_prefix": digest[1:9]}])
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        store.path(bad)


FETCH = """
import sys
from pathlib import Path
from visionkit.weights import Catalogue, Store
print(Store(cache_dir=Path(sys.argv[2])).path(Catalogue([Path(sys.argv[1])]).get("toy")))
"""


def _command(entry: Entry, folder: Path, cache: Path) -> list[str]:
    """What fetches the entry in another process, from a YAML file as in the catalogue."""
    path = folder / "detect" / "toy.yaml"
    path.parent.mkdir(parents=True)
    values = entry.model_dump(mode="json", exclude_defaults=True, exclude={"name", "task"})
    path.write_text(json.dumps(values))  # JSON is YAML
    return [sys.executable, "-c", FETCH, str(folder), str(cache)]


def _start(command: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_two_processes_fetch_once(site: Site, entry: Entry, store: Store, tmp_path: Path) -> None:
    site.pause = 0.1
    command = _command(entry, tmp_path / "catalogue", store.cache_dir)
    processes = [_start(command), _start(command)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert len(site.requests) == 1
    assert store.path(entry).read_bytes() == CONTENT


def test_a_killed_download_is_never_under_the_final_name_and_is_resumed(
    site: Site, entry: Entry, store: Store, tmp_path: Path
) -> None:
    site.pause = 0.2
    process = _start(_command(entry, tmp_path / "catalogue", store.cache_dir))
    part = store.folder(entry) / "net.onnx.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    had = part.stat().st_size
    assert 0 < had < len(CONTENT)
    assert names_in(store.cache_dir) == {"net.onnx.part"}
    site.pause = 0.0
    assert store.path(entry).read_bytes() == CONTENT
    assert site.requests[-1] == (PATH, f"bytes={had}-")


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=600k none "$0" || exit 99
"$@"; code=$?
find "$0" -type f
exit $code
"""


@pytest.mark.parametrize("foreseen", [True, False])
def test_a_full_disk_is_named_and_nothing_is_left(
    site: Site, make_entry: MakeEntry, tmp_path: Path, foreseen: bool
) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow a mount namespace of its own")
    site.pages[PATH] = CONTENT
    entry = make_entry({"url": site.url + PATH})
    if not foreseen:  # a size that is only known roughly: the file may be longer, and is
        spec = {"name": "net.onnx", "size": 1000, "sha256_prefix": "0" * 8, "sources": [{"url": site.url + PATH}]}
        entry = make_entry(files=[spec])
    disk = tmp_path / "disk"
    disk.mkdir()
    command = _command(entry, tmp_path / "catalogue", disk)
    process = _start(["unshare", "-m", "sh", "-c", ON_A_SMALL_DISK, str(disk), *command])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert f"the disk that holds {disk}" in err
    assert "set VISIONKIT_CACHE to a folder on another disk" in err
    assert len(site.requests) == (0 if foreseen else 1)
    assert {Path(line).name for line in out.splitlines()} <= {".lock"}
