"""X-Codec-2 at 16 kHz: one book of 65536 codes at 50 Hz, 0.8 kbit/s, for speech.

The encoder joins a semantic model of 387 M parameters (wav2vec2-BERT on mel features) with an
acoustic one. As in the authors' recipe one zero is appended and the wave is filled up to whole
frames, so a wave of whole frames costs one frame more. The features are those of transformers'
SeamlessM4T extractor, which the authors used; no torchaudio is needed.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.packages import import_extra
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import full_spec
from synbench_codecs.support.hub import HubCodec, hub_version

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 16000
HOP = 320
BITS = 16
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
DEFAULTS: dict[str, Any] = {"weights": ""}

RELEASED = Checkpoint(
    name="xcodec2",
    files=(
        WeightsSource(
            repository="huggingface.co/HKUSTAudio/xcodec2-hf",
            revision="64bd034d12d441299cdd535b15c33efd6ccdf252",
            file="model.safetensors",
            sha256="611a63e4dff70c19bd4718d701bb7bc522acf6293a109ab62f5db2f7ff395114",
            bytes=2_517_231_448,
        ),
    ),
    licence="CC-BY-NC-4.0",
    note="2.5 GB; not for commercial use",
)

__all__ = ["CODECS", "XCodec2"]


class XCodec2(HubCodec):
    """X-Codec-2.

    Args:
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    model_class = "Xcodec2Model"
    config_class = "Xcodec2Config"
    checkpoint = RELEASED
    reduced = {
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "encoder_hidden_size": 4,
        "quantization_dim": 96,
        "semantic_model_config": {
            "model_type": "wav2vec2-bert",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "output_hidden_size": 32,
        },
    }

    def __init__(self, *, weights: str = "") -> None:
        self._load({"weights": weights})

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return dict(DEFAULTS)

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        return CodecInfo(
            spec=full_spec("xcodec2", self.options, DEFAULTS),
            label="X-Codec-2 0.8 kbps",
            kind="neural",
            adapter_version=1,
            implementation=hub_version(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=BITS * FRAME_RATE,
            hop_length=HOP,
            frame_rate_hz=FRAME_RATE,
            codebook_sizes=(2**BITS,),
            bits_per_frame=BITS,
            bandwidth_hz=SAMPLE_RATE / 2,
            causal=False,
            lookahead_samples=None,
            context="global",
            batch_policy="single",
            code_licence="Apache-2.0",
            weights_licence=RELEASED.licence,
            weights=sources,
            training_data=("Emilia", "MLS"),
            source="Ye et al., Llasa: Scaling Train-Time and Inference-Time Compute, 2025",
        )

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave and the appended zero; the last is filled up."""
        return n_samples // HOP + 1

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, 1, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        missing = self.n_frames(waves.shape[-1]) * HOP - waves.shape[-1]
        padded = torch.nn.functional.pad(waves, (0, missing))
        around = torch.nn.functional.pad(padded, (HOP // 2, HOP // 2))
        features = self._extractor(
            around[0].cpu().numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt"
        ).input_features.to(waves.device)
        codes: Tensor = self.model.encode(padded[:, None], input_features=features).audio_codes
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (1, hop * L) of tokens (1, 1, L)."""
        waves: Tensor = self.model.decode(audio_codes=tokens).audio_values[:, 0]
        return waves

    @functools.cached_property
    def _extractor(self) -> Any:
        return import_extra("transformers", extra="hf").SeamlessM4TFeatureExtractor(
            feature_size=80, num_mel_bins=80, sampling_rate=SAMPLE_RATE, stride=2, padding_value=1.0
        )


CODECS = {"xcodec2": XCodec2}
