"""Speaker similarity: the cosine of two embeddings; and their Frechet distance over a corpus.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1, equal length
    sample_rate           16 kHz only
    value                 cosine, -1 to 1, bigger is better; or a squared distance, see
                          :mod:`synbench_metrics.frechet`

Similarities by different models cannot be compared, so each model has its own column:
``sim_resemblyzer``, whose weights come inside a package, and ``sim_wavlm_base_plus_sv``. Papers
also use a fine-tuned WavLM-large or RawNet3; none of these numbers is theirs.

A wave is embedded once for all columns, a reference once for all codecs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import installed_version, package_content, requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Measured, Metric, MetricInfo, Wave
from synbench_metrics._packages import TORCH, TRANSFORMERS
from synbench_metrics._remember import remember_each
from synbench_metrics._weights import has_weights

Array = NDArray[np.float64]

RESEMBLYZER_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
WAVLM = Checkpoint(
    name="wavlm_base_plus_sv",
    files=tuple(
        WeightsSource(
            repository="huggingface.co/microsoft/wavlm-base-plus-sv", revision="main", file=file
        )
        for file in ("config.json", "preprocessor_config.json", "pytorch_model.bin")
    ),
    licence="see the LICENSE of microsoft/UniSpeech",
    note="no digests are published: the first files that are fetched pin it",
)

__all__ = ["METRICS", "WAVLM", "distance", "similarities", "similarity"]


def similarity(*, reference: Wave, degraded: Wave, sample_rate: int, model: str) -> float:
    """Cosine of the embeddings of both waves."""
    return similarities(
        reference=reference, degraded=degraded[None], sample_rate=sample_rate, model=model
    )[0]


def similarities(*, reference: Wave, degraded: Wave, sample_rate: int, model: str) -> list[float]:
    """Cosines of several degraded waves ``(batch, samples)`` of one reference."""
    (known,) = _vectors(model, reference[None])
    return [_cosine(known, vector) for vector in _vectors(model, degraded)]


def distance(*, reference: Wave, degraded: Wave, sample_rate: int, model: str) -> Measured:
    """Squared distance of the embeddings, which are kept for the distance of the corpus."""
    (first,), (second,) = _vectors(model, reference[None]), _vectors(model, degraded[None])
    return Measured(
        value=float(np.sum((first - second) ** 2)),
        vector=(*map(float, first), *map(float, second)),
    )


def _cosine(first: Array, second: Array) -> float:
    """Rounding may leave equal vectors a little above 1."""
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.clip(cosine, -1.0, 1.0))


@remember_each(entries=512)
def _vectors(model: str, waves: Wave) -> list[Array]:
    """Embeddings ``(D,)`` of waves ``(batch, samples)`` of one length."""
    if model == "resemblyzer":
        from synbench_metrics import _voice_encoder

        return [_voice_encoder.embed(np.ascontiguousarray(wave)) for wave in waves]
    from synbench_metrics._wavlm import embed

    return list(embed(WAVLM, waves))


def _has_resemblyzer() -> None:
    requires(torch="torch", advice=TORCH)()
    package_content(
        "resemblyzer",
        "pretrained.pt",
        RESEMBLYZER_SHA256,
        advice="pip install --no-deps resemblyzer==0.1.4",
    )


def _info(column: str, label: str, *, model: str, cosine: bool) -> MetricInfo:
    own = model == "resemblyzer"
    return MetricInfo(
        column=column,
        label=label,
        unit="",
        direction="up" if cosine else "down",
        minimum=-1.0 if cosine else 0.0,
        maximum=1.0 if cosine else None,
        sample_rates=(16000,),
        minimum_seconds=0.25,
        implementation="synbench" if own else "transformers",
        version="1" if own else installed_version("transformers"),
        mode=(
            "resemblyzer 0.1.4, raised to -30 dB, silences kept"
            if own
            else "microsoft/wavlm-base-plus-sv, x-vector"
        )
        + ("" if cosine else ", Frechet distance over items, biased for few"),
        weights_sha256=RESEMBLYZER_SHA256 if own else "",
        licence=(
            "MIT; weights Apache-2.0 (resemble-ai/Resemblyzer)"
            if own
            else f"Apache-2.0 (transformers); weights {WAVLM.licence}"
        ),
        batch_policy="single" if own else "equal_length",
        pooling="mean" if cosine else "frechet",
        cpu_seconds_per_audio_second=0.03 if own else 0.24,
        source=(
            "Wan et al. 2018, arXiv:1710.10467" if own else "Chen et al. 2022, arXiv:2110.13900"
        ),
    )


def _metrics(model: str, label: str, check: Callable[[], None]) -> tuple[Metric, Metric]:
    checkpoints = () if model == "resemblyzer" else (WAVLM,)
    return (
        Metric(
            _info(f"sim_{model}", f"SIM ({label})", model=model, cosine=True),
            functools.partial(similarity, model=model),
            check,
            checkpoints,
            functools.partial(similarities, model=model),
        ),
        Metric(
            _info(f"frechet_{model}", f"Frechet ({label})", model=model, cosine=False),
            functools.partial(distance, model=model),
            check,
            checkpoints,
        ),
    )


METRICS = (
    *_metrics("resemblyzer", "Resemblyzer", _has_resemblyzer),
    *_metrics(
        "wavlm_base_plus_sv",
        "WavLM-base+",
        has_weights(
            WAVLM,
            requires(torch="torch", advice=TORCH),
            requires(transformers="transformers", advice=TRANSFORMERS),
        ),
    ),
)
