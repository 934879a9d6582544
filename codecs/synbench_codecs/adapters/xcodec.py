"""X-Codec at 16 kHz: one to eight residual books of 1024 codes at 50 Hz, 0.5 to 4 kbit/s.

The encoder joins HuBERT's layers with the acoustic encoder of DAC before quantizing. The trainings
differ in their data alone: LibriSpeech (``hubert-librispeech``) or speech, music and sounds
(``hubert-general``). The wave is filled up to whole frames.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice
from synbench_codecs.support.hub import REDUCED_HUBERT, HubCodec

if TYPE_CHECKING:
    from torch import Tensor

CODEBOOKS = (1, 2, 3, 4, 8)
DEFAULT = "hubert-librispeech"
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
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(CHECKPOINTS.values())
    name = "xcodec"
    title = "X-Codec"
    sample_rate = 16000
    output_rate = 16000
    hop = 320
    bits = 10
    model_class = "XcodecModel"
    config_class = "XcodecConfig"
    reduced = {
        "acoustic_model_config": {
            "model_type": "dac",
            "encoder_hidden_size": 4,
            "decoder_hidden_size": 32,
            "hidden_size": 64,
        },
        "semantic_model_config": REDUCED_HUBERT,
    }

    def __init__(self, *, codebooks: int = 8, training: str = DEFAULT, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "training": training, "weights": weights})

    @classmethod
    def _released(cls, options: Mapping[str, Any]) -> Checkpoint:
        check_choice("xcodec", "training", options["training"], TRAINED_ON)
        return CHECKPOINTS[options["training"]]

    def _facts(self) -> dict[str, Any]:
        check_choice("xcodec", "codebooks", self.options["codebooks"], CODEBOOKS)
        return {
            "causal": False,
            "lookahead_samples": None,
            "context": "global",
            "batch_policy": "single",
            "training_data": TRAINED_ON[self.options["training"]],
            "source": "Ye et al., Codec Does Matter, AAAI 2025; zhenye234/xcodec",
        }

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        info = super()._info(sources=sources)
        training = self.options["training"]
        general = "" if training == DEFAULT else f" ({training})"
        return dataclasses.replace(info, label=f"{info.label}{general}")

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, Q, L) of a wave (1, T)."""
        whole = self._filled(waves)[:, None]
        codes: Tensor = self.model.encode(whole, bandwidth=self._kbps).audio_codes
        return codes


CODECS = {"xcodec": XCodec}
