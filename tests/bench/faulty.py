"""Codecs and metrics that misbehave in one named way, put into the registries for one test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from synbench.execution import decoding
from synbench_codecs import CodecInfo, Encoded
from synbench_codecs._registry import registry

Act = Callable[[Any], Any]


class EntryPoint:
    """What an installed package offers."""

    def __init__(self, offered: Any) -> None:
        self.load = lambda: offered


def codec(name: str, act: Act, **facts: Any) -> type[Any]:
    """A codec that calls ``act`` with the wave to encode, and decodes what it returns."""

    class Faulty:
        points: ClassVar[Any] = ({},)
        local_options: ClassVar[frozenset[str]] = frozenset()

        def __init__(self) -> None:
            self.info = CodecInfo(
                spec=name,
                label=name,
                kind="neural",
                adapter_version=1,
                implementation="test",
                sample_rate=None,
                output_sample_rate=None,
                nominal_bitrate_bps=None,
                source="tests",
                **facts,
            )

        def encode(self, wave: Any, sample_rate: int) -> Encoded:
            payload = np.asarray(act(wave), "<f4").tobytes()
            return Encoded(
                spec=name,
                payload=payload,
                payload_bits=8 * len(payload),
                n_samples=wave.size,
                sample_rate=sample_rate,
            )

        def decode(self, encoded: Encoded) -> Any:
            wave = np.frombuffer(encoded.payload, "<f4")
            return wave * np.float32(0.5) + np.float32(0.2) * wave * wave

    return Faulty


def offer(patch: pytest.MonkeyPatch, name: str, act: Act, **facts: Any) -> str:
    """Make such a codec known by its name."""
    decoding._codec.cache_clear()
    patch.setitem(registry.entry_points, name, EntryPoint(codec(name, act, **facts)))
    return name


def sleepy(wave: Any) -> Any:
    """Longer than any test allows, in Python."""
    time.sleep(600)
    return wave


def raising(error: BaseException) -> Act:
    """Raises for the second of three clips only, which has 12000 samples."""

    def act(wave: Any) -> Any:
        if wave.size == 12000:
            raise error
        return wave

    return act


def leaving(_: Any) -> None:
    """Ends its process at once."""
    os._exit(7)
