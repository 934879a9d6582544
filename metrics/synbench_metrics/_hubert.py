"""HuBERT large with a head for letters, from a local directory, through transformers.

Conventions
    waves         mono, ``(batch, samples)``, 16 kHz, one length
    transcript    the best path through the letters, without a language model

Reference:
    W.-N. Hsu et al., "HuBERT", IEEE/ACM Trans. Audio Speech Lang. Process. 29, 2021.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._weights import as_directory
from synbench_metrics.errors import Unavailable

Array = NDArray[np.float64]

RATE = 16000
FILES = (
    "config.json",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.json",
    "pytorch_model.bin",
)
CHECKPOINT = Checkpoint(
    name="hubert_large",
    files=tuple(
        WeightsSource(
            repository="huggingface.co/facebook/hubert-large-ls960-ft", revision="main", file=file
        )
        for file in FILES
    ),
    licence="Apache-2.0",
    note="no digests are published: the first files that are fetched pin it",
)

__all__ = ["CHECKPOINT", "transcribe"]


def transcribe(waves: Array) -> list[str]:
    """What is heard in each wave of ``(batch, samples)``.

    Raises:
        Unavailable: its files are absent, or not those of such a model.
    """
    import torch

    from synbench_metrics._torch import passes

    extractor, tokenizer, network = _network()
    texts: list[str] = []
    with torch.inference_mode():
        for batch in passes(waves, RATE):
            ready = extractor(list(batch.cpu().numpy()), sampling_rate=RATE, return_tensors="pt")
            letters = network(ready.input_values.to(network.device)).logits.argmax(dim=-1)
            texts += tokenizer.batch_decode(letters)
    return [text.strip() for text in texts]


@functools.cache
def _network() -> tuple[Any, Any, Any]:
    """Feature extractor, tokenizer and network, built once per process."""
    transformers: Any = importlib.import_module("transformers")

    from synbench_metrics._torch import device

    transformers.logging.set_verbosity_error()
    try:
        with as_directory(CHECKPOINT) as folder:
            extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
            tokenizer = transformers.Wav2Vec2CTCTokenizer.from_pretrained(folder)
            network, report = transformers.HubertForCTC.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise Unavailable(f"{CHECKPOINT.name} is no HuBERT model with letters: {error}") from error
    absent = sorted(set(report["missing_keys"]) - {"hubert.masked_spec_embed"})
    if absent:
        raise Unavailable(f"{CHECKPOINT.name} lacks {len(absent)} tensors, first {absent[0]}")
    return extractor, tokenizer, network.eval().to(device())
