"""What a codec's standard fixes and its streams show: bit rate, bits of a frame, algorithmic delay.

Bits are counted in streams of two durations; their difference is free of headers and of the frame
that fills up the end. The delay is measured from waves and bytes (``synbench latency``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synbench.errors import SynbenchError

COLUMNS = ("kilobits_per_second", "bits_per_frame", "delay_ms")
SHORT_SECONDS, MORE_SECONDS = 2, 6

__all__ = ["COLUMNS", "count_stream_facts"]


def count_stream_facts(
    codecs: Mapping[str, str], columns: frozenset[str]
) -> dict[str, dict[str, float]]:
    """By label the facts of :data:`COLUMNS`; a codec that cannot run here is left out.

    Args:
        codecs: label to spec.
        columns: which facts are wanted; the delay takes some seconds for each codec.
    """
    import synbench_codecs

    counted = {}
    for label, spec in codecs.items():
        try:
            codec = synbench_codecs.load(spec)
            facts = _bits(codec)
            if "delay_ms" in columns:
                measured = synbench_codecs.measure_latency(codec).measured_seconds
                if measured is not None:
                    facts["delay_ms"] = 1000 * measured
        except SynbenchError:
            continue
        counted[label] = facts
    return counted


def _bits(codec: object) -> dict[str, float]:
    info = codec.info  # type: ignore[attr-defined]
    rate = info.sample_rate or 16000
    generator = np.random.default_rng(3)
    wave = generator.uniform(-0.3, 0.3, (SHORT_SECONDS + MORE_SECONDS) * rate).astype(np.float32)
    short, whole = (
        codec.encode(part, rate)  # type: ignore[attr-defined]
        for part in (wave[: SHORT_SECONDS * rate], wave)
    )
    more = whole.payload_bits - short.payload_bits
    facts = {"kilobits_per_second": more / MORE_SECONDS / 1000}
    if info.hop_length:
        facts["bits_per_frame"] = more / (MORE_SECONDS * rate / info.hop_length)
    return facts
