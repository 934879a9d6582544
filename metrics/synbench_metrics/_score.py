"""The one door to every metric: the same checks, the same outcome, whatever the column.

Order of the checks, so that a reason is predictable: form (type, shape, empty), numbers (not
finite, beyond full scale), silence, rate, length, then the metric itself.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from synbench_metrics._interface import Metric, NotApplicable, Outcome, Wave
from synbench_metrics.errors import UsageError

__all__ = ["score"]


def score(
    metric: Metric,
    *,
    degraded: Wave,
    sample_rate: int,
    reference: Wave | None = None,
    transcript: str | None = None,
) -> Outcome:
    """Score one pair, or say why it has no score.

    Args:
        metric: what to compute.
        degraded: mono, shape ``(samples,)``, full scale at -1 and 1.
        sample_rate: rate of both waves in Hz; must be one of ``metric.info.sample_rates``.
        reference: same shape as ``degraded``; may be left out when the metric needs none.
        transcript: what is said; may be left out when the metric needs none.

    Raises:
        UsageError: the metric needs a reference or transcript and got none.
    """
    info = metric.info
    if "reference" in info.needs and reference is None:
        raise UsageError(f"{info.column} needs a reference: score(..., reference=wave)")
    if "transcript" in info.needs and transcript is None:
        raise UsageError(f"{info.column} needs a transcript: score(..., transcript=text)")
    waves = {"degraded": degraded}
    if "reference" in info.needs and reference is not None:
        waves = {"reference": reference, "degraded": degraded}
    reason = _unfit(waves, sample_rate, metric)
    if reason is not None:
        return reason
    arguments: dict[str, Any] = {
        name: np.ascontiguousarray(wave, dtype=np.float64) for name, wave in waves.items()
    }
    if "transcript" in info.needs:
        arguments["transcript"] = transcript
    return _guarded(metric, arguments | {"sample_rate": sample_rate})


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
        if not np.isfinite(wave).all():
            bad = int(np.count_nonzero(~np.isfinite(wave)))
            return Outcome.failed(f"{name} contains {bad} samples that are NaN or infinite")
        peak = float(np.max(np.abs(wave)))
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
    return None


def _guarded(metric: Metric, arguments: dict[str, Any]) -> Outcome:
    """Call the metric; whatever it raises or returns becomes an outcome."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = float(metric.compute(**arguments))
    except NotApplicable as outcome:
        return Outcome.not_applicable(str(outcome))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - any failure of any library is a status
        return Outcome.failed(f"{type(error).__name__}: {error}".strip(": "))
    if not math.isfinite(value):
        return Outcome.failed(f"{metric.info.column} returned {value}")
    info = metric.info
    if (info.minimum is not None and value < info.minimum) or (
        info.maximum is not None and value > info.maximum
    ):
        return Outcome.failed(f"{info.column} returned {value}, outside its range")
    return Outcome.ok(value)
