"""Where networks run: one rule for codecs and metrics.

``SYNBENCH_DEVICE`` names the device (``cpu``, ``cuda``, ``cuda:1``, ``mps``); without it networks
run on the CPU, also beside a GPU, because another device may give other codes and other scores.
"""

from __future__ import annotations

import functools
import os
import re

from synbench_base.errors import EnvironmentFault, UsageError
from synbench_base.packages import import_extra

DEVICE = re.compile(r"cpu|mps|cuda(?::(?P<index>\d+))?")
CPU_ADVICE = "; or unset SYNBENCH_DEVICE for the CPU"

__all__ = ["check_device", "device"]


def device() -> str:
    """The device in torch's spelling; whether it is there is not looked at."""
    return os.environ.get("SYNBENCH_DEVICE", "").strip().lower() or "cpu"


def check_device() -> str:
    """The device, after a look whether it is there; torch is imported only for a GPU.

    Raises:
        UsageError: the variable holds no device's name.
        EnvironmentFault: this machine has no such device, or torch is not installed.
    """
    name = device()
    _check(name)
    return name


@functools.cache
def _check(name: str) -> None:
    form = DEVICE.fullmatch(name)
    if form is None:
        raise UsageError(f"SYNBENCH_DEVICE={name}: expected cpu, cuda, cuda:1 or mps")
    if name == "cpu":
        return
    try:
        torch = import_extra("torch", extra="torch")
    except EnvironmentFault as error:
        raise EnvironmentFault(f"SYNBENCH_DEVICE={name}: {error}{CPU_ADVICE}") from error
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise EnvironmentFault(
                f"SYNBENCH_DEVICE=mps: this machine has no such device{CPU_ADVICE}"
            )
        return
    count = torch.cuda.device_count()
    if int(form["index"] or 0) >= count:
        there = f"there are {count}, numbered from 0" if count else "torch sees no CUDA device here"
        raise EnvironmentFault(f"SYNBENCH_DEVICE={name}: {there}{CPU_ADVICE}")
