"""What a machine hears in a wave: speech recognisers behind one function.

Conventions
    waves         mono, ``(batch, samples)``, 16 kHz, one length
    transcript    as the recogniser writes it, not normalised; empty where it heard no word

``pocketsphinx`` comes with an English model of its own and needs no network. It is a real
recogniser, good for comparing codecs with each other on clean read speech, not for publication.
``moonshine_tiny`` and ``whisper_tiny_en`` come out of packages of the index and make a fifth of its
errors. ``whisper_small`` and ``whisper_large_v3`` are read from local files by transformers; task
and greedy decoding are fixed, and there is no second try at another temperature. They hear English,
or the language behind their name, as in ``whisper_small:de``.

Reference:
    A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from synbench_base.errors import NotApplicable
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics import _faster_whisper, _hubert, _moonshine
from synbench_metrics._interface import Wave
from synbench_metrics._remember import remember_each
from synbench_metrics._weights import as_directory
from synbench_metrics.errors import Unavailable

RATE = 16000
LANGUAGE = "en"
LONGEST_SECONDS = 30.0  # what Whisper hears at once
WHISPER_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
)

__all__ = ["CHECKPOINTS", "LONGEST_SECONDS", "transcripts"]


def _whisper(name: str) -> Checkpoint:
    return Checkpoint(
        name=name,
        files=tuple(
            WeightsSource(
                repository=f"huggingface.co/openai/{name.replace('_', '-')}",
                revision="main",
                file=file,
            )
            for file in WHISPER_FILES
        ),
        licence="Apache-2.0",
        note="no digests are published: the first files that are fetched pin it",
    )


CHECKPOINTS = {
    **{name: _whisper(name) for name in ("whisper_large_v3", "whisper_small")},
    "hubert_large": _hubert.CHECKPOINT,
    "moonshine_tiny": _moonshine.CHECKPOINT,
    "whisper_tiny_en": _faster_whisper.CHECKPOINT,
}


def _one_by_one(transcribe: Callable[[Wave], str]) -> Callable[[Wave], list[str]]:
    return lambda waves: [transcribe(wave) for wave in waves]


# Those that hear English alone; all others are Whisper.
ENGLISH_RECOGNISERS: dict[str, Callable[[Wave], list[str]]] = {
    "hubert_large": _hubert.transcribe,
    "moonshine_tiny": _one_by_one(_moonshine.transcribe),
    "whisper_tiny_en": _one_by_one(_faster_whisper.transcribe),
}


@remember_each(entries=512)
def transcripts(recogniser: str, waves: Wave) -> list[str]:
    """What ``pocketsphinx`` or a key of :data:`CHECKPOINTS` hears in each wave.

    Args:
        recogniser: its name; a language may stand behind it, after a colon.

    Raises:
        NotApplicable: the waves are longer than the recogniser hears at once, or it does not know
            the language.
        Unavailable: its files are absent, or not those of a recogniser.
    """
    if recogniser == "pocketsphinx":
        return [_listen(wave) for wave in waves]
    seconds = waves.shape[1] / RATE
    if seconds > LONGEST_SECONDS:
        raise NotApplicable(
            f"{recogniser} hears {LONGEST_SECONDS:g} s at once, got {seconds:.1f} s: "
            "use shorter items"
        )
    if recogniser in ENGLISH_RECOGNISERS:
        return ENGLISH_RECOGNISERS[recogniser](waves)
    name, _, language = recogniser.partition(":")
    return _read(CHECKPOINTS[name], waves, language or LANGUAGE)


def _listen(wave: Wave) -> str:
    """One wave through pocketsphinx, normalised over the whole utterance."""
    decoder = _decoder()
    decoder.start_utt()
    decoder.process_raw(np.rint(wave * 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


@functools.cache
def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(samprate=RATE, loglevel="FATAL")


def _read(checkpoint: Checkpoint, waves: Wave, language: str) -> list[str]:
    """Waves side by side through Whisper; each is a window of 30 s, so none is padded further."""
    import torch

    from synbench_metrics._torch import passes

    extractor, tokenizer, network = _network(checkpoint)
    how = _how(network.generation_config, checkpoint.name, language)
    texts: list[str] = []
    with torch.inference_mode():
        for batch in passes(waves, RATE):
            arrays = list(batch.cpu().numpy())
            features = extractor(arrays, sampling_rate=RATE, return_tensors="pt").input_features
            tokens = network.generate(features.to(network.device, network.dtype), **how)
            texts += tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return [text.strip() for text in texts]


def _how(settings: Any, name: str, language: str) -> dict[str, Any]:
    """Greedy, one try; an English-only model takes neither language nor task.

    Raises:
        NotApplicable: it does not know the language.
    """
    how: dict[str, Any] = {"do_sample": False, "num_beams": 1, "return_timestamps": False}
    known = getattr(settings, "lang_to_id", None) or {f"<|{LANGUAGE}|>": 0}
    if f"<|{language}|>" not in known:
        raise NotApplicable(f"{name} does not know the language {language!r}")
    if getattr(settings, "is_multilingual", False):
        how |= {"language": language, "task": "transcribe"}
    return how


@functools.cache
def _network(checkpoint: Checkpoint) -> tuple[Any, Any, Any]:
    """Feature extractor, tokenizer and network, built once per process."""
    import torch

    transformers: Any = importlib.import_module("transformers")

    from synbench_metrics._torch import device

    transformers.logging.set_verbosity_error()
    try:
        with as_directory(checkpoint) as folder:
            # Not asked about: a folder that brings code of its own is no Whisper model.
            extractor = transformers.WhisperFeatureExtractor.from_pretrained(
                folder, trust_remote_code=False
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            network, report = transformers.WhisperForConditionalGeneration.from_pretrained(
                folder,
                local_files_only=True,
                output_loading_info=True,
                dtype=torch.float32 if device().type == "cpu" else torch.float16,
            )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise Unavailable(f"{checkpoint.name} is no Whisper model: {error}") from error
    absent = sorted(set(report["missing_keys"]) - {"proj_out.weight"})
    if absent:
        raise Unavailable(f"{checkpoint.name} lacks {len(absent)} tensors, first {absent[0]}")
    return extractor, tokenizer, network.eval().to(device())
