"""How a compiled package was built, as its own binary tells: compiler, and flags that matter.

GCC leaves its command line in the binary with ``-g`` or ``-frecord-gcc-switches``, clang with the
latter. Nothing is imported, and no note beside the package could say otherwise than what is there.
"""

from __future__ import annotations

import functools
import importlib.machinery
import re
from dataclasses import dataclass

from synbench_base.packages import package_file

# What can change speed or numbers: level, instructions, fused multiply-add, inexact arithmetic.
FLAGS = re.compile(
    rb"(?<![^\s])(-O[0-3s]|-Ofast|-march=[\w.-]+|-mfma|-ffast-math|-ffp-contract=\w+"
    rb"|-target-cpu [\w.-]+)(?![^\s\0])"
)
COMMAND_LINES = re.compile(rb"[ -~]* -O[0-3sf][ -~]*")
# Levels of x86-64 and names of processors, but for the plain ones.
AVX2 = re.compile(r"-march=(?!x86-64$|x86-64-v2$).+")
COMPILERS = (
    (re.compile(rb"GCC: \([^)]*\) ([\d.]+)"), "GCC"),
    (re.compile(rb"clang version ([\d.]+)"), "clang"),
)

__all__ = ["Compilation", "compilation"]


@dataclass(frozen=True)
class Compilation:
    """Compiler with version, and flags; either empty where the binary does not tell."""

    compiler: str
    flags: tuple[str, ...]

    @property
    def has_avx2(self) -> bool:
        """Whether it was built for processors with AVX2 and fused multiply-add."""
        return any(map(AVX2.fullmatch, self.flags))

    @property
    def fuses(self) -> bool:
        """Whether multiplications and additions were fused: another rounding, other numbers.

        GCC and clang do it unasked wherever the instructions are.
        """
        fusing = self.has_avx2 or "-mfma" in self.flags or "-ffast-math" in self.flags
        return fusing and "-ffp-contract=off" not in self.flags

    def __str__(self) -> str:
        flags = " ".join(self.flags) or "flags that it does not tell"
        return f"{self.compiler or 'a compiler that it does not tell'}, {flags}"


@functools.cache
def compilation(package: str) -> Compilation | None:
    """How the extension module of an import package was built; ``None`` where there is none."""
    init = package_file(package, "__init__.py")
    if init is None:
        return None
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    binaries = sorted(path for path in init.parent.glob("*") if path.name.endswith(suffixes))
    return told(binaries[0].read_bytes()) if binaries else None


def told(binary: bytes) -> Compilation:
    """What a binary says of its making."""
    versions = ((pattern.search(binary), name) for pattern, name in COMPILERS)
    compiler = next((f"{name} {match[1].decode()}" for match, name in versions if match), "")
    line = next(iter(COMMAND_LINES.findall(binary)), b"")
    line = line.replace(b"-Xclang ", b"")  # clang hands some flags through to itself
    flags = (flag.decode().replace("-target-cpu ", "-march=") for flag in FLAGS.findall(line))
    return Compilation(compiler, tuple(dict.fromkeys(flags)))
