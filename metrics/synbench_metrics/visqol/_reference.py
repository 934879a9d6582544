"""What ViSQOL works out of the reference alone, once for all degraded waves and mappings.

Shape letters
    B  bands     F  frames of a spectrogram

Positions are frame numbers, times are seconds; times become samples by truncation, as in the
reference program.

Reference:
    google/visqol 3.3.3, ``image_patch_creator.cc``, ``vad_patch_creator.cc``, ``misc_audio.cc``.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_metrics._remember import remember
from synbench_metrics.visqol._alignment import Spectrum, envelope_spectrum
from synbench_metrics.visqol._gammatone_energy import Filterbank, filterbank

Array = NDArray[np.float64]
Mode = Literal["speech", "audio"]

ACTIVE_LEVEL = 5000.0  # root mean square of 16-bit samples, the reference's peak being 32768

__all__ = [
    "Mode",
    "Reference",
    "Stretch",
    "cut",
    "even_patches",
    "level",
    "prepare",
    "voiced_patches",
]


@dataclass(frozen=True)
class Stretch:
    """The samples behind a patch, and what they lead to.

    Attributes:
        frames: its spectrogram where that of the whole wave holds it already.
    """

    wave: Array
    bank: Filterbank
    frames: Array | None = None

    @functools.cached_property
    def envelope(self) -> Spectrum:
        """Of the upper envelope, for alignment."""
        return envelope_spectrum(self.wave)

    @functools.cached_property
    def spectrogram(self) -> Array:
        """Root mean square per band and frame, ``(B, F)``."""
        return self.bank.spectrogram(self.wave) if self.frames is None else self.frames

    def part(self, start: float, end: float, sample_rate: int) -> Stretch:
        """The samples between two times in s.

        Where they begin with a frame of this wave, its spectrogram is not computed once more.
        """
        samples = cut(self.wave, start, end, sample_rate)
        first, beyond = divmod(max(0, int(start * sample_rate)), self.bank.hop)
        in_front = end * sample_rate - self.wave.size >= 1
        if beyond or in_front or samples.size < self.bank.frame:
            return Stretch(samples, self.bank)
        count = self.bank.frames_of(samples.size)
        return Stretch(samples, self.bank, self.spectrogram[:, first : first + count])

    def first_samples(self, count: int) -> Stretch:
        """The same without its end."""
        if count == self.wave.size:
            return self
        wave = self.wave[:count]
        if count < self.bank.frame:
            return Stretch(wave, self.bank)
        return Stretch(wave, self.bank, self.spectrogram[:, : self.bank.frames_of(count)])


@dataclass(frozen=True)
class Reference:
    """A reference wave, analysed.

    Attributes:
        whole: the wave.
        level: its root mean square.
        starts: first frames of its patches.
        width: frames of a patch.
        sample_rate: Hz.
    """

    whole: Stretch
    level: float
    starts: tuple[int, ...]
    width: int
    sample_rate: int
    _stretches: dict[tuple[float, float], Stretch] = field(default_factory=dict, repr=False)

    @property
    def bank(self) -> Filterbank:
        """The filter bank of its mode."""
        return self.whole.bank

    def stretch(self, start: float, end: float) -> Stretch:
        """The samples between two times in s."""
        if (start, end) not in self._stretches:
            self._stretches[start, end] = self.whole.part(start, end, self.sample_rate)
        return self._stretches[start, end]


@remember(entries=2)
def prepare(mode: Mode, wave: Array, sample_rate: int) -> Reference:
    """Analyse a reference.

    Raises:
        NotApplicable: it is silent, or too short for a patch.
    """
    bank = filterbank(
        *((sample_rate, 21, 8000.0) if mode == "speech" else (sample_rate, 32, sample_rate / 2))
    )
    loudness = level("reference", wave, bank)
    whole = Stretch(wave, bank)
    frames = whole.spectrogram.shape[1]
    if mode == "speech":
        width, starts = 20, voiced_patches(wave, frames, 20, bank.hop)
    else:
        width, starts = 30, even_patches(frames, 30)
    return Reference(whole, loudness, tuple(starts), width, sample_rate)


def level(name: str, wave: Array, bank: Filterbank) -> float:
    """Root mean square of a wave that is neither silent nor shorter than a frame."""
    if wave.size <= bank.frame:
        raise NotApplicable(
            f"{name} is too short: {wave.size} samples, more than {bank.frame} needed"
        )
    loudness = math.sqrt(float(np.mean(wave**2)))
    if loudness == 0.0:
        raise NotApplicable(f"{name} is digitally silent")
    return loudness


def cut(wave: Array, start: float, end: float, sample_rate: int) -> Array:
    """Samples between two times in s; what lies past the end is silence joined **in front**."""
    last = min(wave.size - 1, int(end * sample_rate))
    samples = wave[max(0, int(start * sample_rate)) : last]
    missing = int(max(end * sample_rate - wave.size, 0.0))
    return np.concatenate([np.zeros(missing), samples]) if missing else samples


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
    active = np.sqrt(np.mean(integers**2, axis=1)) >= ACTIVE_LEVEL
    # The first two frames always count as active.
    active[2:] |= active[1:-1] | active[:-2]
    active[:2] = True
    return [
        first + width * patch
        for patch in range(count)
        if active[patch * width : (patch + 1) * width].any()
    ]
