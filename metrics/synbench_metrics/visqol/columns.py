"""The columns of ViSQOL: their functions, and what is known about each."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import installed_version, requires
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics.visqol import _mapping as mapping
from synbench_metrics.visqol import _patches as patches
from synbench_metrics.visqol._alignment import align
from synbench_metrics.visqol._reference import Mode, Stretch, level, prepare

Array = NDArray[np.float64]

# Below this mean similarity the two waves have nothing in common, and the score is 1.
UNRELATED_SIMILARITY = 0.15
# The whole is aligned and its patches are matched at once, which takes some four gigabytes then.
LONGEST_SPEECH_SECONDS, LONGEST_AUDIO_SECONDS = 1800.0, 600.0

__all__ = ["METRICS", "audio", "speech_exponential", "speech_lattice"]


def speech_lattice(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """MOS-LQO in speech mode, mapped by the deep lattice network.

    Raises:
        NotApplicable: a wave is silent, or too short for one patch (0.64 s).
    """
    matches = _listen("speech", reference, degraded, sample_rate)
    means = _means(matches)
    if np.mean(means) < UNRELATED_SIMILARITY:
        return 1.0
    energy = np.mean([match.similarity.energy for match in matches], axis=0)
    return mapping.lattice(means, _lowest(matches), _deviations(matches, sample_rate), energy)


def speech_exponential(
    *, reference: Wave, degraded: Wave, sample_rate: int, scale: float = mapping.SCALE_TO_5
) -> float:
    """MOS-LQO in speech mode, mapped by the exponential.

    The column is scaled so that identity scores 5; ``scale=1.0`` gives the unscaled score of the
    reference program (identity 4.0159).

    Raises:
        NotApplicable: a wave is silent, or too short for one patch (0.64 s).
    """
    means = _means(_listen("speech", reference, degraded, sample_rate))
    return 1.0 if np.mean(means) < UNRELATED_SIMILARITY else mapping.exponential(means, scale=scale)


def audio(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """MOS-LQO in audio mode.

    Raises:
        NotApplicable: a wave is silent, or too short for a patch and a half (0.96 s).
    """
    means = _means(_listen("audio", reference, degraded, sample_rate))
    return 1.0 if np.mean(means) < UNRELATED_SIMILARITY else mapping.support_vectors(means)


def _listen(mode: Mode, reference: Wave, degraded: Wave, sample_rate: int) -> list[patches.Match]:
    """The matched patches of a pair of waves, the same for both mappings of speech."""
    first = np.ascontiguousarray(reference, dtype=np.float64)
    return _matches(mode, first, np.ascontiguousarray(degraded, dtype=np.float64), sample_rate)


@remember(entries=2)
def _matches(
    mode: Mode, reference: Array, degraded: Array, sample_rate: int
) -> list[patches.Match]:
    known = prepare(mode, reference, sample_rate)
    second, _ = align(reference, degraded, envelope=known.whole.envelope)
    second = second * (known.level / level("degraded", second, known.bank))
    whole = Stretch(second, known.bank)
    spectrograms = patches.to_decibels(known.whole.spectrogram, whole.spectrogram)
    hop_seconds = known.bank.hop / float(sample_rate)
    nearest = patches.match(*spectrograms, list(known.starts), known.width, hop_seconds)
    return [patches.realign(match, known, whole) for match in nearest]


def _means(matches: list[patches.Match]) -> Array:
    """Similarity per band, mean over the patches, ``(B,)``."""
    means: Array = np.mean([match.similarity.means for match in matches], axis=0)
    return means


def _lowest(matches: list[patches.Match]) -> Array:
    """Similarity per band, mean over the lowest tenth of the patches (at least one), ``(B,)``."""
    ordered = np.sort([match.similarity.means for match in matches], axis=0)
    lowest: Array = np.mean(ordered[: max(1, int(len(matches) * 0.1))], axis=0)
    return lowest


def _deviations(matches: list[patches.Match], sample_rate: int) -> Array:
    """Standard deviation of the similarity per band, pooled over the patches, ``(B,)``."""
    hop = int(round(0.08 * sample_rate) * 0.25) / float(sample_rate)
    means = _means(matches)
    frames, energy = 0, np.zeros_like(means)
    for match in matches:
        count = math.ceil((match.end - match.start) / hop)
        frames += count
        energy += (count - 1) * match.similarity.deviations**2 + count * match.similarity.means**2
    variance = (energy - means**2 * frames) / (frames - 1)
    return np.sqrt(np.maximum(variance, 0.0))


METRICS = (
    Metric(
        MetricInfo(
            column="visqol_speech_lattice",
            label="ViSQOL speech (lattice)",
            unit="MOS",
            direction="up",
            minimum=1.0,
            maximum=5.0,
            sample_rates=(16000,),
            minimum_seconds=0.64,
            longest_seconds=LONGEST_SPEECH_SECONDS,
            implementation="synbench",
            version="1",
            mode="ViSQOL 3.3.3 speech, lattice, ai-edge-litert "
            + installed_version("ai-edge-litert"),
            weights_sha256=mapping.LATTICE_SHA256,
            licence="MIT; model Apache-2.0 (google/visqol)",
            cpu_seconds_per_audio_second=0.02,
            source="Chinen et al. 2020, doi:10.1109/QoMEX48832.2020.9123150",
        ),
        speech_lattice,
        requires(ai_edge_litert__interpreter="ai-edge-litert", advice=INSTALL),
    ),
    Metric(
        MetricInfo(
            column="visqol_speech_exp",
            label="ViSQOL speech (exponential)",
            unit="MOS",
            direction="up",
            minimum=1.0,
            maximum=5.0,
            sample_rates=(16000,),
            minimum_seconds=0.64,
            longest_seconds=LONGEST_SPEECH_SECONDS,
            implementation="synbench",
            version="1",
            mode="ViSQOL 3.3.3 speech, exponential scaled to 5",
            licence="MIT",
            cpu_seconds_per_audio_second=0.02,
            source="Chinen et al. 2020, doi:10.1109/QoMEX48832.2020.9123150",
        ),
        speech_exponential,
    ),
    Metric(
        MetricInfo(
            column="visqol_audio",
            label="ViSQOL audio",
            unit="MOS",
            direction="up",
            minimum=1.0,
            maximum=5.0,
            sample_rates=(48000,),
            minimum_seconds=0.96,
            longest_seconds=LONGEST_AUDIO_SECONDS,
            implementation="synbench",
            version="1",
            mode="ViSQOL 3.3.3 audio, support vectors",
            weights_sha256=mapping.SUPPORT_VECTORS_SHA256,
            licence="MIT; model Apache-2.0 (google/visqol)",
            cpu_seconds_per_audio_second=0.06,
            source="Chinen et al. 2020, doi:10.1109/QoMEX48832.2020.9123150",
        ),
        audio,
        mapping.has_model(mapping.SUPPORT_VECTORS, mapping.SUPPORT_VECTORS_SHA256),
    ),
)
