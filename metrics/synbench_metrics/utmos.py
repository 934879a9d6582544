"""UTMOS: predicted naturalness of a wave alone, by UTMOS22's strong learner.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1, at least 400 samples
    sample_rate   16 kHz only
    value         predicted MOS, about 1 to 5, not clipped, bigger is better

The network has no mask: zeros behind a wave change its score. So a wave is scored as it is, and
only waves of one length share a pass (those that several codecs made of one utterance).

The package ``utmos`` of the package index is not used: it needs fairseq 0.12.2, which does not
build on Python 3.11 or later. The network here is our own, with the names of the published file.

Pitfalls
    - There is no original: wrong words or another voice cost nothing, and a generative codec can
      score above the recording.
    - It learned from synthesised read speech. Noise, rooms and spontaneous speech are outside.

References:
    T. Saeki et al., "UTMOS: UTokyo-SaruLab System for VoiceMOS Challenge 2022", Interspeech 2022.
"""

from __future__ import annotations

import functools
from typing import Any

from synbench_base.packages import requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import TORCH
from synbench_metrics._weights import find, has_weights

CHECKPOINT = Checkpoint(
    name="utmos22_strong",
    files=(
        WeightsSource(
            repository="github.com/tarepan/SpeechMOS/releases",
            revision="v1.0.0",
            file="utmos22_strong_step7459_v1.pt",
        ),
    ),
    licence="MIT",
    note="no digest is published: the first file that is fetched pins it",
)

__all__ = ["CHECKPOINT", "METRICS", "naturalness", "naturalness_of_many"]


def naturalness(*, degraded: Wave, sample_rate: int) -> float:
    """Predicted MOS.

    Raises:
        Unavailable: the checkpoint is absent or another one.
    """
    return naturalness_of_many(degraded=degraded[None], sample_rate=sample_rate)[0]


def naturalness_of_many(*, degraded: Wave, sample_rate: int) -> list[float]:
    """Predicted MOS of waves ``(batch, samples)``; those of a pass are computed side by side."""
    import torch

    from synbench_metrics._torch import passes

    model = _model()
    with torch.inference_mode():
        scores = [model(waves) for waves in passes(degraded, sample_rate)]
    return [float(score) for score in torch.cat(scores).cpu()]


@functools.cache
def _model() -> Any:
    """The network, built once per process."""
    from synbench_metrics._torch import load_strictly, read_state
    from synbench_metrics._utmos_model import Utmos

    (path,) = find(CHECKPOINT)
    return load_strictly(Utmos, read_state(path), CHECKPOINT.name)


METRICS = (
    Metric(
        MetricInfo(
            column="utmos",
            label="UTMOS",
            unit="MOS",
            direction="up",
            minimum=None,
            maximum=None,
            sample_rates=(16000,),
            needs=frozenset(),
            minimum_seconds=0.025,
            longest_seconds=120.0,  # every frame attends to every other: 2 GB
            implementation="synbench",
            version="1",
            mode="UTMOS22 strong learner, single precision, not clipped",
            licence="MIT; weights MIT (sarulab-speech/UTMOS22)",
            batch_policy="equal_length",
            cpu_seconds_per_audio_second=0.24,
            source="Saeki et al. 2022, doi:10.21437/Interspeech.2022-439",
            # Ratings of BVCC, on features that wav2vec 2.0 learnt from LibriSpeech.
            training_data=("BVCC", "LibriSpeech"),
        ),
        naturalness,
        has_weights(CHECKPOINT, requires(torch="torch", advice=TORCH)),
        checkpoints=(CHECKPOINT,),
        compute_batch=naturalness_of_many,
    ),
)
