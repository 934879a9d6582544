"""Gammatone spectrogram of ViSQOL by two matrix products, without the recursion.

Shape letters
    N  samples of a frame (80 ms)        F  frames        B  bands
    M  points of the FFT, M >= 2 N       L  samples of an impulse response, L = 3 N

ViSQOL restarts four cascaded second-order filters on every windowed frame and keeps one number per
band, the root mean square of the filtered frame. The filters are linear, so that number needs no
filtering. For a frame x and a band with impulse response h::

    energy inside the frame = energy of the whole response - energy of the response after the frame

The first term is ``sum |X|^2 R`` with X the M-point DFT of x and R that of the autocorrelation of h
at lags below N; a frame of N samples has no larger lags, so this is exact. After the frame the
response depends only on the 8 filter states, which are linear in x: the second term is the squared
length of a fixed (8, N) projection of x. Both agree with the recursion to 1e-9 or better for every
value that lies above ViSQOL's floor of 45 dB.

References:
    M. Slaney, "An Efficient Implementation of the Patterson-Holdsworth Auditory Filter Bank", Apple
    Technical Report 35, 1993. M. Chinen et al., "ViSQOL v3", QoMEX 2020.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

EAR_QUALITY = 9.26449
MINIMUM_BANDWIDTH = 24.7  # Hz
LOWEST_FREQUENCY = 50.0  # Hz
STAGES = 4

__all__ = ["Filterbank", "centre_frequencies", "coefficients", "filterbank"]


@dataclass(frozen=True)
class Filterbank:
    """Everything that is fixed for one rate and set of bands.

    Attributes:
        frame: N, samples.
        hop: samples, a quarter of a frame.
        points: M.
        window: Hann, ``(N,)``.
        whole: weights of the power spectrum, ``(M/2 + 1, B)``, lowest band first.
        after: projection onto the response after the frame, ``(N, 8 B)``.
    """

    frame: int
    hop: int
    points: int
    window: Matrix
    whole: Matrix
    after: Matrix

    def spectrogram(self, wave: Matrix) -> Matrix:
        """Root mean square per band and frame, ``(B, F)``, of a wave longer than one frame."""
        frames = np.lib.stride_tricks.sliding_window_view(wave, self.frame)[:: self.hop]
        windowed = frames * self.window
        spectrum = np.fft.rfft(windowed, self.points)
        energy = (spectrum.real**2 + spectrum.imag**2) @ self.whole
        lost = (windowed @ self.after).reshape(*energy.shape, 2 * STAGES)
        inside = np.maximum(energy - np.einsum("fbs,fbs->fb", lost, lost), 0.0)
        return np.ascontiguousarray(np.sqrt(inside / self.frame).T)


@functools.cache
def filterbank(sample_rate: int, bands: int, highest: float) -> Filterbank:
    """The filter bank from 50 Hz to ``highest`` Hz; about half a second the first time."""
    frame = round(0.08 * sample_rate)
    numerators, denominators = coefficients(sample_rate, bands, highest)
    impulse, states, decays = _responses(numerators, denominators, frame)
    # Householder keeps the tiny and the huge states apart; a Gramian of repeated poles does not.
    basis = np.linalg.qr(decays, mode="r")
    after = np.einsum("bij,nbj->nbi", basis, states).reshape(frame, -1)
    points = _even_fast_length(2 * frame)
    index = np.arange(frame)
    return Filterbank(
        frame=frame,
        hop=int(frame * 0.25),
        points=points,
        window=0.5 - 0.5 * np.cos(2 * np.pi * index / (frame - 1)),
        whole=_power_weights(impulse, frame, points),
        after=np.ascontiguousarray(after),
    )


def centre_frequencies(bands: int, highest: float) -> Matrix:
    """Hz, ``(B,)``, lowest first, evenly spaced on the ERB scale from 50 Hz (Slaney)."""
    offset = EAR_QUALITY * MINIMUM_BANDWIDTH
    step = (np.log(LOWEST_FREQUENCY + offset) - np.log(highest + offset)) / bands
    centres: Matrix = np.exp(np.arange(bands, 0, -1) * step) * (highest + offset) - offset
    return centres


def coefficients(sample_rate: int, bands: int, highest: float) -> tuple[Matrix, Matrix]:
    """Slaney's four second-order sections.

    Returns:
        Numerators ``(4, 2, B)`` (the third coefficient is 0; the first section holds the gain), and
        denominators ``(2, B)`` (the leading 1 left out), shared by the sections.
    """
    centre = centre_frequencies(bands, min(highest, sample_rate / 2))
    period = 1.0 / sample_rate
    width = 1.019 * 2 * np.pi * (centre / EAR_QUALITY + MINIMUM_BANDWIDTH)
    decay, angle = np.exp(-width * period), 2 * np.pi * centre * period
    roots = np.array([1.0, -1.0, 1.0, -1.0]) * np.sqrt(
        3 + np.array([1.0, 1.0, -1.0, -1.0]) * 2**1.5
    )
    second = -period * decay * (np.cos(angle) + roots[:, None] * np.sin(angle))
    # The gain is the cascade's magnitude at the centre frequency.
    delay = np.exp(-1j * angle)
    poles = np.stack([-2 * np.cos(angle) * decay, decay**2])
    sections = (period + second * delay) / (1 + poles[0] * delay + poles[1] * delay**2)
    numerators = np.stack([np.full((STAGES, bands), period), second], axis=1)
    numerators[0] /= np.abs(np.prod(sections, axis=0))
    return numerators, poles


def _responses(
    numerators: Matrix, denominators: Matrix, frame: int
) -> tuple[Matrix, Matrix, Matrix]:
    """Run the recursion once, on an impulse and from each unit state.

    Returns:
        The impulse response ``(L, B)``; the states at the end of a frame that an impulse at each
        of its samples leaves, ``(N, B, 8)``; the decays from each unit state ``(B, L, 8)``.
    """
    length, bands = 3 * frame, numerators.shape[-1]
    # Axis 0 of the state: two memories of each of four sections. Axis 1: the eight unit states,
    # then the impulse.
    state = np.zeros((2 * STAGES, 2 * STAGES + 1, bands))
    state[np.arange(2 * STAGES), np.arange(2 * STAGES)] = 1.0
    output = np.empty((length, 2 * STAGES + 1, bands))
    states = np.empty((frame, bands, 2 * STAGES))
    value = np.zeros((2 * STAGES + 1, bands))
    value[-1] = 1.0
    for sample in range(length):
        for stage in range(STAGES):
            first, last = 2 * stage, 2 * stage + 1
            filtered = numerators[stage, 0] * value + state[first]
            state[first] = numerators[stage, 1] * value - denominators[0] * filtered + state[last]
            state[last] = -denominators[1] * filtered
            value = filtered
        output[sample] = value
        value = np.zeros_like(value)
        if sample < frame:
            states[frame - 1 - sample] = state[:, -1].T
    return output[:, -1], states, np.ascontiguousarray(output[:, :-1].transpose(2, 0, 1))


def _power_weights(impulse: Matrix, frame: int, points: int) -> Matrix:
    """Weights of ``|X|^2`` that give the energy of the whole response, ``(M/2 + 1, B)``."""
    length = 8 * frame
    spectrum = np.fft.rfft(impulse, length, axis=0)
    lags = np.fft.irfft(np.abs(spectrum) ** 2, length, axis=0)[:frame]
    circular = np.zeros((points, impulse.shape[1]))
    circular[:frame] = lags
    circular[-frame + 1 :] = lags[:0:-1]
    weights = np.fft.rfft(circular, axis=0).real * (2.0 / points)
    weights[[0, -1]] /= 2  # DC and Nyquist occur once in a real spectrum
    return np.ascontiguousarray(weights)


def _even_fast_length(at_least: int) -> int:
    """The next even length whose prime factors are 2, 3 and 5."""
    length = at_least + at_least % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2
