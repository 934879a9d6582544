"""Moonshine tiny, an English recogniser, on ONNX Runtime.

Conventions
    wave          mono, ``(samples,)``, 16 kHz, full scale at -1 and 1
    transcript    as the network writes it, greedy; empty where it heard no word

The files come out of the package ``moonshine-voice``, which is not imported. As its authors do,
decoding stops after six and a half tokens per second of audio at the latest.

Reference:
    N. Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands",
    2024, arXiv:2410.15608.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import Unavailable
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Wave
from synbench_metrics._onnx import session
from synbench_metrics._weights import find

RATE = 16000
START, END = 1, 2
TOKENS_PER_SECOND = 6.5
# The encoder's frames: samples from one to the next, and the middle of the first.
FRAME, FIRST_MIDDLE = 384, 447
FEATURES_PER_SECOND = 50
LAYERS, HEADS, HEAD_SIZE = 6, 8, 36
KEYS = [
    f"{layer}.{side}.{kind}"
    for layer in range(LAYERS)
    for side in ("decoder", "encoder")
    for kind in ("key", "value")
]
SPACE = "\u2581".encode()
# Control tokens <unk>, <s> and </s> come first.
N_CONTROL = 3
FOLDER = "moonshine_voice/assets/tiny-en"

CHECKPOINT = Checkpoint(
    name="moonshine_tiny",
    files=tuple(
        WeightsSource(
            repository="package:moonshine-voice==0.0.73",
            revision="",
            file=f"{FOLDER}/{file}",
            sha256=sha256,
            bytes=size,
        )
        for file, sha256, size in (
            (
                "encoder_model.ort",
                "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
                13_281_600,
            ),
            (
                "decoder_model_merged.ort",
                "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
                30_412_256,
            ),
            (
                "tokenizer.bin",
                "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
                249_974,
            ),
        )
    ),
    licence="MIT",
)

__all__ = ["CHECKPOINT", "features", "transcribe"]


def features(wave: Wave) -> NDArray[np.float32]:
    """What the encoder hears, every 20 ms, ``(ceil(samples / 320), 288)``; the first at 10 ms.

    Its own frames lie 24 ms apart; between them the values are interpolated.
    """
    encoder, _, _ = _network()
    long_enough = np.pad(wave, (0, max(2 * FIRST_MIDDLE + 1 - wave.size, 0)))
    heard, _ = _encode(encoder, long_enough)
    step = RATE // FEATURES_PER_SECOND
    middles = step * (np.arange(-(-wave.size // step)) + 0.5)
    frame = np.clip((middles - FIRST_MIDDLE) / FRAME, 0, heard.shape[1] - 1)
    before = np.minimum(frame.astype(int), heard.shape[1] - 2) if heard.shape[1] > 1 else 0
    after = np.minimum(np.asarray(before) + 1, heard.shape[1] - 1)
    weight = (frame - before).astype(np.float32)[:, None]
    mixed: NDArray[np.float32] = heard[0, before] * (1 - weight) + heard[0, after] * weight
    return mixed


def transcribe(wave: Wave) -> str:
    """What Moonshine hears in one wave."""
    encoder, decoder, pieces = _network()
    heard, mask = _encode(encoder, wave)
    tokens = _greedy(decoder, heard, mask, math.ceil(wave.size / RATE * TOKENS_PER_SECOND))
    text = b"".join(pieces[token] for token in tokens if token >= N_CONTROL)
    return text.replace(SPACE, b" ").decode("utf-8", "replace").strip()


def _encode(encoder: Any, wave: Wave) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The encoder's frames (1, frames, 288), and the mask of the samples."""
    samples = wave.astype(np.float32)[None]
    mask = np.ones(samples.shape, np.int64)
    heard: NDArray[np.float32] = encoder.run(
        None, {"input_values": samples, "attention_mask": mask}
    )[0]
    return heard, mask


def _greedy(
    decoder: Any, heard: NDArray[np.float32], mask: NDArray[np.int64], most: int
) -> list[int]:
    """The likeliest token after each, up to the end token or ``most`` tokens.

    The mask is that of the samples: the decoder takes every 384th value of it by itself.
    """
    empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
    past = {f"past_key_values.{key}": empty for key in KEYS}
    tokens = [START]
    while tokens[-1] != END and len(tokens) <= most:
        logits, *present = decoder.run(
            None,
            {
                "encoder_attention_mask": mask,
                "input_ids": np.array([[tokens[-1]]], np.int64),
                "encoder_hidden_states": heard,
                **past,
                "use_cache_branch": np.array([len(tokens) > 1]),
            },
        )
        for key, value in zip(KEYS, present, strict=True):
            # What it knows of the encoder comes with the first token only.
            if "decoder" in key or len(tokens) == 1:
                past[f"past_key_values.{key}"] = value
        tokens.append(int(logits[0, -1].argmax()))
    return [token for token in tokens if token not in (START, END)]


@functools.cache
def _network() -> tuple[Any, Any, list[bytes]]:
    """Encoder, decoder and the bytes of every token, made once per process."""
    encoder, decoder, tokenizer = find(CHECKPOINT)
    return session(str(encoder)), session(str(decoder)), _pieces(tokenizer)


def _pieces(path: Path) -> list[bytes]:
    """Every token's bytes behind their number: one byte, two where the first is 128 or more."""
    content, at, pieces = path.read_bytes(), 0, []
    while at < len(content):
        size = content[at]
        at += 1
        if size >= 128:
            size = (content[at] << 7 | size & 127) if at < len(content) else len(content)
            at += 1
        pieces.append(content[at : at + size])
        at += size
    if at != len(content):
        raise Unavailable(f"{path} is no tokenizer of Moonshine")
    return pieces
