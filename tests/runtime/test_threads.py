"""Memory of pictures is kept for the next one."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PICTURES = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    from visionkit.runtime.threads import keep_memory
    keep_memory()
np.ones((720, 1280, 3), np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    first, second = np.ones((720, 1280, 3), np.uint8), np.ones((720, 1280, 3), np.uint8)
    del first, second
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to")
def test_pictures_do_not_come_page_by_page_each_time() -> None:
    faults = {
        how: int(
            subprocess.run([sys.executable, "-c", PICTURES, how], capture_output=True, text=True, check=True).stdout
        )
        for how in ("given back", "kept")
    }
    assert faults["kept"] * 4 < faults["given back"], faults
