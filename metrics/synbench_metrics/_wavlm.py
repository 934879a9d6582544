"""WavLM with an x-vector head, from a local directory, through transformers.

Conventions
    waves    mono, ``(batch, samples)``, 16 kHz, one length
    vector   ``(512,)``

The directory's own preprocessor file says whether waves are normalised; nothing is guessed.

Reference:
    S. Chen et al., "WavLM", IEEE J. Sel. Top. Signal Process. 16(6), 2022.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from synbench_base.weights import Checkpoint
from synbench_metrics._torch import device, passes
from synbench_metrics._weights import as_directory
from synbench_metrics.errors import Unavailable

Array = NDArray[np.float64]

RATE = 16000

__all__ = ["embed"]


def embed(checkpoint: Checkpoint, waves: Array) -> Array:
    """Vectors of waves of one length, ``(batch, 512)``."""
    network, normalised = _network(checkpoint)
    if normalised:
        centred = waves - waves.mean(axis=1, keepdims=True)
        waves = centred / np.sqrt(np.var(waves, axis=1, keepdims=True) + 1e-7)
    with torch.inference_mode():
        vectors = [network(batch).embeddings for batch in passes(waves, RATE)]
    return torch.cat(vectors).cpu().numpy().astype(np.float64)


@functools.cache
def _network(checkpoint: Checkpoint) -> tuple[Any, bool]:
    """The network, built once per process, and whether it wants normalised waves."""
    transformers: Any = importlib.import_module("transformers")

    transformers.logging.set_verbosity_error()
    try:
        with as_directory(checkpoint) as folder:
            reader = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
            network, report = transformers.WavLMForXVector.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise Unavailable(f"{checkpoint.name} is no WavLM x-vector model: {error}") from error
    absent = sorted(set(report["missing_keys"]) - {"objective.weight"})
    if absent or reader.sampling_rate != RATE:
        raise Unavailable(
            f"{checkpoint.name}: expected an x-vector model at {RATE} Hz; its rate is "
            f"{reader.sampling_rate} Hz, tensors absent from it: {absent[:3] or 'none'}"
        )
    return network.eval().to(device()), bool(reader.do_normalize)
