"""What synbench finds on a machine: what works, what is missing, and what to type for it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from synbench.lock import SYSTEMS
from synbench_base.cache import cache_folder
from synbench_base.compiled import compilation
from synbench_base.device import check_device
from synbench_base.errors import SynbenchError
from synbench_base.folders import typed_path
from synbench_base.packages import install, installed_version, lacking, pip_install

PYTHONS = ((3, 11), (3, 14))
# What an extra is for; an extra that is not named here is listed without.
PURPOSES = {
    "classical": "Opus, AMR, Codec2, LC3 and other codecs from libraries",
    "dask": "work on a Dask cluster",
    "hf": "neural codecs and metrics from transformers",
    "listening": "listening tests",
    "lyra": "Lyra V2",
    "metrics": "PESQ, STOI, ViSQOL, DNSMOS, word errors",
    "reports": "figures and the HTML report",
    "slurm": "work on a Slurm cluster",
    "sqcodec": "SQCodec",
    "synthetic": "synthetic speech where there is no other",
    "torch": "training, and networks other than P2PSynCodec and MDCTCodec",
    "whisper": "word errors by Whisper",
}
# The LaTeX packages of an exported document.
TEX_PACKAGES = ("amsmath.sty", "booktabs.sty", "siunitx.sty")

__all__ = ["Finding", "machine_findings", "package_findings", "program_findings"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        part: what it is.
        works: whether it does.
        state: what was found, or what is missing and for what.
        command: what to type where it does not work; empty where nothing typed helps.
        needed: nothing runs without it.
    """

    part: str
    works: bool
    state: str
    command: str = ""
    needed: bool = False


def machine_findings() -> Iterator[Finding]:
    """Python, system, cores, the device of networks, the folders that are written and read."""
    first, beyond = PYTHONS
    version = sys.version_info[:2]
    yield Finding(
        part="Python",
        works=first <= version < beyond,
        state=f"{platform.python_version()}; expected {first[0]}.{first[1]} to "
        f"{beyond[0]}.{beyond[1] - 1}",
        needed=True,
    )
    posix = all(importlib.util.find_spec(name) for name in ("fcntl", "resource"))
    yield Finding(
        part="system",
        works=posix,
        state=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        + ("" if posix else f"; {SYSTEMS}"),
        needed=True,
    )
    yield _device()
    yield _cache()
    yield from _speech()


def _device() -> Finding:
    try:
        name = check_device()
    except SynbenchError as error:
        return Finding(
            part="device",
            works=False,
            state=str(error),
            command="unset SYNBENCH_DEVICE",
            needed=True,
        )
    return Finding(part="device", works=True, state=f"networks run on {name}", needed=True)


def _cache() -> Finding:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            part="cache",
            works=False,
            state=f"{folder} cannot be written: {error.strerror}; name another folder",
            command='export SYNBENCH_CACHE="$PWD/synbench-cache"',
            needed=True,
        )
    return Finding(
        part="cache", works=True, state=f"{folder}, {free / 1e9:.0f} GB free", needed=True
    )


def _speech() -> Iterator[Finding]:
    folders = list(filter(None, os.environ.get("SYNBENCH_DATA", "").split(os.pathsep)))
    if not folders:
        yield Finding(
            part="speech",
            works=False,
            state="SYNBENCH_DATA is not set: the demo downloads or synthesises a little speech",
            command="export SYNBENCH_DATA=FOLDER",
        )
    for folder in folders:
        there = typed_path(folder).is_dir()
        yield Finding(
            part="speech",
            works=there,
            state=folder if there else f"{folder}, named by SYNBENCH_DATA, is no folder",
        )


def package_findings() -> Iterator[Finding]:
    """Every extra of synbench, with the pip line of what it lacks."""
    try:
        extras = importlib.metadata.metadata("synbench").get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        extras = sorted(PURPOSES)
    for extra in extras:
        if extra == "all":
            continue
        absent = lacking(extra)
        purpose = PURPOSES.get(extra, "")
        yield Finding(
            part=f"extra {extra}",
            works=not absent,
            state=purpose
            if not absent
            else f"{', '.join(absent)} not installed; for {purpose or extra}",
            command=install(extra) if absent else "",
        )
    yield from _pesq()


def _pesq() -> Iterator[Finding]:
    """How PESQ was built: its numbers, and a quarter of its speed, depend on it."""
    build = compilation("pesq")
    if build is None:
        return
    version = installed_version("pesq")
    if build.fuses:
        yield Finding(
            part="PESQ",
            works=False,
            state=f"pesq {version}, built by {build}: fuses multiplications and additions, which "
            "moves most scores by up to .01",
            command='CFLAGS="-O3 -DNDEBUG -fwrapv -ffp-contract=off -frecord-gcc-switches" '
            + pip_install(f"--force-reinstall --no-deps --no-cache-dir pesq=={version}"),
        )
        return
    slow = platform.machine() == "x86_64" and not build.has_avx2
    yield Finding(
        part="PESQ",
        works=True,
        state=f"pesq {version}, built by {build}"
        + ("; for any x86-64: make setup builds it a quarter faster where it can" if slow else ""),
    )


def program_findings() -> Iterator[Finding]:
    """Programs outside Python: a compiler, a browser, TeX, Slurm."""
    yield _program(
        "compiler", ("cc", "gcc", "clang"), "packages that have no wheel", "build-essential"
    )
    yield _program(
        "browser",
        ("chromium", "google-chrome", "firefox"),
        "listening pages and reports on this very machine",
        "chromium",
    )
    yield _tex()
    slurm = _program("Slurm", ("sbatch",), "--executor slurm, on a cluster's login node", "")
    submitit = installed_version("submitit")
    yield (
        slurm
        if submitit or not slurm.works
        else Finding(
            part="Slurm", works=False, state="sbatch without submitit", command=install("slurm")
        )
    )


def _program(part: str, names: tuple[str, ...], purpose: str, package: str) -> Finding:
    path = next(filter(None, map(shutil.which, names)), None)
    if path:
        return Finding(part=part, works=True, state=path)
    state = f"no {' or '.join(names)}; for {purpose}"
    return Finding(part=part, works=False, state=state, command=_system_install(package))


def _tex() -> Finding:
    tex = _program(
        "TeX",
        ("pdflatex",),
        "tables as PDF; the LaTeX text is written without it",
        "texlive-latex-recommended texlive-science",
    )
    finder = shutil.which("kpsewhich")
    if not tex.works or finder is None:
        return tex
    absent = [
        name
        for name in TEX_PACKAGES
        if subprocess.run([finder, name], capture_output=True, check=False).returncode
    ]
    if not absent:
        return tex
    return Finding(
        part="TeX",
        works=False,
        state=f"{tex.state} without {', '.join(absent)}",
        command=_system_install("texlive-latex-recommended texlive-science"),
    )


def _system_install(packages: str) -> str:
    """The line of Debian's package manager, where there is one."""
    return f"apt-get install {packages}" if packages and shutil.which("apt-get") else ""
