"""Decide about torch, which the core of synbench never needs.

A machine with an NVIDIA device gets the extras of codecs that hold torch. Any other machine gets
PyTorch's CPU build: from a wheel that its pip already knows by ``find-links``, else from PyTorch's
own index of CPU builds. The wheel of the package index would bring several gigabytes of CUDA
libraries; only on a Mac it is a CPU build. The demonstration networks run without torch.
"""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Extras of codecs whose packages need torch.
UPON_TORCH = ("hf", "sqcodec")
# Where PyTorch publishes its builds without CUDA.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CONNECT_SECONDS = 4.0
CUDA_PACKAGES = ("nvidia", "cuda", "triton")
WHEEL = re.compile(r"torch-(?P<version>\d+(\.\d+)*)\+cpu-(?P<python>[^-]+)-(?P<abi>[^-]+)-[^-]+")


@dataclass(frozen=True)
class TorchChoice:
    """What to hand to pip for torch, and the line to print about it."""

    requirements: tuple[str, ...]
    extras: tuple[str, ...]
    message: str
    options: tuple[str, ...] = ()


def torch_later() -> TorchChoice:
    """The demo does without."""
    return TorchChoice(
        (),
        (),
        "torch: not installed yet, the packaged networks run on ONNX Runtime; "
        "to train, or for other networks: make setup",
    )


def choose_torch(
    requirements: Sequence[str],
    *,
    device: bool,
    wheels: Sequence[Path],
    cpu_index: bool = False,
    system: str = sys.platform,
) -> TorchChoice:
    """The choice for a machine; ``requirements`` are those of ``torch`` and :data:`UPON_TORCH`."""
    if device:
        return TorchChoice((), UPON_TORCH, "torch: installed, this machine has an NVIDIA device")
    if wheels:
        others = tuple(line for line in requirements if package_name(line) != "torch")
        return TorchChoice(
            (str(wheels[0]), *others), (), f"torch: installed from the kept wheel {wheels[0].name}"
        )
    if system == "darwin":
        return TorchChoice(tuple(requirements), (), "torch: installed, a CPU build on a Mac")
    if cpu_index:
        return TorchChoice(
            tuple(requirements),
            (),
            "torch: installed from PyTorch's index of CPU builds",
            ("--extra-index-url", CPU_INDEX),
        )
    return TorchChoice(
        (),
        (),
        "torch: left out, this machine has no NVIDIA device and no CPU wheel of torch is available "
        "(the packaged networks run on ONNX Runtime; other neural codecs need it)\n"
        "  to install it with its CUDA libraries:  .venv/bin/pip install -e '.[torch]'\n"
        "  to install a CPU wheel from a folder:   make setup PIP_FIND_LINKS=FOLDER",
    )


def reaches_cpu_index() -> bool:
    """Whether PyTorch's index answers, within a few seconds; a Mac does not need it."""
    if sys.platform == "darwin":
        return False
    try:
        with socket.create_connection((urlsplit(CPU_INDEX).netloc, 443), CONNECT_SECONDS):
            return True
    except OSError:
        return False


def package_name(requirement: str) -> str:
    """``Torch>=2.4`` -> ``torch``."""
    return re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0].lower()


def has_nvidia_device(
    node: Path = Path("/dev/nvidia0"), command: Sequence[str] = ("nvidia-smi", "-L")
) -> bool:
    """Whether the driver shows a device."""
    if node.exists():
        return True
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def kept_folders(pip_config: str) -> list[Path]:
    """The local folders among the ``find-links`` that ``pip config list`` printed."""
    folders: list[Path] = []
    for line in pip_config.splitlines():
        key, _, value = line.partition("=")
        if key.rpartition(".")[2] != "find-links" or key.split(".")[0] not in (
            ":env:",
            "global",
            "install",
        ):
            continue
        folders += [as_path(address) for address in str(ast.literal_eval(value)).split()]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def as_path(address: str) -> Path:
    """A path or a ``file:`` address as a path."""
    parts = urlsplit(address)
    return Path(unquote(parts.path) if parts.scheme == "file" else address).expanduser()


def kept_wheels(
    folders: Iterable[Path], *, requirement: str, python: tuple[int, int]
) -> list[Path]:
    """CPU wheels of torch for this Python within ``requirement``, newest first, free of CUDA."""
    tag = f"cp{python[0]}{python[1]}"
    wheels: list[tuple[tuple[int, ...], Path]] = []
    for folder in folders:
        for path in sorted(folder.glob("torch-*.whl")):
            match = WHEEL.fullmatch(path.stem)
            if match is None or (match["python"], match["abi"]) != (tag, tag):
                continue
            version = numbers(match["version"])
            if allowed(version, requirement) and not needs_cuda(path):
                wheels.append((version, path.resolve()))
    return [path for _, path in sorted(wheels, key=lambda pair: pair[0], reverse=True)]


def numbers(version: str) -> tuple[int, ...]:
    """``2.13.0`` -> ``(2, 13, 0)``."""
    return tuple(int(part) for part in version.split("."))


def allowed(version: tuple[int, ...], requirement: str) -> bool:
    """Whether a version lies within the ``>=`` and ``<`` bounds of a requirement."""
    bounds = re.findall(r"(>=|<)\s*(\d+(?:\.\d+)*)", requirement)
    return all(
        version >= numbers(bound) if sign == ">=" else version < numbers(bound)
        for sign, bound in bounds
    )


def needs_cuda(wheel: Path) -> bool:
    """Whether the metadata of a wheel asks for CUDA packages, or cannot be read."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            text = archive.read(name).decode()
    except (OSError, ValueError, zipfile.BadZipFile):
        return True
    needs = re.findall(r"^Requires-Dist: (.*)$", text.partition("\n\n")[0], re.MULTILINE)
    return any(
        package_name(need).startswith(CUDA_PACKAGES) for need in needs if "extra ==" not in need
    )
