"""``synbench.score``: one sound against another by one metric or several."""

from __future__ import annotations

import math
import warnings
from typing import Literal, overload

import numpy as np

import synbench_metrics
from synbench import policy
from synbench.doubt import doubts, measures_of
from synbench.errors import ItemError, UsageError
from synbench.metric_names import notes_on_families
from synbench.sounds import Sound, read_sound
from synbench_base.device import check_device
from synbench_base.errors import NotApplicable
from synbench_metrics import Metric, Outcome

# Of less, correlations say nothing.
SHORTEST_DOUBTED_SECONDS = 0.5

__all__ = ["score"]


@overload
def score(
    metric: str,
    *,
    degraded: Sound,
    reference: Sound | None = None,
    sample_rate: int | None = None,
    degraded_sample_rate: int | None = None,
    transcript: str | None = None,
    language: str = "",
    on_error: Literal["raise", "nan"] = "raise",
) -> float: ...


@overload
def score(
    metric: list[str] | tuple[str, ...],
    *,
    degraded: Sound,
    reference: Sound | None = None,
    sample_rate: int | None = None,
    degraded_sample_rate: int | None = None,
    transcript: str | None = None,
    language: str = "",
    on_error: Literal["raise", "nan"] = "raise",
) -> dict[str, float]: ...


def score(
    metric: str | list[str] | tuple[str, ...],
    *,
    degraded: Sound,
    reference: Sound | None = None,
    sample_rate: int | None = None,
    degraded_sample_rate: int | None = None,
    transcript: str | None = None,
    language: str = "",
    on_error: Literal["raise", "nan"] = "raise",
) -> float | dict[str, float]:
    """Score a sound, by the rules of a run.

    The degraded sound is resampled to the reference's rate and cut or filled with zeros to its
    length; both are then resampled to the rate of each metric. Neither level nor delay is changed;
    where a delay, the level or the polarity makes the score doubtful, a warning says so.

    >>> import numpy
    >>> speech = numpy.sin(numpy.arange(32000) / 9) * numpy.hanning(32000)
    >>> coarse = speech.round(1)
    >>> round(score("si_sdr", reference=speech, degraded=coarse, sample_rate=16000), 1)
    23.9
    >>> sorted(score(["stoi", "SI-SDR"], reference=speech, degraded=coarse, sample_rate=16000))
    ['SI-SDR', 'stoi']

    Args:
        metric: a column such as ``"pesq_wb"``, in any case; or several. ``"pesq"`` is taken as the
            usual one of its columns, with a warning that names the others.
        degraded: what is scored. Floats between -1 and 1, shape ``(samples,)``, as an array, a list
            or a torch tensor on any device; or the path of a file.
        reference: the same before it was coded; may be left out for metrics that need none.
        sample_rate: Hz of both; may be left out for files.
        degraded_sample_rate: Hz of ``degraded`` where it differs.
        transcript: what is said, for word and character error rates.
        language: in which it is said, such as ``"de"``, for those of them that go by language.
        on_error: ``"nan"`` gives NaN and warns where there is no score, for work on many sounds.

    Returns:
        A float in the metric's unit; for several metrics a dictionary under the names as given.

    Raises:
        UsageError: an unknown metric, no reference or transcript where one is needed, no sound.
        NotApplicable: the sounds have no such score, such as a clip that is too short.
        ItemError: a file that cannot be read, silence, samples beyond full scale; the reason is in
            the message.
        EnvironmentFault: a package, weights or the device are not there.
    """
    if on_error not in ("raise", "nan"):
        raise UsageError(f"on_error must be 'raise' or 'nan', got {on_error!r}")
    names = [metric] if isinstance(metric, str) else list(metric)
    if not names:
        raise UsageError('expected a metric, such as "pesq_wb"; see: synbench metrics')
    check_device()
    metrics = {name: _usable(name, reference, transcript) for name in names}
    sounds = _sounds(reference, degraded, sample_rate, degraded_sample_rate)
    scores = {
        name: _value(loaded, _outcome(loaded, sounds, transcript, language), on_error)
        for name, loaded in metrics.items()
    }
    return scores[names[0]] if isinstance(metric, str) else scores


def _usable(name: str, reference: object, transcript: object) -> Metric:
    """The metric, which can be computed here from what is given."""
    metric = synbench_metrics.load(name)
    info = metric.info
    for said in notes_on_families([name]):
        warnings.warn(said, stacklevel=4)
    if info.pooling == "frechet":
        raise UsageError(f"{info.column} compares sets of sounds, not one pair: put it in a suite")
    for needed, given in (("reference", reference), ("transcript", transcript)):
        if needed in info.needs and given is None:
            raise UsageError(f"{info.column} needs a {needed}: score(..., {needed}=...)")
    metric.check()
    return metric


def _sounds(
    reference: Sound | None, degraded: Sound, sample_rate: int | None, degraded_rate: int | None
) -> tuple[policy.Wave | None, policy.Wave, int]:
    """Both waves at one rate and of one length; that rate."""
    decoded, rate = read_sound(
        degraded, name="degraded", sample_rate=degraded_rate or _rate_of(degraded, sample_rate)
    )
    if reference is None:
        return None, decoded, rate
    wave, reference_rate = read_sound(
        reference, name="reference", sample_rate=_rate_of(reference, sample_rate)
    )
    aligned = policy.align(
        decoded, sample_rate=rate, delay_samples=0, reference=wave, reference_rate=reference_rate
    )
    if aligned.wave.any() and wave.size >= SHORTEST_DOUBTED_SECONDS * reference_rate:
        measures = {name: np.array([value]) for name, value in measures_of(aligned).items()}
        for doubt in doubts(measures, items=1, lag_profiles=[aligned.lag_profile]):
            if doubt.serious:
                warnings.warn(doubt.text, stacklevel=3)
    return wave, aligned.wave, reference_rate


def _rate_of(sound: Sound, sample_rate: int | None) -> int | None:
    """A rate that is given for arrays says nothing about a file beside them."""
    return None if isinstance(sound, str) or hasattr(sound, "__fspath__") else sample_rate


def _outcome(
    metric: Metric,
    sounds: tuple[policy.Wave | None, policy.Wave, int],
    transcript: str | None,
    language: str,
) -> Outcome:
    reference, degraded, rate = sounds
    to = metric.info.rate_for(rate)
    return synbench_metrics.score(
        metric,
        reference=None if reference is None else policy.at_rate(reference, sample_rate=rate, to=to),
        degraded=policy.at_rate(degraded, sample_rate=rate, to=to),
        sample_rate=to,
        transcript=transcript,
        language=language,
    )


def _value(metric: Metric, outcome: Outcome, on_error: str) -> float:
    if outcome.value is not None:
        return outcome.value
    said = f"{metric.info.column}: {outcome.reason}"
    if on_error == "raise":
        raise (NotApplicable if outcome.status == "not_applicable" else ItemError)(said)
    warnings.warn(said, stacklevel=3)
    return math.nan
