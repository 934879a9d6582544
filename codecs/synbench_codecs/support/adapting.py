"""Small things that several codecs need: option checks, 16-bit samples, foreign libraries."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._interface import Wave
from synbench_codecs._spec import Options, format_spec
from synbench_codecs.errors import UsageError

FULL_SCALE = 32768

__all__ = [
    "bundled_library",
    "check_choice",
    "check_range",
    "from_pcm",
    "full_spec",
    "load_library",
    "opencore_name",
    "pad_to",
    "to_pcm",
]


def check_choice(codec: str, option: str, value: object, allowed: Collection[Any]) -> None:
    """Refuse an option value that is not one of ``allowed``.

    Raises:
        UsageError: names the allowed values.
    """
    # True equals 1 in Python; it is still no bit rate.
    if isinstance(value, bool) or value not in allowed:
        listed = ", ".join(str(one) for one in allowed)
        raise UsageError(f"{codec}: {option} must be one of {listed}; got {value!r}")


def check_range(codec: str, option: str, value: object, lowest: int, highest: int) -> None:
    """Refuse an option value that is no integer from ``lowest`` to ``highest``.

    Raises:
        UsageError: names the allowed range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise UsageError(
            f"{codec}: {option} must be an integer from {lowest} to {highest}; got {value!r}"
        )


def full_spec(name: str, options: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """The spec with every option that differs from its default (none listed: always there)."""
    kept: Options = {
        key: value
        for key, value in options.items()
        if key not in defaults or value != defaults[key]
    }
    return format_spec(name, kept)


def to_pcm(wave: Wave) -> NDArray[np.int16]:
    """16-bit samples of a wave with full scale at -1 and 1; what lies outside is clipped."""
    return np.clip(np.rint(wave * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def from_pcm(samples: NDArray[np.int16]) -> Wave:
    """The float32 wave of 16-bit samples."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def pad_to(samples: NDArray[Any], n_samples: int) -> NDArray[Any]:
    """The samples with zeros behind them, ``n_samples`` in all."""
    return np.pad(samples, (0, n_samples - samples.size))


@functools.cache
def bundled_library(package: str, stem: str) -> Path | None:
    """A shared library that came inside a wheel: ``bundled_library("av", "libopus")``."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name.startswith((f"{stem}-", f"{stem}.")) and file.suffix != ".py":
            return Path(str(file.locate()))
    return None


def load_library(path: Path | str) -> ctypes.CDLL | None:
    """The library, or ``None`` where it does not load."""
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        return None


def opencore_name(stem: str) -> str:
    """One of the opencore libraries with the version that its file name carries."""
    path = bundled_library("av", stem)
    version = path.name.partition(".so.")[2] if path else ""
    return f"{stem} {version or '(version unknown)'}"
