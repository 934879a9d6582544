"""NeuCodec: one book of 65536 codes at 50 Hz, 0.8 kbit/s; 16 kHz goes in and 24 kHz comes out.

X-Codec-2 with another decoder. The authors append one zero, fill the wave up to whole frames, and
take the semantic features of exactly that; these lack the last frame, so of a wave that is no whole
number of frames their tokens lose up to 20 ms. Here such a wave gets the zeros of one frame more,
and nothing is lost; for whole frames the tokens are the authors'. The features are those of
transformers' SeamlessM4T extractor, so no torchaudio is needed.
"""

from __future__ import annotations

import functools
import math
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
OUTPUT_RATE = 24000
HOP = 320
BITS = 16
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
DEFAULTS: dict[str, Any] = {"weights": ""}

RELEASED = Checkpoint(
    name="neucodec",
    files=(
        WeightsSource(
            repository="huggingface.co/neuphonic/neucodec",
            revision="main",
            file="model.safetensors",
            sha256="",
        ),
    ),
    licence="Apache-2.0",
)

__all__ = ["CODECS", "NeuCodec"]


class NeuCodec(HubCodec):
    """NeuCodec.

    Args:
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    model_class = "NeuCodecModel"
    config_class = "NeuCodecConfig"
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
            spec=full_spec("neucodec", self.options, DEFAULTS),
            label="NeuCodec 0.8 kbps",
            kind="neural",
            adapter_version=1,
            implementation=hub_version(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=OUTPUT_RATE,
            nominal_bitrate_bps=BITS * FRAME_RATE,
            hop_length=HOP,
            frame_rate_hz=FRAME_RATE,
            codebook_sizes=(2**BITS,),
            bits_per_frame=BITS,
            bandwidth_hz=OUTPUT_RATE / 2,
            causal=False,
            lookahead_samples=None,
            context="global",
            batch_policy="single",
            code_licence="Apache-2.0",
            weights_licence=RELEASED.licence,
            weights=sources,
            training_data=("Emilia", "MLS", "LibriTTS", "FLEURS", "Common Voice", "HUI"),
            source="Julian et al., arXiv:2509.09550 (2025); neuphonic/neucodec",
        )

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, 1, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        missing = (self.n_frames(waves.shape[-1]) + 1) * HOP - waves.shape[-1]
        padded = torch.nn.functional.pad(waves, (0, missing))
        features = self._extractor(
            padded[0].cpu().numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt"
        ).input_features.to(waves.device)
        codes: Tensor = self.model.encode(padded[:, None], input_features=features).audio_codes
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (1, 480 * L) at 24 kHz of tokens (1, 1, L)."""
        waves: Tensor = self.model.decode(audio_codes=tokens).audio_values[:, 0]
        return waves

    @functools.cached_property
    def _extractor(self) -> Any:
        return import_extra("transformers", extra="hf").SeamlessM4TFeatureExtractor(
            feature_size=80, num_mel_bins=80, sampling_rate=SAMPLE_RATE, stride=2, padding_value=1.0
        )


CODECS = {"neucodec": NeuCodec}
