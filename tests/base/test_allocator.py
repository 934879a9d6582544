"""A process that works item after item does not fetch the same pages from the system each time."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from synbench_base.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def work():
    waves = [np.ones(2**17) for _ in range(20)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_memory_is_kept_unless_the_user_has_set_it() -> None:
    usual = faults("usual")
    assert faults("kept") < usual / 10
    assert faults("kept", MALLOC_TRIM_THRESHOLD_="131072") > usual / 2
