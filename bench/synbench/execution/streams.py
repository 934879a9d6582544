"""The stream that an encoder sends: made once, and read from the disk by every channel after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import synbench_codecs
from synbench import policy
from synbench.execution.guard import guarded
from synbench.execution.worker import fatal_faults, stopwatch
from synbench_base.files import write_bytes
from synbench_codecs import Codec, Encoded
from synbench_codecs.errors import BitstreamError

__all__ = ["Sent", "encoded_stream", "stored_or_made"]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What an encoder sent, and what that took; nothing where it was sent before.

    Attributes:
        stream: as it leaves the encoder.
        cpu_seconds, wall_seconds: of encoding.
    """

    stream: Encoded
    cpu_seconds: float | None = None
    wall_seconds: float | None = None


def encoded_stream(codec: Codec, wave: policy.Wave, rate: int, *, seconds: float) -> Sent:
    """Encode a wave, shape ``(samples,)``, at ``rate`` in Hz.

    Args:
        seconds: longest time that it may take.

    Raises:
        ItemError: the encoder is at fault.
    """
    codec_rate = codec.info.sample_rate or rate
    resampled = np.asarray(policy.at_rate(wave, sample_rate=rate, to=codec_rate), dtype=np.float32)
    with guarded(seconds), stopwatch() as spent:
        stream = synbench_codecs.encode(codec, resampled, codec_rate)
    return Sent(stream=stream, cpu_seconds=spent["cpu"], wall_seconds=spent["wall"])


def stored_or_made(
    path: Path,
    make: Callable[[], Sent],
    *,
    codec: Codec,
    reference: tuple[policy.Wave, int],
    unit: Any,
) -> Sent:
    """The stream that lies at ``path``; where there is none it is made and left there.

    Args:
        path: whose name says from which wave and by which codec it was made.
        reference: the item's wave and rate in Hz, as long as what was coded.
        unit: has ``run``.

    Raises:
        ItemError: it cannot be made.
        EnvironmentFault: the disk is full or read-only.
    """
    stored = _read(path)
    if stored is not None and _is_of(stored, codec, reference):
        return Sent(stream=stored)
    made = make()
    with fatal_faults(unit.run):
        write_bytes(path, synbench_codecs.write_stream(made.stream))
    return made


def _read(path: Path) -> Encoded | None:
    try:
        return synbench_codecs.read_stream(path.read_bytes())
    except (OSError, BitstreamError):
        return None


def _is_of(stored: Encoded, codec: Codec, reference: tuple[policy.Wave, int]) -> bool:
    """Whether a stream can be the one: of this codec, and as long as this item."""
    wave, rate = reference
    codec_rate = codec.info.sample_rate or rate
    expected = wave.size * codec_rate / rate
    return (
        stored.spec == codec.info.published_spec
        and stored.model_digest == codec.info.model_digest
        and stored.sample_rate == codec_rate
        and abs(stored.n_samples - expected) <= 1
    )
