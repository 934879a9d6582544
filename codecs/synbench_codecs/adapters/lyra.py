"""Lyra V2 (1.3.2): a causal codec for telephones, 3.2, 6 or 9.2 kbit/s, by its LiteRT models.

This is the codec core: encoder, quantizer and decoder of 20 ms frames at 16 kHz, without the
resampling, discontinuous transmission and comfort noise of the C++ tool around it. The three
models keep a state that no call clears, so each wave gets fresh ones.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import WeightsError
from synbench_base.packages import import_extra, named_version, require
from synbench_base.weights import Checkpoint, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._packing import pack_tokens, unpack_tokens
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import (
    check_choice,
    from_pcm,
    full_spec,
    pad_to,
    to_pcm,
)

SAMPLE_RATE = 16000
HOP = 320
CODES = 16
BITS = 4
STAGES = 46
STAGES_AT_BPS = {3200: 16, 6000: 30, 9200: 46}
UNUSED_STAGE = -1
DEFAULTS: dict[str, Any] = {"weights": ""}
REPOSITORY = "github.com/google/lyra"
REVISION = "47698dadf0010abff6a848e02642f55f806d4842"


def _source(name: str, sha256: str) -> WeightsSource:
    return WeightsSource(
        repository=REPOSITORY,
        revision=REVISION,
        file=f"lyra/model_coeffs/{name}.tflite",
        sha256=sha256,
    )


RELEASED = Checkpoint(
    name="lyra-v2",
    files=(
        _source(
            "soundstream_encoder",
            "237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1",
        ),
        _source("quantizer", "841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c"),
        _source("lyragan", "50e7839cda4f30599a3a34cfaddcd9c98449b049eee884e1a74295780448ad06"),
    ),
    licence="Apache-2.0",
    note="3.6 MB in three files",
)

__all__ = ["CODECS", "Lyra"]


class Lyra:
    """Lyra V2.

    Args:
        bitrate_bps: 3200, 6000 or 9200.
        weights: folder with the three files, in place of the cache.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"bitrate_bps": rate} for rate in STAGES_AT_BPS)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)

    def __init__(self, *, bitrate_bps: int = 3200, weights: str = "") -> None:
        info = self.described(bitrate_bps=bitrate_bps, weights=weights)
        require("ai_edge_litert", extra="lyra")
        files = find_weights(RELEASED, weights)
        self._encoder, self._quantizer, self._decoder = (file.path for file in files)
        self._stages = STAGES_AT_BPS[bitrate_bps]
        self.info = dataclasses.replace(info, weights=tuple(file.source for file in files))

    @classmethod
    def described(cls, *, bitrate_bps: int = 3200, weights: str = "") -> CodecInfo:
        """What is known of Lyra where its weights are absent."""
        check_choice("lyra", "bitrate_bps", bitrate_bps, STAGES_AT_BPS)
        stages = STAGES_AT_BPS[bitrate_bps]
        options = {"bitrate_bps": bitrate_bps, "weights": weights}
        return CodecInfo(
            spec=full_spec("lyra", options, DEFAULTS),
            label=f"Lyra V2 {bitrate_bps / 1000:g} kbps",
            kind="neural",
            adapter_version=1,
            implementation=named_version("ai-edge-litert"),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(bitrate_bps),
            hop_length=HOP,
            frame_rate_hz=Fraction(SAMPLE_RATE, HOP),
            codebook_sizes=(CODES,) * stages,
            bits_per_frame=BITS * stages,
            bandwidth_hz=SAMPLE_RATE / 2,
            causal=True,
            lookahead_samples=0,
            context="unbounded",
            code_licence="Apache-2.0",
            weights_licence=RELEASED.licence,
            weights=RELEASED.files,
            source="Google, Lyra V2, github.com/google/lyra, 2022",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 16 kHz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        samples = from_pcm(to_pcm(checked))
        n_frames = math.ceil(samples.size / HOP)
        frames = pad_to(samples, n_frames * HOP).reshape(n_frames, HOP)
        encoder = _interpreter(self._encoder)
        quantize = _interpreter(self._quantizer).get_signature_runner("encode")
        tokens = np.stack([self._tokens(quantize, _run(encoder, frame)) for frame in frames], 1)
        payload, n_bits = pack_tokens(tokens, self.info.codebook_sizes)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=n_bits,
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave of whole frames at 16 kHz, rounded to 16 bits as the C++ decoder does.

        Raises:
            BitstreamError: the payload is not one that this codec writes.
        """
        check_encoded(encoded, info=self.info)
        n_frames = math.ceil(encoded.n_samples / HOP)
        tokens = unpack_tokens(encoded.payload, self.info.codebook_sizes, n_frames)
        look_up = _interpreter(self._quantizer).get_signature_runner("decode")
        decoder = _interpreter(self._decoder)
        indices = np.full((STAGES, 1, 1), UNUSED_STAGE, dtype=np.int32)
        frames = []
        for column in tokens.T:
            indices[: self._stages, 0, 0] = column
            features = look_up(encoding_indices=indices)["output_0"]
            frames.append(_run(decoder, features).reshape(-1))
        return from_pcm(to_pcm(np.concatenate(frames).astype(np.float32)))

    def _tokens(self, quantize: Any, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """One index per stage in use, from the features of one frame."""
        shape = tuple(quantize.get_input_details()["input_frames"]["shape"])
        count = np.array(self._stages, dtype=np.int32)
        outputs = quantize(input_frames=features.reshape(shape), num_quantizers=count)
        indices: NDArray[np.int64] = (
            outputs["output_0"].reshape(-1)[: self._stages].astype(np.int64)
        )
        return indices


def _interpreter(path: Path) -> Any:
    module = import_extra("ai_edge_litert.interpreter", extra="lyra")
    with _without_native_log():
        try:
            interpreter = module.Interpreter(model_path=str(path), num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"{path} is no model of TensorFlow Lite: {error}") from error
    return interpreter


def _run(interpreter: Any, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The only output of a model for its only input; its state moves on by one frame."""
    (given,) = interpreter.get_input_details()[:1]
    interpreter.set_tensor(given["index"], values.reshape(tuple(given["shape"])))
    interpreter.invoke()
    output: NDArray[np.float32] = interpreter.get_tensor(
        interpreter.get_output_details()[0]["index"]
    )
    return output


@contextlib.contextmanager
def _without_native_log() -> Iterator[None]:
    """Keep off the terminal what the runtime prints at each start; its errors are exceptions."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


CODECS = {"lyra": Lyra}
