"""What tells a local file from another one of its size: a hash of parts of it."""

from __future__ import annotations

import hashlib
import os
import stat

from visionkit.stage.stamp import Stamp

BLOCK = 8 << 10
BLOCKS = 8
"""So many blocks of a larger file are hashed, the first and the last among them."""
PLAIN = (".bmp", ".dib", ".pbm", ".pgm", ".pnm", ".ppm", ".ras", ".sr", ".tif", ".tiff", ".y4m")
"""Formats in which a pixel may change without any byte elsewhere."""


def content_of(path: str) -> tuple[Stamp, str] | None:
    """A hash of a file (BLAKE2b of its size and of 64 KiB of it) and its stamp afterwards.

    In compressed formats another picture of the same size differs at the end at the latest; of the others only files
    that are hashed whole are known.

    Returns:
        None where it says nothing: no file, an address, a folder, a large uncompressed picture.
    """
    try:
        if "://" in path or not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  opening a pipe would wait
            return None
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  for every input of a run
            size = os.fstat(file.fileno()).st_size
            if size > BLOCK * BLOCKS and path.lower().endswith(PLAIN):
                return None
            found = hashlib.blake2b(str(size).encode(), digest_size=16)
            for begin in _places(size):
                file.seek(begin)
                found.update(file.read(BLOCK))
            return Stamp.of(os.fstat(file.fileno())), found.hexdigest()
    except OSError:
        return None


def _places(size: int) -> range | list[int]:
    if size <= BLOCK * BLOCKS:
        return range(0, size, BLOCK)
    return [(size - BLOCK) * i // (BLOCKS - 1) for i in range(BLOCKS)]
