"""Distill-MOS: predicted quality of a wave alone, by a small network that learned from XLS-R.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1
    sample_rate   16 kHz only
    value         predicted MOS, 1 to 5, bigger is better

The network hears segments of 7.68 s, each brought to full scale, so that the level does not matter.
As in the package, a shorter wave is filled up with zeros behind it; a longer one is cut into evenly
spaced segments at most 1 s apart, the first at its start and the last at its end, and the score is
their mean. So a second of a long wave costs several times as much as one of a short wave.

The weights lie inside the package ``distillmos``, which is not imported: it wants torchaudio.

Pitfalls
    - There is no original: wrong words or another voice cost nothing.
    - Neural codecs were in the training data of few such predictors; check the order against
      listeners (`synbench agree`).

Reference:
    B. Stahl, H. Gamper, "Distillation and Pruning for Scalable Self-Supervised
    Representation-Based Speech Quality Assessment", ICASSP 2025, arXiv:2502.05356.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import TORCH
from synbench_metrics._weights import find, has_weights

SEGMENT_SAMPLES = 122880  # samples, 7.68 s
MOST_STEP_SAMPLES = 16000  # samples, at most between two segments
SEGMENTS_AT_ONCE = 16  # segments in memory

CHECKPOINT = Checkpoint(
    name="distill_mos_v7",
    files=(
        WeightsSource(
            repository="github.com/microsoft/Distill-MOS",
            revision="main",
            file="distillmos/weights/distill_mos_v7.pt",
            sha256="b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40",
            bytes=16_907_522,
            distribution="distillmos",
        ),
    ),
    licence="MIT",
    note="also inside the package distillmos: pip install --no-deps distillmos==0.9.1",
)

__all__ = ["CHECKPOINT", "METRICS", "quality", "quality_of_many", "segment_starts"]


def quality(*, degraded: Wave, sample_rate: int) -> float:
    """Predicted MOS.

    Raises:
        Unavailable: the checkpoint is absent or another one.
    """
    return quality_of_many(degraded=degraded[None], sample_rate=sample_rate)[0]


def quality_of_many(*, degraded: Wave, sample_rate: int) -> list[float]:
    """Predicted MOS of waves ``(batch, samples)``; segments of a pass are heard side by side."""
    import torch

    from synbench_metrics._torch import passes

    model, starts = _model(), segment_starts(degraded.shape[1])
    filled = np.pad(degraded, ((0, 0), (0, max(0, SEGMENT_SAMPLES - degraded.shape[1]))))
    starts_of_rows = [(row, start) for row in range(len(filled)) for start in starts]
    scores = []
    with torch.inference_mode():
        for at in range(0, len(starts_of_rows), SEGMENTS_AT_ONCE):
            chosen = starts_of_rows[at : at + SEGMENTS_AT_ONCE]
            segments = np.stack(
                [filled[row, start : start + SEGMENT_SAMPLES] for row, start in chosen]
            )
            scores += [model(each).cpu() for each in passes(segments, sample_rate)]
    means = torch.cat(scores).reshape(len(degraded), len(starts)).mean(dim=1)
    return [float(mean) for mean in means]


def segment_starts(samples: int) -> NDArray[np.int64]:
    """First samples of the segments of a wave, evenly spaced, from its start to its end."""
    beyond = max(0, samples - SEGMENT_SAMPLES)
    return (np.linspace(0, 1, math.ceil(beyond / MOST_STEP_SAMPLES) + 1) * beyond).astype(np.int64)


@functools.cache
def _model() -> Any:
    """The network, built once per process."""
    from synbench_metrics._distill_mos_model import DistillMos
    from synbench_metrics._torch import load_strictly, read_state

    (path,) = find(CHECKPOINT)
    return load_strictly(DistillMos, read_state(path)["model"], CHECKPOINT.name)


METRICS = (
    Metric(
        MetricInfo(
            column="distill_mos",
            label="Distill-MOS",
            unit="MOS",
            direction="up",
            minimum=1.0,
            maximum=5.0,
            sample_rates=(16000,),
            needs=frozenset(),
            # Of a shorter wave hardly anything but the zeros behind it would be heard.
            minimum_seconds=0.25,
            longest_seconds=1800.0,
            implementation="synbench",
            version="1",
            mode="variant 7, segments of 7.68 s at most 1 s apart, single precision",
            weights_sha256=CHECKPOINT.files[0].sha256,
            licence="MIT; weights MIT (microsoft/Distill-MOS)",
            batch_policy="equal_length",
            cpu_seconds_per_audio_second=0.15,
            source="Stahl and Gamper 2025, arXiv:2502.05356",
        ),
        quality,
        has_weights(CHECKPOINT, requires(torch="torch", advice=TORCH)),
        checkpoints=(CHECKPOINT,),
        compute_batch=quality_of_many,
    ),
)
