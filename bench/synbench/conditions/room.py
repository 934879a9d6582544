"""Reverberation: a recorded impulse response, or one of a box-shaped room by the image method."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from synbench.errors import ItemError, UsageError

Wave = NDArray[np.float64]
SPEED_OF_SOUND = 343.0
# A living room; the walls absorb what the reverberation time asks for.
ROOM_METRES = (6.0, 4.5, 2.8)
SHORTEST_RT60, LONGEST_RT60 = 0.1, 3.0
# Sabine's constant, s/m.
SABINE = 0.161

__all__ = ["image_response", "measured_rt60", "reverberate"]


def reverberate(speech: Wave, response: Wave) -> Wave:
    """Speech in a room, with the direct sound in place and at its level.

    The response is shifted so that its highest peak comes first and scaled so that this peak is 1:
    speech keeps its time and its level, reflections come on top. Same length as ``speech``.

    Raises:
        ItemError: the response is empty or silent.
    """
    if response.size == 0 or not np.any(response):
        raise ItemError("the impulse response is empty or silent")
    direct = int(np.argmax(np.abs(response)))
    shaped = response[direct:] / response[direct]
    return fftconvolve(speech, shaped)[: speech.size]


def image_response(rt60: float, *, sample_rate: int, draw: np.random.Generator) -> Wave:
    """Impulse response of a box-shaped room whose sound decays by 60 dB in ``rt60`` seconds.

    Images of the source are mirrored at all walls (Allen and Berkley, JASA 1979), with an
    absorption that gives the wanted decay after Eyring. Speaker and microphone stand at random
    places 1 to 2 m apart. Reflections of late images are so dense that single positions do not
    matter; what rounding and a box leave in decay is taken out by a smooth exponential.

    Raises:
        UsageError: ``rt60`` is outside 0.1 to 3 seconds.
    """
    if not SHORTEST_RT60 <= rt60 <= LONGEST_RT60:
        raise UsageError(
            f"expected an rt60 from {SHORTEST_RT60} to {LONGEST_RT60} seconds, got {rt60:g}"
        )
    source, microphone = _positions(draw)
    delays, gains = _images(rt60, source, microphone)
    n_samples = math.ceil(1.2 * rt60 * sample_rate)
    response = np.zeros(n_samples)
    index = np.rint(delays * sample_rate).astype(np.int64)
    inside = index < n_samples
    # Images arrive with random signs beyond the early ones, as walls that are not flat make them.
    signs = np.where(delays < delays.min() + 0.02, 1.0, draw.choice([-1.0, 1.0], delays.size))
    np.add.at(response, index[inside], (gains * signs)[inside])
    return _corrected(response, rt60, sample_rate=sample_rate)


def measured_rt60(response: Wave, *, sample_rate: int) -> float:
    """Reverberation time in seconds: the decay from -5 to -35 dB (T30, ISO 3382), times two."""
    return 2 * _decay_seconds(response, sample_rate=sample_rate, start_db=-5.0, stop_db=-35.0)


def _decay_seconds(response: Wave, *, sample_rate: int, start_db: float, stop_db: float) -> float:
    remaining = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10 * np.log10(np.maximum(remaining / remaining[0], 1e-12))
    inside = np.flatnonzero((level <= start_db) & (level >= stop_db))
    slope = np.polyfit(inside / sample_rate, level[inside], 1)[0]
    return float((stop_db - start_db) / slope)


def _positions(draw: np.random.Generator) -> tuple[Wave, Wave]:
    room = np.array(ROOM_METRES)
    while True:
        source, microphone = (draw.uniform(0.5, room - 0.5) for _ in range(2))
        if 1.0 <= np.linalg.norm(source - microphone) <= 2.0:
            return source, microphone


def _images(rt60: float, source: Wave, microphone: Wave) -> tuple[Wave, Wave]:
    """Delays in seconds and gains of all images that arrive within the response."""
    room = np.array(ROOM_METRES)
    surface = 2 * (room[0] * room[1] + room[1] * room[2] + room[0] * room[2])
    absorption = 1 - math.exp(-SABINE * room.prod() / (surface * rt60))
    reflection = math.sqrt(1 - absorption)
    reach = np.ceil(1.2 * rt60 * SPEED_OF_SOUND / (2 * room)).astype(int)
    axes = []
    for axis in range(3):
        order = np.arange(-reach[axis], reach[axis] + 1)
        even = 2 * order * room[axis] + source[axis] - microphone[axis]
        odd = 2 * order * room[axis] - source[axis] - microphone[axis]
        axes.append(
            (
                np.concatenate([even, odd]),
                np.concatenate([np.abs(2 * order), np.abs(2 * order - 1)]),
            )
        )
    distance = np.sqrt(
        axes[0][0][:, None, None] ** 2 + axes[1][0][:, None] ** 2 + axes[2][0] ** 2
    ).ravel()
    total = (axes[0][1][:, None, None] + axes[1][1][:, None] + axes[2][1]).ravel()
    near = distance < 1.2 * rt60 * SPEED_OF_SOUND
    return distance[near] / SPEED_OF_SOUND, reflection ** total[near] / distance[near]


def _corrected(response: Wave, rt60: float, *, sample_rate: int) -> Wave:
    """The response with its late decay stretched or shortened to the wanted one."""
    direct = int(np.argmax(np.abs(response)))
    time = np.maximum(np.arange(response.size) - direct, 0) / sample_rate
    for _ in range(4):
        measured = measured_rt60(response[direct:], sample_rate=sample_rate)
        response = response * 10 ** (3 * time * (1 / measured - 1 / rt60))
    return response
