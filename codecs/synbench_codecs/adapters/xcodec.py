"""X-Codec at 16 kHz: one to eight residual books of 1024 codes at 50 Hz, 0.5 to 4 kbit/s.

The encoder joins HuBERT's layers with the acoustic encoder of DAC before quantizing. The trainings
differ in their data alone: LibriSpeech (``hubert-librispeech``) or speech, music and sounds
(``hubert-general``). The wave is filled up to whole frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.packages import import_extra
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice, full_spec
from synbench_codecs.support.hub import HubCodec, hub_version

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 16000
HOP = 320
CODES = 1024
BITS = 10
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
CODEBOOKS = (1, 2, 3, 4, 8)
DEFAULT = "hubert-librispeech"
DEFAULTS: dict[str, Any] = {"training": DEFAULT, "weights": ""}
TRAINED_ON = {"hubert-librispeech": ("LibriSpeech",), "hubert-general": ()}


def _converted(training: str) -> Checkpoint:
    """Nobody has published digests: the first download pins the file."""
    source = WeightsSource(
        repository=f"huggingface.co/hf-audio/xcodec-{training}",
        revision="main",
        file="model.safetensors",
        sha256="",
    )
    note = "the licence of the converted weights was not verified; the authors' code is MIT"
    return Checkpoint(name=f"xcodec-{training}", files=(source,), note=note)


CHECKPOINTS = {training: _converted(training) for training in TRAINED_ON}

__all__ = ["CODECS", "XCodec"]


class XCodec(HubCodec):
    """X-Codec.

    Args:
        codebooks: 1, 2, 3, 4 or 8, of 0.5 kbit/s each.
        training: ``hubert-librispeech`` or ``hubert-general``.
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"codebooks": count} for count in CODEBOOKS)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(CHECKPOINTS.values())
    model_class = "XcodecModel"
    config_class = "XcodecConfig"
    reduced = {
        "acoustic_model_config": {
            "model_type": "dac",
            "encoder_hidden_size": 4,
            "decoder_hidden_size": 32,
            "hidden_size": 64,
        },
        "semantic_model_config": {
            "model_type": "hubert",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "conv_dim": [16] * 7,
        },
    }

    def __init__(self, *, codebooks: int = 8, training: str = DEFAULT, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "training": training, "weights": weights})

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {"codebooks": CODEBOOKS[-1], **DEFAULTS}

    @classmethod
    def _released(cls, options: Mapping[str, Any]) -> Checkpoint:
        check_choice("xcodec", "training", options["training"], TRAINED_ON)
        return CHECKPOINTS[options["training"]]

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        count, training = self.options["codebooks"], self.options["training"]
        check_choice("xcodec", "codebooks", count, CODEBOOKS)
        rate = count * BITS * FRAME_RATE
        general = "" if training == DEFAULT else f" ({training})"
        return CodecInfo(
            spec=full_spec("xcodec", self.options, DEFAULTS),
            label=f"X-Codec {float(rate) / 1000:g} kbps{general}",
            kind="neural",
            adapter_version=1,
            implementation=hub_version(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=rate,
            hop_length=HOP,
            frame_rate_hz=FRAME_RATE,
            codebook_sizes=(CODES,) * count,
            bits_per_frame=count * BITS,
            bandwidth_hz=SAMPLE_RATE / 2,
            causal=False,
            lookahead_samples=None,
            context="global",
            batch_policy="single",
            code_licence="Apache-2.0",
            weights_licence=CHECKPOINTS[training].licence,
            weights=sources,
            training_data=TRAINED_ON[training],
            source="Ye et al., Codec Does Matter, AAAI 2025; zhenye234/xcodec",
        )

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, Q, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        whole = torch.nn.functional.pad(waves, (0, -waves.shape[-1] % HOP))[:, None]
        kbps = len(self.info.codebook_sizes) * BITS * float(FRAME_RATE) / 1000
        codes: Tensor = self.model.encode(whole, bandwidth=kbps).audio_codes
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (1, hop * L) of tokens (1, Q, L)."""
        waves: Tensor = self.model.decode(tokens).audio_values[:, 0]
        return waves


CODECS = {"xcodec": XCodec}
