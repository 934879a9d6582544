"""Patches of ViSQOL: what the stretches of the reference are compared with.

Shape letters
    B  bands     F  frames of a spectrogram     W  frames of a patch     P  reference patches

Positions are frame numbers, times are seconds. Times go through the same products and truncations
as in the reference program, since a sample more or less at a border moves a score.

Reference:
    google/visqol 3.3.3, ``misc_audio.cc``, ``comparison_patches_selector.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_metrics.visqol._alignment import align_and_truncate
from synbench_metrics.visqol._reference import Reference, Stretch
from synbench_metrics.visqol._similarity import Patches, Similarity, compare, mean_similarity

Array = NDArray[np.float64]

FLOOR_DB = -45.0  # dB, in 10 log10 of a root mean square
BELOW_PEAK_DB = 45.0  # dB
SEARCH_RADIUS_PATCHES = 60  # patches

__all__ = ["Match", "match", "realign", "to_decibels"]


@dataclass(frozen=True)
class Match:
    """A reference patch and the stretch of the degraded wave that was matched to it.

    Attributes:
        similarity: of the pair; all bands 0 where the patch was lost.
        start, end: of the reference patch, s.
        degraded: start and end of the degraded patch, s; ``None`` where it was lost.
    """

    similarity: Similarity
    start: float
    end: float
    degraded: tuple[float, float] | None


def to_decibels(reference: Array, degraded: Array) -> tuple[Array, Array]:
    """Two spectrograms ``(B, F)`` in dB above their common floor; the F may differ."""
    tiny = np.finfo(np.float64).eps
    pair = [
        np.maximum(10 * np.log10(np.where(spectrogram == 0, tiny, spectrogram)), FLOOR_DB)
        for spectrogram in (reference, degraded)
    ]
    common = min(pair[0].shape[1], pair[1].shape[1])
    peak = np.maximum(*[decibels[:, :common].max(axis=0) for decibels in pair])
    for decibels in pair:
        np.maximum(decibels[:, :common], peak - BELOW_PEAK_DB, out=decibels[:, :common])
    lowest = min(float(decibels.min()) for decibels in pair)
    return pair[0] - lowest, pair[1] - lowest


def match(
    reference: Array, degraded: Array, starts: list[int], width: int, frame_seconds: float
) -> list[Match]:
    """The best degraded patch for every reference patch, in order, by dynamic programming.

    Args:
        reference, degraded: spectrograms in dB, ``(B, F)``, the F may differ.
        starts: first frames of the reference patches.
        width: W.
        frame_seconds: hop, s.

    Returns:
        Matches, one per patch; reference patches that lie beyond the degraded end are left out.

    Raises:
        NotApplicable: all of them lie beyond it.
    """
    frames = degraded.shape[1]
    starts = [start for start in starts if start - width // 2 <= frames]
    if not starts:
        raise NotApplicable("the degraded wave ends before the first patch of the reference")
    wanted = [reference[:, start : start + width] for start in starts]
    padded = np.concatenate([degraded, np.zeros((degraded.shape[0], width - 1))], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    candidates = np.ascontiguousarray(windows.transpose(0, 2, 1))
    offsets, lost = _path(wanted, Patches.of(candidates), starts, width)
    matches = []
    for patch, start, offset, gone in zip(wanted, starts, offsets, lost, strict=True):
        pair = compare(patch, candidates[..., offset])
        if gone:
            pair = Similarity(np.zeros_like(pair.means), pair.deviations, pair.energy)
        times = _times(offset, width, frame_seconds)
        matches.append(
            Match(pair, *_times(start, width, frame_seconds), degraded=None if gone else times)
        )
    return matches


def _times(start: int, width: int, frame_seconds: float) -> tuple[float, float]:
    """Start and end of a patch, s."""
    begin = start * frame_seconds
    return begin, begin + frame_seconds * width


def _path(
    wanted: list[Array], candidates: Patches, starts: list[int], width: int
) -> tuple[list[int], list[bool]]:
    """Offsets of the best path, and which of its steps stand still (a lost patch)."""
    frames = candidates.values.shape[-1]
    radius = SEARCH_RADIUS_PATCHES * width
    total = np.zeros((len(starts), frames))
    previous = np.full((len(starts), frames), -1)
    for patch, start in enumerate(starts):
        low, high = max(0, start - radius), min(frames - 1, start + radius) + 1
        here = mean_similarity(Patches.of(wanted[patch][..., None]), candidates[low:high])
        if patch:
            before, origin = _best_before(total[patch - 1], max(0, starts[patch - 1] - radius))
            here += before[low:high]
            previous[patch, low:high] = origin[low:high]
            still = total[patch - 1, low:high]
            lost = still > here
            here[lost] = still[lost]
            previous[patch, low:high][lost] = np.arange(low, high)[lost]
        total[patch, low:high] = here
    low = max(0, starts[-1] - radius)
    high = min(frames - 1, starts[-1] + radius) + 1
    offset = low + int(np.argmax(total[-1, low:high]))
    offsets = []
    for patch in reversed(range(len(starts))):
        offsets.append(offset)
        offset = int(previous[patch, offset])
    offsets.reverse()
    return offsets, [int(previous[patch, at]) == at for patch, at in enumerate(offsets)]


def _best_before(total: Array, low: int) -> tuple[Array, NDArray[np.int64]]:
    """For every offset the best total strictly before it, and where; the last of equals."""
    best = np.full(total.size, -1e308)
    best[low + 1 :] = np.maximum.accumulate(total[low:-1])
    here = np.where(total >= best, np.arange(total.size), -1)
    here[:low] = -1
    origin = np.full(total.size, -1)
    origin[low + 1 :] = np.maximum.accumulate(here[low:-1])
    return best, origin


def realign(match: Match, reference: Reference, degraded: Stretch) -> Match:
    """Align the two stretches of wave behind a match, and keep the better similarity.

    Args:
        degraded: the whole degraded wave.
    """
    if match.degraded is None:
        return match
    rate, bank = reference.sample_rate, reference.bank
    wanted = reference.stretch(match.start, match.end)
    given = degraded.part(*match.degraded, rate)
    if not (wanted.wave.size and given.wave.size):
        return match
    first, second, lag = align_and_truncate(wanted.wave, given.wave, rate, envelope=wanted.envelope)
    if first.size <= bank.frame:
        return match
    spectrograms = (_known(wanted, first).spectrogram, _known(given, second).spectrogram)
    pair = compare(*to_decibels(*spectrograms))
    if pair.overall < match.similarity.overall:
        return match
    start = match.start + lag if lag > 0 else match.start
    return Match(pair, start, start + first.size / float(rate), match.degraded)


def _known(stretch: Stretch, wave: Array) -> Stretch:
    """A stretch of wave, by what is known where it is the beginning of another."""
    if np.shares_memory(wave, stretch.wave) and _address(wave) == _address(stretch.wave):
        return stretch.first_samples(wave.size)
    return Stretch(wave, stretch.bank)


def _address(wave: Array) -> int:
    return int(wave.__array_interface__["data"][0])
