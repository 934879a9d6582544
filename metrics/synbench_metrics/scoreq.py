"""SCOREQ: speech quality from contrastive regression on wav2vec 2.0, with and without reference.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1
    reference     any clean speech; here the recording of the same utterance
    sample_rate   16 kHz only; other material is resampled by the bench
    value         ``scoreq_natural`` and ``scoreq_synthetic``: predicted MOS, about 1 to 5, bigger
                  is better; the ``_distance`` columns: Euclidean distance of two embeddings of
                  unit length, 0 to 2, smaller is better

``natural`` networks were trained on simulated telephony with codecs and are what the authors advise
for codecs; ``synthetic`` ones on synthesised speech. A wave is padded with zeros to whole frames of
320 samples and goes through the network in one piece, as in the authors' package.

References:
    A. Ragano, J. Skoglund, A. Hines, "SCOREQ: Speech Quality Assessment with Contrastive
    Regression", NeurIPS 2024, arXiv:2410.06675; package ``scoreq`` 1.0.1.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import installed_version, requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._onnx import run, session
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics._weights import find, has_weights

FRAME = 320  # samples: the stride of wav2vec 2.0
RATE = 16000
ZENODO = "zenodo.org/records"
RECORD = "15739280"
# What the authors call the domain in the names of their files, and what the network learnt from.
DOMAINS = {
    "natural": ("telephone", ("NISQA", "LibriSpeech")),
    "synthetic": ("synthetic", ("BVCC", "LibriSpeech")),
}

__all__ = ["CHECKPOINTS", "METRICS", "distance", "opinion"]


def _checkpoint(domain: str, *, distances: bool) -> Checkpoint:
    stem = "fixed_nmr" if distances else "adapt_nr"
    return Checkpoint(
        name=f"scoreq_{domain}{'_distance' if distances else ''}",
        files=(
            WeightsSource(
                repository=ZENODO, revision=RECORD, file=f"{stem}_{DOMAINS[domain][0]}.onnx"
            ),
        ),
        licence="MIT",
        note="no digest is pinned: the first file that is fetched pins it",
    )


CHECKPOINTS = {
    (domain, distances): _checkpoint(domain, distances=distances)
    for domain in DOMAINS
    for distances in (False, True)
}


def opinion(*, degraded: Wave, sample_rate: int, domain: str) -> float:
    """Predicted MOS of a wave alone.

    Raises:
        Unavailable: the network is absent or another one.
    """
    return float(_output(degraded, CHECKPOINTS[domain, False]).item())


def distance(*, reference: Wave, degraded: Wave, sample_rate: int, domain: str) -> float:
    """Euclidean distance between the embeddings of two waves, of any two lengths.

    Raises:
        Unavailable: the network is absent or another one.
    """
    clean = _embedding(np.ascontiguousarray(reference, dtype=np.float64), domain)
    return float(np.linalg.norm(_output(degraded, CHECKPOINTS[domain, True])[0] - clean))


@remember(entries=2)
def _embedding(wave: Wave, domain: str) -> NDArray[np.float64]:
    embedding: NDArray[np.float64] = _output(wave, CHECKPOINTS[domain, True])[0]
    return embedding


def _output(wave: Wave, checkpoint: Checkpoint) -> NDArray[np.float64]:
    network = _network(checkpoint)
    (entry,) = network.get_inputs()
    padded = np.pad(wave, (0, -wave.size % FRAME))
    return run(network, **{entry.name: padded[None]})


@functools.cache
def _network(checkpoint: Checkpoint) -> Any:
    (path,) = find(checkpoint)
    return session(str(path))


def _info(domain: str, *, distances: bool) -> MetricInfo:
    return MetricInfo(
        column=f"scoreq_{domain}{'_distance' if distances else ''}",
        label=f"SCOREQ {domain}{' distance' if distances else ''}",
        unit="" if distances else "MOS",
        direction="down" if distances else "up",
        minimum=0.0 if distances else None,
        maximum=2.0 if distances else None,
        sample_rates=(RATE,),
        needs=frozenset({"reference"}) if distances else frozenset(),
        minimum_seconds=0.025,
        longest_seconds=120.0,  # every frame attends to every other: 2 GB
        implementation="synbench",
        version="1",
        mode=(
            f"{'distance to the reference' if distances else 'no reference'}, {domain} speech, "
            f"onnxruntime {installed_version('onnxruntime')}"
        ),
        licence="MIT; weights MIT (alessandroragano/scoreq)",
        cpu_seconds_per_audio_second=0.2,
        source="Ragano et al. 2024, arXiv:2410.06675",
        training_data=DOMAINS[domain][1],
    )


METRICS = tuple(
    Metric(
        _info(domain, distances=distances),
        functools.partial(distance if distances else opinion, domain=domain),
        has_weights(checkpoint, requires(onnxruntime="onnxruntime", advice=INSTALL)),
        checkpoints=(checkpoint,),
    )
    for (domain, distances), checkpoint in CHECKPOINTS.items()
)
