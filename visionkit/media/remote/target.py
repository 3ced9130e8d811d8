"""``--out s3://bucket/folder``: results are written here, where a run can be gone on with, and sent when it ends."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from visionkit.errors import SinkError, SourceError, UsageError
from visionkit.frozen import Frozen
from visionkit.media.redact import redact
from visionkit.media.remote.places import find, make_folder, open_for_writing
from visionkit.media.remote.stores import is_store, scheme
from visionkit.stage.sink import OWN_FOLDER

AT_ONCE = 8
Stamp = list[int]


class Target(Frozen):
    """Where results go: ``folder`` is where a run writes them; ``url`` where they are sent, empty for nowhere else."""

    folder: Path
    url: str = ""

    def check(self, overwrite: bool = False) -> None:
        """Before a run.

        Raises:
            SinkError: nothing can be written there, or files are there that were not sent from here.
        """
        if not self.url:
            return
        try:
            there = find(self.url)
        except SourceError as error:
            raise SinkError(error.message) from error
        if there and not overwrite and not self._sent():
            message = f"results are there already:\n  {redact(there[0].url)}"
            raise SinkError(message, help="add --overwrite, or choose another address with -o")

    def send(self) -> int:
        """Sends the files that are new or have changed since they were sent; returns how many.

        Raises:
            SinkError: one cannot be written; those before it are not sent again.
        """
        if not self.url:
            return 0
        sent = self._sent()
        waiting = {name: stamp for name, stamp in self._files() if sent.get(name) != stamp}
        try:
            for folder in sorted({f"{self.url}/{name}".rpartition("/")[0] for name in waiting}):
                make_folder(folder)
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="visionkit:send") as pool:
                for name in pool.map(self._send, waiting):
                    sent[name] = waiting[name]
        except SourceError as error:
            raise SinkError(error.message, help="the same command sends the rest") from error
        finally:
            self._ledger.parent.mkdir(parents=True, exist_ok=True)
            self._ledger.write_text(json.dumps(sent), "utf-8")
        return len(waiting)

    def _send(self, name: str) -> str:
        with (self.folder / name).open("rb") as source, open_for_writing(f"{self.url}/{name}") as there:
            shutil.copyfileobj(source, there, 8 << 20)
        return name

    @property
    def _ledger(self) -> Path:
        return self.folder / OWN_FOLDER / "sent.json"

    def _sent(self) -> dict[str, Stamp]:
        try:
            found: dict[str, Stamp] = json.loads(self._ledger.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        for folder, below, names in os.walk(self.folder):
            below[:] = sorted(name for name in below if name != OWN_FOLDER)
            for path in (Path(folder, name) for name in sorted(names) if not name.endswith(".part")):
                status = path.stat()
                yield path.relative_to(self.folder).as_posix(), [status.st_size, status.st_mtime_ns]


def target(out: str) -> Target:
    """A folder as it is; an address with a folder of its own in the user's cache.

    Raises:
        UsageError: nothing can be written to such an address.
    """
    if "://" not in out:
        return Target(Path(out))
    if not is_store(out):
        help = "a folder, or an address such as s3://bucket/folder"
        raise UsageError(f"{redact(out)}: results cannot be written to {scheme(out)}://", help=help)
    import platformdirs

    url = out.rstrip("/")
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Target(platformdirs.user_cache_path("visionkit") / "out" / name, url)
