"""STOI and ESTOI: short-time objective intelligibility.

Conventions
    reference, degraded   mono, ``(samples,)``, equal length
    sample_rate           any, Hz; both waves are brought to 10 kHz inside, by a filter that equals
                          Octave's ``resample`` (part of the measure, not a policy of ours)
    value                 mean correlation of third-octave envelopes, -1 to 1, bigger is better

Frames (25.6 ms, every 12.8 ms) of the reference that lie more than 40 dB below its loudest are
taken out of both waves. The measure compares stretches of 30 frames, so a pair with fewer than 31
active frames has no score. Neither the level nor the polarity of the degraded wave matters; a delay
does: 20 ms cost about 0.3.

References:
    C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for Intelligibility Prediction
    of Time-Frequency Weighted Noisy Speech", IEEE Trans. Audio, Speech, Lang. Process. 19(7), 2011.
    J. Jensen, C. H. Taal, "An Algorithm for Predicting the Intelligibility of Speech Masked by
    Modulated Noise Maskers", IEEE/ACM Trans. Audio, Speech, Lang. Process. 24(11), 2016.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from synbench_metrics._interface import Metric, MetricInfo, NotApplicable, Wave
from synbench_metrics._packages import installed_version, requires

# 31 frames of 256 samples, every 128, at 10 kHz: 4097 samples are the least that can have a score.
MINIMUM_SECONDS = 0.41

__all__ = ["METRICS", "extended_intelligibility", "intelligibility"]


def intelligibility(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """STOI.

    Raises:
        NotApplicable: fewer than 31 active frames in the reference.
    """
    return _correlation(reference, degraded, sample_rate, extended=False)


def extended_intelligibility(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """ESTOI.

    Raises:
        NotApplicable: fewer than 31 active frames in the reference.
    """
    return _correlation(reference, degraded, sample_rate, extended=True)


def _correlation(reference: Wave, degraded: Wave, sample_rate: int, *, extended: bool) -> float:
    import pystoi

    with warnings.catch_warnings(), _fixed_noise():
        # The library answers 1e-5 with this warning, a stand-in that would enter a mean.
        warnings.filterwarnings("error", message="Not enough STFT frames")
        try:
            value = pystoi.stoi(reference, degraded, sample_rate, extended=extended)
        except RuntimeWarning as warning:
            raise NotApplicable("fewer than 31 active frames in the reference") from warning
    # Rounding may leave identical waves a few units in the last place above 1.
    return min(float(value), 1.0)


@contextmanager
def _fixed_noise() -> Iterator[None]:
    """Give numpy's global generator a fixed state inside, and its own state back after.

    ESTOI adds noise of the size of a rounding error from that generator. Where the degraded wave is
    digitally silent for 30 frames the score of that stretch is made of this noise alone.
    """
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)


METRICS = (
    Metric(
        MetricInfo(
            column="stoi",
            label="STOI",
            unit="",
            direction="up",
            minimum=-1.0,
            maximum=1.0,
            sample_rates=(),
            minimum_seconds=MINIMUM_SECONDS,
            implementation="pystoi",
            version=installed_version("pystoi"),
            licence="MIT",
            cpu_seconds_per_audio_second=0.005,
            source="Taal et al. 2011, doi:10.1109/TASL.2011.2114881",
        ),
        intelligibility,
        requires(pystoi="pystoi"),
    ),
    Metric(
        MetricInfo(
            column="estoi",
            label="ESTOI",
            unit="",
            direction="up",
            minimum=-1.0,
            maximum=1.0,
            sample_rates=(),
            minimum_seconds=MINIMUM_SECONDS,
            implementation="pystoi",
            version=installed_version("pystoi"),
            mode="extended, noise seed 0",
            licence="MIT",
            cpu_seconds_per_audio_second=0.0095,
            source="Jensen and Taal 2016, doi:10.1109/TASLP.2016.2585878",
        ),
        extended_intelligibility,
        requires(pystoi="pystoi"),
    ),
)
