"""Higgs Audio v2's tokenizer at 24 kHz: two to eight residual books of 1024 codes at 25 Hz.

X-Codec's design at 24 kHz and half the frame rate: 0.5 to 2 kbit/s for speech, music and sounds.
HuBERT hears the wave at 16 kHz; it is brought there by the windowed sinc that the authors used, so
no torchaudio is needed. The wave is filled up to whole frames.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import math
import sys
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.packages import import_extra
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice, full_spec
from synbench_codecs.support.hub import HubCodec, hub_version
from synbench_codecs.support.torch_models import without_weight_norm

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 24000
HOP = 960
CODES = 1024
BITS = 10
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
CODEBOOKS = (2, 4, 6, 8)
DEFAULTS: dict[str, Any] = {"weights": ""}
# HuBERT's frames are 320 samples at 16 kHz, every second one is kept.
HUBERT_EDGE = 160
HUBERT_STEP = 2
# 24 to 16 kHz: three samples become two, by a sinc of six zero crossings to either side.
RATE_DIVISOR, RATE_FACTOR = 3, 2
FILTER_CROSSINGS = 6
ROLLOFF = 0.99

MODEL_MODULE = "transformers.models.higgs_audio_v2_tokenizer.modeling_higgs_audio_v2_tokenizer"

RELEASED = Checkpoint(
    name="higgs-audio-v2-tokenizer",
    files=(
        WeightsSource(
            repository="huggingface.co/bosonai/higgs-audio-v2-tokenizer",
            revision="main",
            file="model.safetensors",
            sha256="",
        ),
    ),
    note="the repository has a licence of its own: read its LICENSE before use",
)

__all__ = ["CODECS", "HiggsTokenizer", "to_16_khz"]


class HiggsTokenizer(HubCodec):
    """Higgs Audio v2's tokenizer.

    Args:
        codebooks: 2, 4, 6 or 8, of 0.25 kbit/s each.
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"codebooks": count} for count in CODEBOOKS)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    model_class = "HiggsAudioV2TokenizerModel"
    config_class = "HiggsAudioV2TokenizerConfig"
    checkpoint = RELEASED
    settings = {
        "target_bandwidths": [0.5, 1, 1.5, 2],
        "acoustic_model_config": {
            "model_type": "dac",
            "downsampling_ratios": [8, 5, 4, 2, 3],
            "upsampling_ratios": [8, 5, 4, 2, 3],
            "encoder_hidden_size": 64,
            "decoder_hidden_size": 1024,
            "hidden_size": 256,
        },
    }
    reduced = {
        "codebook_dim": 16,
        "acoustic_model_config": {
            "model_type": "dac",
            "downsampling_ratios": [8, 5, 4, 2, 3],
            "upsampling_ratios": [8, 5, 4, 2, 3],
            "encoder_hidden_size": 4,
            "decoder_hidden_size": 64,
            "hidden_size": 128,
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

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "weights": weights})

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {"codebooks": CODEBOOKS[-1], **DEFAULTS}

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        count = self.options["codebooks"]
        check_choice("higgs", "codebooks", count, CODEBOOKS)
        rate = count * BITS * FRAME_RATE
        return CodecInfo(
            spec=full_spec("higgs", self.options, DEFAULTS),
            label=f"Higgs v2 {float(rate) / 1000:g} kbps",
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
            weights_licence=RELEASED.licence,
            weights=sources,
            source="Boson AI, Higgs Audio v2, 2025; boson-ai/higgs-audio",
        )

    def _build(self) -> Any:
        module = _without_torchaudio(MODEL_MODULE)
        return without_weight_norm(getattr(module, self.model_class)(self.config))

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, Q, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        pad = torch.nn.functional.pad
        whole = pad(waves, (0, -waves.shape[-1] % HOP))
        heard = pad(to_16_khz(whole), (HUBERT_EDGE, HUBERT_EDGE))
        layers = self.model.semantic_model(heard, output_hidden_states=True).hidden_states
        meaning = torch.stack(layers, dim=1).mean(dim=1)[:, ::HUBERT_STEP]
        joined = torch.cat(
            [
                self.model.acoustic_encoder(whole[:, None]),
                self.model.encoder_semantic(meaning.transpose(1, 2)),
            ],
            dim=1,
        )
        latents = self.model.fc(joined.transpose(1, 2)).transpose(1, 2)
        kbps = len(self.info.codebook_sizes) * BITS * float(FRAME_RATE) / 1000
        codes: Tensor = self.model.quantizer.encode(latents, kbps).transpose(0, 1)
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (1, hop * L) of tokens (1, Q, L)."""
        waves: Tensor = self.model.decode(tokens).audio_values[:, 0]
        return waves


def _without_torchaudio(name: str) -> ModuleType:
    """Import a module whose torchaudio is never called here; CPU builds of torch have none."""
    # transformers looks for torchaudio once, when it is imported.
    import_extra("transformers", extra="hf")
    absent = importlib.util.find_spec("torchaudio") is None
    if absent:
        sys.modules["torchaudio"] = ModuleType("torchaudio")
        sys.modules["torchaudio"].__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    try:
        return import_extra(name, extra="hf")
    finally:
        if absent:
            del sys.modules["torchaudio"]


def to_16_khz(waves: Tensor) -> Tensor:
    """Waves (B, 2 / 3 T) at 16 kHz of waves (B, T) at 24 kHz, T a multiple of three."""
    torch = import_extra("torch", extra="torch")
    cutoff = RATE_FACTOR * ROLLOFF
    reach = math.ceil(FILTER_CROSSINGS * RATE_DIVISOR / cutoff)
    # Input times seen from each of the two output samples, in zero crossings of the sinc.
    inputs = torch.arange(-reach, reach + RATE_DIVISOR, dtype=torch.float64) / RATE_DIVISOR
    outputs = torch.arange(RATE_FACTOR, dtype=torch.float64)[:, None] / RATE_FACTOR
    crossings = ((inputs - outputs) * cutoff).clamp(-FILTER_CROSSINGS, FILTER_CROSSINGS)
    window = torch.cos(crossings * torch.pi / FILTER_CROSSINGS / 2) ** 2
    kernels = (torch.sinc(crossings) * window * cutoff / RATE_DIVISOR).to(waves)[:, None]
    padded = torch.nn.functional.pad(waves, (reach, reach + RATE_DIVISOR))[:, None]
    pairs = torch.nn.functional.conv1d(padded, kernels, stride=RATE_DIVISOR)
    resampled: Tensor = pairs.transpose(1, 2).flatten(1)
    return resampled[:, : waves.shape[-1] * RATE_FACTOR // RATE_DIVISOR]


CODECS = {"higgs": HiggsTokenizer}
