"""How PESQ is compiled: its source as it is, the same numbers, faster where the processor can.

The notice in the source of PESQ forbids to change it, not to compile it well. Vector instructions
of x86-64-v3 (AVX2) make it a quarter faster and leave every value as it is, bit for bit.
A fused multiply-add does not: it rounds once where the source rounds twice, and moves most scores
in the fourth digit. So it is always switched off, by which other processors and compilers, some of
which fuse unasked, come to the same values too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Setuptools puts CFLAGS in the place of what Python was built with, so all of it is named.
PORTABLE = ("-O3", "-DNDEBUG", "-fwrapv", "-ffp-contract=off")
# The binary then says how it was made: synbench doctor and every run read it there.
RECORDED = "-frecord-gcc-switches"
AVX2 = "-march=x86-64-v3"
# What x86-64-v3 stands for, in the words of /proc/cpuinfo; abm is lzcnt.
AVX2_FEATURES = {
    "abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave",
}  # fmt: skip

__all__ = ["build_variables", "pesq_flags"]


def build_variables(package: str, *, compiler: str, portable: bool = False) -> dict[str, str]:
    """Environment variables for the build of a package; none where nothing is asked of it.

    Args:
        compiler: what Python names as its own; ``CC`` comes before it.
        portable: the package is to run on other machines too.
    """
    if package != "pesq":
        return {}
    command = os.environ.get("CC", "").split() or [compiler]
    flags = pesq_flags(command, features=set() if portable else processor_features())
    own = os.environ.get("CFLAGS", "")
    # Ours last: what is said later holds.
    return {"CFLAGS": f"{own} {' '.join(flags)}".strip()} if flags else {}


def pesq_flags(compiler: Sequence[str], *, features: set[str]) -> tuple[str, ...]:
    """The fastest flags that this compiler takes and this processor runs; none if it takes none."""
    fast = (*PORTABLE, AVX2)
    candidates = [(*fast, RECORDED), fast] if features >= AVX2_FEATURES else []
    candidates += [(*PORTABLE, RECORDED), PORTABLE]
    return next((flags for flags in candidates if is_accepted(compiler, flags)), ())


def is_accepted(compiler: Sequence[str], flags: Sequence[str]) -> bool:
    """Whether a compiler takes these flags."""
    if shutil.which(compiler[0]) is None:
        return False
    command = [*compiler, "-Werror", *flags, "-x", "c", "-c", "-o", os.devnull, "-"]
    try:
        done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def processor_features() -> set[str]:
    """What the processor can do, in the words of Linux; empty where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    named = (line.partition(":")[2].split() for line in lines if line.startswith("flags"))
    return set(next(named, ()))
