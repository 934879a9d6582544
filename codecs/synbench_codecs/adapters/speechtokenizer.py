"""SpeechTokenizer at 16 kHz: up to eight residual books of 1024 codes at 50 Hz, 0.5 kbit/s each.

The first book was led to the content of speech, the others fill in the rest, so one book alone
sounds like no speaker in particular. The network is our own module: the authors' package needs
torchaudio. It loads their checkpoint strictly.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.packages import import_extra, require
from synbench_base.weights import Checkpoint, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.adapting import check_range, full_spec
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_tensors, torch_version

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 16000
HOP = 320
CODES = 1024
BITS = 10
CODEBOOKS = 8
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
DEFAULTS: dict[str, Any] = {"weights": ""}

RELEASED = Checkpoint(
    name="speechtokenizer",
    files=(
        WeightsSource(
            # Moved there from fnlp/SpeechTokenizer.
            repository="huggingface.co/OpenMOSS-Team/SpeechTokenizer",
            revision="4d54939beef00572fa7bfe41ee35a335c3732f51",
            file="speechtokenizer_hubert_avg/SpeechTokenizer.pt",
            sha256="d04593b6c9a4b475f91ca481141a6ef5b23e6ac112f347dd2b2717f193c1c728",
            bytes=481_906_997,
        ),
    ),
    licence="Apache-2.0",
)

__all__ = ["CODECS", "SpeechTokenizer"]


class SpeechTokenizer(TokenCodec):
    """SpeechTokenizer, the model that averages HuBERT's layers.

    Args:
        codebooks: 1 to 8, of 0.5 kbit/s each.
        weights: file of the user's own, in the authors' layout.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"codebooks": count} for count in (1, 2, 8))
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        require("torch", extra="torch")
        info = _info(codebooks, weights, sources=RELEASED.files)
        (self._file,) = find_weights(RELEASED, weights)
        self.info = dataclasses.replace(info, weights=(self._file.source,))

    @classmethod
    def described(cls, *, codebooks: int = 8, weights: str = "") -> CodecInfo:
        """What is known of SpeechTokenizer where its weights are absent."""
        return _info(codebooks, weights, sources=RELEASED.files)

    @classmethod
    def untrained(cls, *, reduced: bool = False, codebooks: int = 8) -> Self:
        """SpeechTokenizer with random weights."""
        from synbench_codecs.networks.speechtokenizer import (
            SpeechTokenizerConfig,
            SpeechTokenizerNetwork,
        )

        codec = cls.__new__(cls)
        config = SpeechTokenizerConfig(filters=4, latent=16) if reduced else SpeechTokenizerConfig()
        codec.model = SpeechTokenizerNetwork(config).eval().requires_grad_(False)
        codec.info = _info(codebooks, "", sources=())
        return codec

    @functools.cached_property
    def model(self) -> Any:
        """The network, loaded at the first use."""
        from synbench_codecs.networks import speechtokenizer as _speechtokenizer

        torch, path = import_extra("torch", extra="torch"), self._file.path
        tensors = _speechtokenizer.from_released(read_tensors(path))
        try:
            config = _speechtokenizer.config_of(tensors)
        except KeyError as error:
            raise WeightsError(f"{path} is no SpeechTokenizer checkpoint: no {error}") from error
        hop = math.prod(config.strides)
        books = len(self.info.codebook_sizes)
        if (hop, config.codes) != (HOP, CODES) or config.codebooks < books:
            raise WeightsError(
                f"{path}: expected {HOP} samples per token and at least {books} books of {CODES} "
                f"codes, got {hop} and {config.codebooks} books of {config.codes}"
            )
        with torch.device("meta"):
            model = _speechtokenizer.SpeechTokenizerNetwork(config)
        return load_strictly(model, tensors, path=path)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return -(-n_samples // HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        tokens: Tensor = self.model.encode(waves, len(self.info.codebook_sizes))
        return tokens

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, Q, L)."""
        waves: Tensor = self.model.decode(tokens)
        return waves


def _info(codebooks: int, weights: str, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
    check_range("speechtokenizer", "codebooks", codebooks, 1, CODEBOOKS)
    rate = codebooks * BITS * FRAME_RATE
    options = {"codebooks": codebooks, "weights": weights}
    return CodecInfo(
        spec=full_spec("speechtokenizer", options, DEFAULTS),
        label=f"SpeechTokenizer {float(rate) / 1000:g} kbps",
        kind="neural",
        adapter_version=1,
        implementation=f"synbench, {torch_version()}",
        sample_rate=SAMPLE_RATE,
        output_sample_rate=SAMPLE_RATE,
        nominal_bitrate_bps=rate,
        hop_length=HOP,
        frame_rate_hz=FRAME_RATE,
        codebook_sizes=(CODES,) * codebooks,
        bits_per_frame=codebooks * BITS,
        bandwidth_hz=SAMPLE_RATE / 2,
        causal=False,
        # The encoder's LSTM runs backwards too.
        lookahead_samples=None,
        context="global",
        batch_policy="equal_length",
        code_licence="Apache-2.0 (upstream), MIT (this implementation)",
        weights_licence="" if weights else RELEASED.licence,
        training_data=() if weights else ("LibriSpeech",),
        weights=sources,
        source="Zhang et al., SpeechTokenizer, ICLR 2024; ZhangXInFD/SpeechTokenizer",
    )


CODECS = {"speechtokenizer": SpeechTokenizer}
