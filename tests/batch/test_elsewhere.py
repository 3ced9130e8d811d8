"""Pictures of an S3 server and a web server, results on S3: real servers on this machine, hostile ones too."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.batch.batches import everything, picture, pictures, run, state
from visionkit.api import Pipeline
from visionkit.errors import SinkError, SourceError, UsageError
from visionkit.media.remote import places, stores, web

pytest.importorskip("moto", reason="moto is not installed")
pytest.importorskip("fsspec", reason="fsspec is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")
SECRET = "wJalrXUtnFEMI"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server with an empty bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A new bucket; the environment names the server and a key, and the cache is empty."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stores._common.cache_clear()
    name = f"photos{time.time_ns()}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def put(bucket: str, folder: Path, prefix: str) -> None:
    import boto3

    client = boto3.client("s3")
    for path in folder.iterdir():
        client.upload_file(str(path), bucket, f"{prefix}/{path.name}")


def objects(bucket: str, prefix: str) -> dict[str, bytes]:
    import boto3

    client = boto3.client("s3")
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    names = [item["Key"] for item in found]
    return {
        name.removeprefix(f"{prefix}/"): client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names
    }


def test_a_folder_on_s3_gives_what_it_gives_here(pipeline: Path, folder: Path, bucket: str, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    put(bucket, folder, "in/deep")
    made, target = Pipeline.load(pipeline), f"s3://{bucket}/out/run 1"
    made.write(folder, out=tmp_path / "here")
    text = run(pipeline, f"s3://{bucket}/in/deep", "-o", target)
    assert "12 done of 12" in text
    assert SECRET not in text
    assert objects(bucket, "out/run 1") == everything(tmp_path / "here")
    assert state(target) | {"begun": ""} == state(tmp_path / "here") | {"begun": ""}
    assert made.write(f"s3://{bucket}/in/deep", out=target).counts["skipped"] == 12
    assert made.write(f"s3://{bucket}/in/deep/1*.png", out=f"s3://{bucket}/glob").out == 3
    assert sorted(name for name in objects(bucket, "glob") if name.endswith(".png")) == ["1.png", "10.png", "11.png"]


def test_results_of_others_on_s3_are_not_replaced(pipeline: Path, folder: Path, bucket: str) -> None:
    put(bucket, folder, "mine")
    with pytest.raises(SinkError, match="already"):
        Pipeline.load(pipeline).write(folder, out=f"s3://{bucket}/mine")
    assert len(objects(bucket, "mine")) == 12
    with pytest.raises(UsageError, match="cannot be written to http"):
        Pipeline.load(pipeline).write(folder, out="http://127.0.0.1/x")
    with pytest.raises(SinkError, match="no bucket 'nowhere'"):
        Pipeline.load(pipeline).write(folder, out="s3://nowhere/x")


def test_what_is_not_there_says_so(pipeline: Path, bucket: str) -> None:
    with pytest.raises(UsageError, match="there are no pictures there"):
        list(Pipeline.load(pipeline).run(f"s3://{bucket}/none"))
    with pytest.raises(SourceError, match="no bucket"):
        list(Pipeline.load(pipeline).run("s3://no-such-bucket/x/y.png"))


class Hostile(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; addresses that redirect, never end, or want a password."""

    def do_GET(self) -> None:
        name = urlsplit(self.path).path
        if name == "/moved.png":
            self.send_response(302)
            self.send_header("Location", "/1.png")
            self.end_headers()
        elif name == "/endless.png":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(bytes(1 << 16))
        elif name == "/locked.png" and self.headers.get("Authorization") != "Basic bWU6aHVudGVyMg==":
            self.send_error(401)
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass

    do_HEAD = do_GET  # with a body that nobody reads

    def handle(self) -> None:
        with suppress(OSError):  # whoever asked has gone
            super().handle()


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    picture(folder / "locked.png", 77)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Hostile, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_pictures_of_a_web_server(pipeline: Path, folder: Path, server: str, tmp_path: Path) -> None:
    out, made = tmp_path / "out", Pipeline.load(pipeline)
    given = [f"http://{server}/{name}" for name in ("1.png", "2.png")] + [f"http://me:hunter2@{server}/locked.png"]
    made.write(*given, out=out)
    made.write(*(folder / name for name in ("1.png", "2.png", "locked.png")), out=tmp_path / "here")
    assert everything(out) == everything(tmp_path / "here")
    assert made.write(*given, out=out).counts["skipped"] == 3
    everywhere = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"hunter2" not in everywhere


def test_redirects_and_wrong_passwords_are_errors(pipeline: Path, server: str) -> None:
    for name, why in (("moved.png", "redirects are not followed"), ("gone.png", "404")):
        with pytest.raises(SourceError, match=why):
            list(Pipeline.load(pipeline).run(f"http://{server}/{name}"))
    with pytest.raises(SourceError, match="401") as caught:
        list(Pipeline.load(pipeline).run(f"http://me:wrong@{server}/locked.png"))
    assert "wrong" not in str(caught.value)


def test_a_file_without_end_is_cut_off(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="more than 1 MiB"):
        places.fetch(f"http://{server}/endless.png", most=1 << 20)
    monkeypatch.setattr(web, "LONGEST", 0.2)
    with pytest.raises(SourceError, match="not there after"):
        places.fetch(f"http://{server}/endless.png")


def test_memory_and_schemes(pipeline: Path, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for path in pictures(tmp_path / "in", 3).iterdir():
        memory.pipe(f"/album/{path.name}", path.read_bytes())
    found = [result.packet.key.source for result in Pipeline.load(pipeline).run("memory://album")]
    assert found == ["0.png", "1.png", "2.png"]
    for address in ("gopher://x/y.png", "zip://x.png::file:///x.zip", "gs://x::file:///etc/x.png"):
        with pytest.raises(UsageError, match="not read"):
            list(Pipeline.load(pipeline).run(address))


def test_a_large_picture_of_a_store_is_refused() -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/large.png", bytes(3 << 20))
    with pytest.raises(SourceError, match="more than 2 MiB"):
        places.fetch("memory://large.png", most=2 << 20)


def test_signed_addresses_are_redacted() -> None:
    from visionkit.media.redact import redact_text

    text = redact_text("GET https://b.s3.amazonaws.com/k.png?X-Amz-Credential=AKIA&X-Amz-Signature=feed&x=1 failed")
    assert text == "GET https://b.s3.amazonaws.com/k.png?X-Amz-Credential=***&X-Amz-Signature=***&x=1 failed"
