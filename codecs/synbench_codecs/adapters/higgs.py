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
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.packages import import_extra
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice
from synbench_codecs.support.hub import REDUCED_HUBERT, HubCodec
from synbench_codecs.support.torch_models import without_weight_norm

if TYPE_CHECKING:
    from torch import Tensor

CODEBOOKS = (2, 4, 6, 8)
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
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    name = "higgs"
    title = "Higgs v2"
    sample_rate = 24000
    output_rate = 24000
    hop = 960
    bits = 10
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
        "semantic_model_config": REDUCED_HUBERT,
    }

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "weights": weights})

    def _facts(self) -> dict[str, Any]:
        check_choice("higgs", "codebooks", self.options["codebooks"], CODEBOOKS)
        return {
            "causal": False,
            "lookahead_samples": None,
            "context": "global",
            "batch_policy": "single",
            "source": "Boson AI, Higgs Audio v2, 2025; boson-ai/higgs-audio",
        }

    def _build(self) -> Any:
        module = _without_torchaudio(MODEL_MODULE)
        return without_weight_norm(getattr(module, self.model_class)(self.config))

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, Q, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        pad = torch.nn.functional.pad
        whole = self._filled(waves)
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
        codes: Tensor = self.model.quantizer.encode(latents, self._kbps).transpose(0, 1)
        return codes


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
