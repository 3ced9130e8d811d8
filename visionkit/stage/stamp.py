"""What a look at a file says, without reading it."""

from __future__ import annotations

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """Bytes, and nanoseconds of the last change of what a file holds and of anything about it.

    ``changed`` cannot be set, as ``mtime`` can; None where it is not known. On Windows it is the time of creation.
    """

    size: int
    mtime: int
    changed: int | None = None

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def joined(self, other: Stamp) -> Stamp:
        """Of several files: their sizes together, the latest times."""
        changed = max(self.changed or 0, other.changed or 0)
        return Stamp(self.size + other.size, max(self.mtime, other.mtime), changed)
