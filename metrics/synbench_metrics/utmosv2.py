"""UTMOSv2: predicted naturalness of a wave alone, by listening and by looking at spectrograms.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1; its level matters
    sample_rate   16 kHz only
    value         predicted MOS, about 1 to 5, not clipped, bigger is better

What the authors' program does by default is done here: stretches of more than 0.3 s in which no
sample lies above 0.1 are cut out; then 3 s for the network that listens and twice 1.4 s for those
that look are drawn, of a shorter wave that is repeated. Every spectrogram (512 mel bands, windows
of 256, 128, 64 and 32 ms, every 2 ms) is mixed with that of another stretch by a drawn share, as in
training. Their program draws anew each time; here the draws begin at seed 0 for every wave, so a
score is always the same, and versions of one utterance are heard at one place where what is cut out
of them agrees. One draw is made, and listeners of the collection "sarulab" are asked, as by default
there; fold 0 of five. From numpy's seed 0 their program gives the same numbers.

Pitfalls
    - There is no original: wrong words or another voice cost nothing.
    - A wave that never rises above 0.1 for longer than 0.3 s at a time is not heard there: one that
      is silent to it as a whole has no score. It is not lifted, since their program does not.
    - One draw hears 3 s: of long utterances most is not heard.
    - On a processor an utterance takes 5 s, however short it is.

References:
    K. Baba, W. Nakata, Y. Saito, H. Saruwatari, "The T05 System for the VoiceMOS Challenge 2024:
    Transfer Learning from Deep Image Classifier to Naturalness MOS Prediction of High-Quality
    Synthetic Speech", SLT 2024, arXiv:2409.09305; program 1.3 (sarulab-speech/UTMOSv2).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import TORCH
from synbench_metrics._weights import find, has_weights
from synbench_metrics.errors import NotApplicable
from synbench_metrics.spectral_distance import mel_powers

Array = NDArray[Any]

RATE = 16000
SEED = 0
LOUD = 0.1
LONGEST_PAUSE = 4800  # samples
HEARD, SEEN = 48000, 22400  # samples of a stretch
STRETCHES = 2
POINTS, HOP, BANDS = 4096, 32, 512
WINDOWS = (4096, 2048, 1024, 512)
MIXING = 0.4  # both parameters of a beta distribution
POWER_FLOOR, RANGE_DB = 1e-10, 80.0
SIDE = 512  # rows and columns of a picture
COLLECTION = 1  # sarulab
CHECKPOINT = Checkpoint(
    name="utmosv2",
    files=(
        WeightsSource(
            repository="huggingface.co/sarulab-speech/UTMOSv2",
            revision="main",
            file="fold0_s42_best_model.pth",
        ),
    ),
    licence="MIT",
    note="no digest is published: the first file that is fetched pins it",
)

__all__ = ["CHECKPOINT", "METRICS", "loud_parts", "naturalness", "stretches"]


def naturalness(*, degraded: Wave, sample_rate: int) -> float:
    """Predicted MOS.

    Raises:
        NotApplicable: nothing is left where quiet stretches are cut out.
        Unavailable: the checkpoint is absent or another one.
    """
    import torch

    from synbench_metrics._torch import device

    network = _network()
    heard, seen = stretches(degraded)
    collection = torch.eye(10, device=device())[COLLECTION, None]
    waves, pictures = (torch.from_numpy(each[None]).to(device()) for each in (heard, seen))
    with torch.inference_mode():
        return float(network(waves, _square(pictures), collection)[0])


def stretches(wave: Wave) -> tuple[Array, Array]:
    """What is drawn of a wave: samples ``(48000,)`` of no mean and unit deviation, and
    spectrograms ``(2, 4, 512, 701)`` between 0 and 1, all float32.

    Raises:
        NotApplicable: nothing is left where quiet stretches are cut out.
    """
    loud = loud_parts(np.asarray(wave, dtype=np.float32))
    if loud.size == 0:
        raise NotApplicable(
            f"no sample above {LOUD} for {LONGEST_PAUSE / RATE} s at a time: UTMOSv2 cuts all of it"
        )
    draws = np.random.RandomState(SEED)  # the generator of the authors' program
    heard = _drawn(loud, HEARD, draws).astype(np.float64)
    normal = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
    pictures = []
    for _ in range(STRETCHES):
        first = _drawn(loud, SEEN, draws)
        for window in WINDOWS:
            other = _drawn(loud, SEEN, draws)
            share = draws.beta(MIXING, MIXING)
            mixed = share * _picture(first, window) + (1 - share) * _picture(other, window)
            pictures.append(mixed)
    shape = (STRETCHES, len(WINDOWS), *pictures[0].shape)
    return normal.astype(np.float32), np.reshape(pictures, shape).astype(np.float32)


def loud_parts(wave: Array) -> Array:
    """A wave without stretches of more than 0.3 s in which no sample lies above 0.1."""
    quiet = np.concatenate([[False], wave < LOUD, [False]])
    edges = np.flatnonzero(quiet[1:] != quiet[:-1])
    kept = np.ones(wave.size, dtype=bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin > LONGEST_PAUSE:
            kept[begin:end] = False
    return wave[kept]


def _drawn(wave: Array, length: int, draws: np.random.RandomState) -> Array:
    """A stretch from anywhere; a wave that is too short is repeated first."""
    if wave.size <= length:
        wave = np.tile(wave, length // wave.size + 1)
    start = draws.randint(0, wave.size - length)
    return wave[start : start + length]


def _picture(wave: Array, window: int) -> Array:
    """Mel spectrogram ``(512, frames)``: 1 at its loudest, 0 at 80 dB below."""
    powers = mel_powers(wave, RATE, frame=window, hop=HOP, points=POINTS, bands=BANDS)
    decibel = 10 * np.log10(np.maximum(powers, POWER_FLOOR)).T
    picture: Array = np.maximum(decibel - decibel.max(), -RANGE_DB) / RANGE_DB + 1
    return picture


def _square(pictures: Any) -> Any:
    """``(B, E, S, bands, frames)`` as ``(B, E, S, 512, 512)``, smoothed where it shrinks."""
    from torch.nn import functional

    flat = functional.interpolate(
        pictures.flatten(0, 1), (SIDE, SIDE), mode="bilinear", antialias=True
    )
    return flat.reshape(*pictures.shape[:3], SIDE, SIDE)


@functools.cache
def _network() -> Any:
    """The network, built once per process."""
    from synbench_metrics._torch import load_strictly, read_state
    from synbench_metrics._utmosv2_model import Utmosv2, own_names

    (path,) = find(CHECKPOINT)
    return load_strictly(Utmosv2, own_names(read_state(path)), CHECKPOINT.name)


METRICS = (
    Metric(
        MetricInfo(
            column="utmosv2",
            label="UTMOSv2",
            unit="MOS",
            direction="up",
            minimum=None,
            maximum=None,
            sample_rates=(RATE,),
            needs=frozenset(),
            minimum_seconds=0.025,
            implementation="synbench",
            version="1",
            mode=(
                "fusion stage 3, fold 0, one draw from seed 0, listeners of sarulab, stretches "
                "below 0.1 cut, single precision, not clipped"
            ),
            licence="MIT; weights MIT (sarulab-speech/UTMOSv2)",
            # Five seconds an item, whatever its length: of one of 5 s.
            cpu_seconds_per_audio_second=1.0,
            source="Baba et al. 2024, arXiv:2409.09305",
            # Ratings of these, on features that wav2vec 2.0 learnt from LibriSpeech.
            training_data=("BVCC", "Blizzard Challenge", "SOMOS", "LibriSpeech"),
        ),
        naturalness,
        has_weights(CHECKPOINT, requires(torch="torch", advice=TORCH)),
        checkpoints=(CHECKPOINT,),
    ),
)
