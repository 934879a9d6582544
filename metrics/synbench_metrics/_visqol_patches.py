"""Patches of ViSQOL: which stretches of the reference are compared, and with what.

Shape letters
    B  bands     F  frames of a spectrogram     W  frames of a patch     P  reference patches

Positions are frame numbers, times are seconds. Times go through the same products and truncations
as in the reference program, since a sample more or less at a border moves a score.

Reference:
    google/visqol 3.3.3, ``misc_audio.cc``, ``image_patch_creator.cc``, ``vad_patch_creator.cc``,
    ``comparison_patches_selector.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_metrics._gammatone_energy import Filterbank
from synbench_metrics._interface import NotApplicable
from synbench_metrics._visqol_alignment import align_and_truncate
from synbench_metrics._visqol_similarity import Patches, Similarity, compare, mean_similarity

Array = NDArray[np.float64]

FLOOR = -45.0  # dB, in 10 log10 of a root mean square
BELOW_PEAK = 45.0  # dB
SEARCH_RADIUS = 60  # patches
ACTIVE = 5000.0  # root mean square of 16-bit samples, the reference's peak being 32768

__all__ = ["Match", "even_patches", "match", "realign", "to_decibels", "voiced_patches"]


@dataclass(frozen=True)
class Match:
    """A reference patch and what was found for it.

    Attributes:
        similarity: of the pair; all bands 0 where the patch was lost.
        start, end: of the reference patch, s.
        found: start and end of the degraded patch, s; ``None`` where it was lost.
    """

    similarity: Similarity
    start: float
    end: float
    found: tuple[float, float] | None


def to_decibels(reference: Array, degraded: Array) -> tuple[Array, Array]:
    """Two spectrograms ``(B, F)`` in dB above their common floor; the F may differ."""
    tiny = np.finfo(np.float64).eps
    pair = [
        np.maximum(10 * np.log10(np.where(spectrogram == 0, tiny, spectrogram)), FLOOR)
        for spectrogram in (reference, degraded)
    ]
    common = min(pair[0].shape[1], pair[1].shape[1])
    peak = np.maximum(*[decibels[:, :common].max(axis=0) for decibels in pair])
    for decibels in pair:
        np.maximum(decibels[:, :common], peak - BELOW_PEAK, out=decibels[:, :common])
    lowest = min(float(decibels.min()) for decibels in pair)
    return pair[0] - lowest, pair[1] - lowest


def even_patches(frames: int, width: int) -> list[int]:
    """First frames of evenly spaced patches, for audio.

    Raises:
        NotApplicable: fewer frames than one patch and a half.
    """
    first = width // 2
    if frames < width + first:
        raise NotApplicable(f"the reference has {frames} frames, {width + first} are needed")
    end = frames - width if first < frames - width else first + 1
    return [index - 1 for index in range(first, end, width)]


def voiced_patches(wave: Array, frames: int, width: int, hop: int) -> list[int]:
    """First frames of the patches that hold some active speech.

    A frame is inactive when it and the two before it are quiet. The samples are read from number 9
    on: the reference program takes a frame number for a sample number there.

    Raises:
        NotApplicable: fewer frames than one patch and the nine before it.
    """
    first = width // 2 - 1
    count = (frames - first) // width
    if count < 1:
        raise NotApplicable(f"the reference has {frames} frames, {width + first} are needed")
    samples = wave[first : first + count * width * hop]
    chunks = samples[: samples.size // hop * hop].reshape(-1, hop)
    # The peak is the largest sample, not the largest magnitude.
    integers = np.trunc(np.clip(chunks / np.max(wave) * 32768, -32768, 32767))
    active = np.sqrt(np.mean(integers**2, axis=1)) >= ACTIVE
    # The first two frames always count as active.
    active[2:] |= active[1:-1] | active[:-2]
    active[:2] = True
    return [
        first + width * patch
        for patch in range(count)
        if active[patch * width : (patch + 1) * width].any()
    ]


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
        place = _times(offset, width, frame_seconds)
        matches.append(
            Match(pair, *_times(start, width, frame_seconds), found=None if gone else place)
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
    radius = SEARCH_RADIUS * width
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


def realign(
    found: Match, reference: Array, degraded: Array, bank: Filterbank, sample_rate: int
) -> Match:
    """Align the two stretches of wave behind a match, and keep the better similarity."""
    if found.found is None:
        return found
    first = _stretch(reference, found.start, found.end, sample_rate)
    second = _stretch(degraded, *found.found, sample_rate)
    if not (first.size and second.size):
        return found
    first, second, lag = align_and_truncate(first, second, sample_rate)
    if first.size <= bank.frame:
        return found
    pair = compare(*to_decibels(bank.spectrogram(first), bank.spectrogram(second)))
    if pair.overall < found.similarity.overall:
        return found
    start = found.start + lag if lag > 0 else found.start
    return Match(pair, start, start + first.size / float(sample_rate), found.found)


def _stretch(wave: Array, start: float, end: float, sample_rate: int) -> Array:
    """Samples between two times; what lies past the end is silence joined **in front**."""
    last = min(wave.size - 1, int(end * sample_rate))
    samples = wave[max(0, int(start * sample_rate)) : last]
    missing = int(max(end * sample_rate - wave.size, 0.0))
    return np.concatenate([np.zeros(missing), samples]) if missing else samples
