"""NISQA 2.0: predicted overall quality and four of its dimensions, of a wave alone.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1
    sample_rate   48 kHz, as the network was trained; other material is resampled by the bench
    value         predicted MOS, about 1 to 5, bigger is better

Shape letters
    N  samples     L  frames of 20 ms, every 10 ms     M  mel bands, 48     W  windows of 15 frames

Dimensions are noisiness, discontinuity, coloration and loudness, each rated like quality: 5 is free
of noise. The authors' program takes a file at its own rate; speech of 16 kHz, whose upper bands are
empty either way, is brought to 48 kHz here. Longer waves than 52 s are beyond the network.

References:
    G. Mittag, B. Naderi, A. Chehadi, S. Möller, "NISQA: A Deep CNN-Self-Attention Model for
    Multidimensional Speech Quality Prediction with Crowdsourced Datasets", Interspeech 2021,
    arXiv:2104.09494.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import TORCH
from synbench_metrics._remember import remember_each
from synbench_metrics._weights import find, has_weights
from synbench_metrics.errors import NotApplicable, Unavailable
from synbench_metrics.spectral_distance import hann, mel_filters

Array = NDArray[np.float64]

RATE = 48000
FRAME, HOP, POINTS = 960, 480, 4096
BANDS, HIGHEST_HZ = 48, 20000
WINDOW_FRAMES, WINDOW_HOP = 15, 4
MOST_WINDOWS = 1300
LONGEST_SECONDS = 60.0  # a little more than so many windows, which are counted then
FLOOR, RANGE_DB = 1e-4, 80.0
# The first opinion is the overall one.
COLUMNS = {
    "mos": "NISQA MOS",
    "noi": "NISQA noisiness",
    "dis": "NISQA discontinuity",
    "col": "NISQA coloration",
    "loud": "NISQA loudness",
}
CHECKPOINT = Checkpoint(
    name="nisqa",
    files=(
        WeightsSource(
            repository="github.com/gabrielmittag/NISQA", revision="master", file="weights/nisqa.tar"
        ),
    ),
    licence="CC BY-NC-SA 4.0",
    note="no digest is pinned: the first file that is fetched pins it; not for commercial use",
)

__all__ = ["CHECKPOINT", "METRICS", "log_mels", "opinion", "opinions"]


def opinion(*, degraded: Wave, sample_rate: int, dimension: int) -> float:
    """One of the five predicted MOS.

    Raises:
        NotApplicable: the wave is longer than the network takes.
        Unavailable: the network is absent or another one.
    """
    waves = np.asarray(degraded)[None]
    return opinions(degraded=waves, sample_rate=sample_rate, dimension=dimension)[0]


def opinions(*, degraded: Wave, sample_rate: int, dimension: int) -> Sequence[float]:
    """The same for waves ``(batch, samples)`` of one length."""
    waves = np.ascontiguousarray(degraded, dtype=np.float64)
    return [float(each[dimension]) for each in _all_opinions(CHECKPOINT.name, waves)]


@remember_each(entries=8)
def _all_opinions(_: str, waves: Array) -> list[Array]:
    """All five of each wave: one pass for the five columns."""
    import torch

    from synbench_metrics._torch import device

    network = _network()
    opinions = []
    with torch.inference_mode():
        for wave in waves:
            windows = torch.from_numpy(_windows(wave).astype(np.float32)).to(device())
            opinions.append(network(windows[None])[0].cpu().numpy().astype(np.float64))
    return opinions


def log_mels(wave: Wave) -> Array:
    """Mel spectrum of a wave ``(N,)`` at 48 kHz in dB, ``(M, L)``, cut 80 dB below its peak."""
    padded = np.pad(np.asarray(wave, dtype=np.float64), POINTS // 2, mode="reflect")
    # The window is shorter than the transform: what lies outside of it is zero.
    inner = padded[(POINTS - FRAME) // 2 :]
    count = 1 + len(wave) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(inner, FRAME)[::HOP][:count]
    magnitude = np.abs(np.fft.rfft(frames * hann(FRAME), POINTS))
    mels = magnitude @ mel_filters(RATE, POINTS, BANDS, highest_hz=HIGHEST_HZ)
    decibel: Array = 20 * np.log10(np.maximum(mels, FLOOR))
    heard: Array = np.maximum(decibel, decibel.max() - RANGE_DB).T
    return heard


def _windows(wave: Wave) -> Array:
    """``(W, M, 15)``, a window every 40 ms."""
    mels = log_mels(wave)
    windows = np.lib.stride_tricks.sliding_window_view(mels, WINDOW_FRAMES, axis=1)
    windows = windows[:, ::WINDOW_HOP].transpose(1, 0, 2)
    if len(windows) > MOST_WINDOWS:
        longest = (MOST_WINDOWS * WINDOW_HOP + WINDOW_FRAMES - 2) * HOP / RATE
        raise NotApplicable(
            f"NISQA takes {longest:.1f} s at most, got {len(wave) / RATE:.1f} s: use shorter items"
        )
    return np.ascontiguousarray(windows)


@functools.cache
def _network() -> Any:
    from synbench_metrics._nisqa_model import Nisqa
    from synbench_metrics._torch import load_strictly, read_state

    (path,) = find(CHECKPOINT)
    content = read_state(path)
    if not isinstance(content, dict) or "model_state_dict" not in content:
        raise Unavailable(f"{path} is no checkpoint of NISQA: expected its part model_state_dict")
    return load_strictly(Nisqa, content["model_state_dict"], CHECKPOINT.name)


METRICS = tuple(
    Metric(
        MetricInfo(
            column=f"nisqa_{name}",
            label=label,
            unit="MOS",
            direction="up",
            minimum=None,
            maximum=None,
            sample_rates=(RATE,),
            needs=frozenset(),
            minimum_seconds=0.25,
            longest_seconds=LONGEST_SECONDS,
            implementation="synbench",
            version="1",
            mode="NISQA 2.0 at 48 kHz, single precision, not clipped",
            licence="MIT; weights CC BY-NC-SA 4.0 (gabrielmittag/NISQA)",
            batch_policy="equal_length",
            # One pass gives all five.
            cpu_seconds_per_audio_second=0.03 if name == "mos" else 0.001,
            source="Mittag et al. 2021, arXiv:2104.09494",
            training_data=("NISQA",),
        ),
        functools.partial(opinion, dimension=dimension),
        has_weights(CHECKPOINT, requires(torch="torch", advice=TORCH)),
        checkpoints=(CHECKPOINT,),
        compute_batch=functools.partial(opinions, dimension=dimension),
    )
    for dimension, (name, label) in enumerate(COLUMNS.items())
)
