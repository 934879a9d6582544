"""How a binary was built, read out of binaries that were built here a moment ago."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from synbench_base.compiled import compilation, told

COMPILER = os.environ.get("CC") or shutil.which("cc") or ""


def built(folder: Path, *flags: str) -> Path:
    """A shared object with these flags on record."""
    if not COMPILER:
        pytest.skip("no C compiler")
    source = folder / "product.c"
    source.write_text("double product(double a, double b, double c) { return a * b + c; }")
    command = [*COMPILER.split(), "-shared", "-fPIC", "-frecord-gcc-switches", *flags]
    done = subprocess.run(
        [*command, str(source), "-o", str(folder / "product.so")], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a compiler of another kind")
    return folder / "product.so"


@pytest.mark.parametrize("off", [True, False])
def test_level_and_fusion_are_told(tmp_path: Path, off: bool) -> None:
    contraction = ["-ffp-contract=off"] if off else []
    build = told(built(tmp_path, "-O2", *contraction).read_bytes())
    assert build.compiler.startswith(("GCC ", "clang "))
    assert "-O2" in build.flags
    assert ("-ffp-contract=off" in build.flags) == off
    assert not build.fuses


@pytest.mark.parametrize(
    ("flags", "fuses"),
    [
        ("-march=x86-64-v3 -O3", True),
        ("-march=x86-64-v3 -O3 -ffp-contract=off", False),
        ("-march=x86-64 -O3", False),
        ("-march=x86-64-v2 -O3", False),
        ("-O2 -Xclang -target-cpu -Xclang znver3", True),
    ],
)
def test_what_fuses(flags: str, fuses: bool) -> None:
    build = told(b"\0.text\0GCC: (Debian 12) 12.2.0\0GNU C17 12.2.0 " + flags.encode() + b"\0")
    assert build.fuses == fuses
    assert build.compiler == "GCC 12.2.0"


def test_a_binary_that_does_not_tell() -> None:
    assert str(told(b"\x7fELF")) == "a compiler that it does not tell, flags that it does not tell"


def test_a_package_without_a_binary_and_none() -> None:
    assert compilation("json") is None
    assert compilation("no_such_package") is None
