"""The one door to every metric: the same checks, the same outcome, whatever the column.

Order of the checks, so that a reason is predictable: form (type, shape, empty), numbers (not
finite, beyond full scale), silence, rate, length, language, then the metric itself.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from synbench_base.errors import NotApplicable
from synbench_base.long_wave import on_disk, stretches
from synbench_metrics._interface import Measured, Metric, Outcome, Wave
from synbench_metrics._languages import base_language
from synbench_metrics.errors import UsageError

__all__ = ["score", "score_batch"]


def score(
    metric: Metric,
    *,
    degraded: Wave,
    sample_rate: int,
    reference: Wave | None = None,
    transcript: str | None = None,
    language: str = "",
) -> Outcome:
    """Score one pair, or say why it has no score.

    Args:
        metric: what to compute.
        degraded: mono, shape ``(samples,)``, full scale at -1 and 1.
        sample_rate: rate of both waves in Hz; must be one of ``metric.info.sample_rates``.
        reference: same shape as ``degraded``; may be left out when the metric needs none.
        transcript: what is said; may be left out when the metric needs none.
        language: in which it is said, such as ``de``; empty where nobody knows.

    Raises:
        UsageError: the metric needs a reference or transcript and got none.
    """
    waves = _waves(metric, reference, degraded, transcript)
    language = base_language(language)
    reason = _unfit(waves, sample_rate, metric) or _foreign(metric, language)
    if reason is not None:
        return reason
    return _guarded(metric, _arguments(metric, waves, sample_rate, transcript, language))


def score_batch(
    metric: Metric,
    *,
    degraded: Sequence[Wave],
    sample_rate: int,
    reference: Wave | None = None,
    transcript: str | None = None,
    language: str = "",
) -> list[Outcome]:
    """Score several degraded waves of one reference, in one pass where the metric can.

    The outcomes are those of :func:`score`, one per wave in their order, but for rounding where a
    network computes waves side by side. Only waves of one length share a pass: nothing is padded.

    Raises:
        UsageError: as in :func:`score`.
    """
    more: dict[str, Any] = {
        "sample_rate": sample_rate,
        "reference": reference,
        "transcript": transcript,
        "language": base_language(language),
    }
    if metric.compute_batch is None:
        return [score(metric, degraded=wave, **more) for wave in degraded]
    outcomes: dict[int, Outcome] = {}
    fit: dict[int, list[int]] = {}
    for index, wave in enumerate(degraded):
        named = _waves(metric, reference, wave, transcript)
        reason = _unfit(named, sample_rate, metric) or _foreign(metric, more["language"])
        if reason is not None:
            outcomes[index] = reason
        else:
            fit.setdefault(wave.size, []).append(index)
    for indices in fit.values():
        waves = np.stack([degraded[index] for index in indices])
        results = _together(metric, waves, more) or [
            score(metric, degraded=wave, **more) for wave in waves
        ]
        outcomes.update(zip(indices, results, strict=True))
    return [outcomes[index] for index in range(len(degraded))]


def _together(metric: Metric, waves: Wave, more: dict[str, Any]) -> list[Outcome]:
    """Outcomes of one pass over waves ``(batch, samples)``; none where it does not work out."""
    if metric.compute_batch is None or len(waves) < 2:
        return []
    named = _waves(metric, more["reference"], waves, more["transcript"])
    arguments = _arguments(metric, named, more["sample_rate"], more["transcript"], more["language"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [_outcome(metric, value) for value in metric.compute_batch(**arguments)]
    except Exception:  # noqa: BLE001 - one of them is at fault: singly, each gets its own status
        return []


def _waves(
    metric: Metric, reference: Wave | None, degraded: Wave, transcript: str | None
) -> dict[str, Wave]:
    """The waves that the metric is given."""
    info = metric.info
    if "reference" in info.needs and reference is None:
        raise UsageError(f"{info.column} needs a reference: score(..., reference=wave)")
    if "transcript" in info.needs and transcript is None:
        raise UsageError(f"{info.column} needs a transcript: score(..., transcript=text)")
    if "reference" in info.needs and reference is not None:
        return {"reference": reference, "degraded": degraded}
    return {"degraded": degraded}


def _arguments(
    metric: Metric, waves: dict[str, Wave], sample_rate: int, transcript: str | None, language: str
) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        name: wave
        if metric.info.by_stretches and on_disk(wave)
        else np.ascontiguousarray(wave, dtype=np.float64)
        for name, wave in waves.items()
    }
    if "transcript" in metric.info.needs:
        arguments["transcript"] = transcript
    if "language" in metric.info.needs:
        arguments["language"] = language
    return arguments | {"sample_rate": sample_rate}


def _unfit(waves: dict[str, Wave], sample_rate: int, metric: Metric) -> Outcome | None:
    """The outcome of a pair that must not reach the metric, or ``None``."""
    info = metric.info
    for name, wave in waves.items():
        if wave.dtype.kind != "f":
            return Outcome.failed(
                f"{name} must hold floats between -1 and 1, got {wave.dtype}; divide 16-bit "
                f"integers by 32768"
            )
        if wave.ndim != 1:
            return Outcome.failed(f"{name} must be mono (samples,), got shape {wave.shape}")
        if wave.size == 0:
            return Outcome.failed(f"{name} is empty")
        bad = sum(int(np.count_nonzero(~np.isfinite(part))) for part in stretches(wave))
        if bad:
            return Outcome.failed(f"{name} contains {bad} samples that are NaN or infinite")
        # Without a copy of the wave, which may be hours long.
        peak = max(max(float(part.max()), -float(part.min())) for part in stretches(wave))
        if peak > 1.0:
            hint = "; divide 16-bit samples by 32768" if peak > 2.0 else ""
            return Outcome.failed(f"{name} exceeds full scale: peak {peak:.4g}, expected 1{hint}")
        if peak == 0.0:
            return Outcome.failed(f"{name} is digitally silent")
    if sample_rate <= 0:
        return Outcome.failed(f"sample rate must be positive, got {sample_rate} Hz")
    if info.sample_rates and sample_rate not in info.sample_rates:
        wanted = " or ".join(str(rate) for rate in info.sample_rates)
        return Outcome.failed(f"{info.column} is defined at {wanted} Hz, got {sample_rate} Hz")
    lengths = {wave.size for wave in waves.values()}
    if len(lengths) > 1:
        got = ", ".join(f"{name} {wave.size}" for name, wave in waves.items())
        return Outcome.failed(f"lengths differ: {got} samples")
    seconds = lengths.pop() / sample_rate
    if seconds < info.minimum_seconds:
        return Outcome.not_applicable(
            f"{info.column} needs at least {info.minimum_seconds:g} s, got {seconds:.3f} s"
        )
    if info.longest_seconds is not None and seconds > info.longest_seconds:
        return Outcome.not_applicable(
            f"{info.column} takes at most {info.longest_seconds:g} s, got {seconds:.0f} s: cut the "
            f"item into shorter ones"
        )
    return None


def _foreign(metric: Metric, language: str) -> Outcome | None:
    """The outcome where the metric is not for what is spoken, or ``None``."""
    info = metric.info
    if "language" in info.needs and not language:
        return Outcome.not_applicable(
            "the item names no language: a manifest has it in the column language"
        )
    if language and info.languages and language not in info.languages:
        return Outcome.not_applicable(
            f"{info.column} is for {' and '.join(info.languages)}, the item is in {language}"
        )
    return None


def _guarded(metric: Metric, arguments: dict[str, Any]) -> Outcome:
    """Call the metric; whatever it raises or returns becomes an outcome."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _outcome(metric, metric.compute(**arguments))
    except NotApplicable as outcome:
        return Outcome.not_applicable(str(outcome))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - any failure of any library is a status
        return Outcome.failed(f"{type(error).__name__}: {error}".strip(": "), crashed=True)


def _outcome(metric: Metric, measured: float | Measured) -> Outcome:
    """The outcome of what a metric returned."""
    result = measured if isinstance(measured, Measured) else Measured(value=float(measured))
    value, info = float(result.value), metric.info
    if not math.isfinite(value) or not math.isfinite(result.weight):
        return Outcome.failed(f"{info.column} returned {value} with weight {result.weight}")
    if (info.minimum is not None and value < info.minimum) or (
        info.maximum is not None and value > info.maximum
    ):
        return Outcome.failed(f"{info.column} returned {value}, outside its range")
    return Outcome.ok(
        value, weight=float(result.weight), details=dict(result.details), vector=result.vector
    )
