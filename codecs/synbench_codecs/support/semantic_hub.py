"""What X-Codec-2 and NeuCodec share: a semantic model of mel features beside the acoustic encoder.

The features are those of transformers' SeamlessM4T extractor, which the authors used; no torchaudio
is needed.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from synbench_base.packages import import_extra
from synbench_codecs.support.hub import HubCodec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SemanticHubCodec"]


class SemanticHubCodec(HubCodec):
    """One book of 65536 codes at 50 Hz, 0.8 kbit/s, heard by wav2vec2-BERT at 16 kHz.

    A subclass gives ``tokenise``, which says what the two encoders hear.
    """

    sample_rate = 16000
    hop = 320
    bits = 16
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

    def _tokens(self, wave: Tensor, *, heard: Tensor) -> Tensor:
        """Tokens (1, 1, L) of a wave (1, T) whose features are taken of ``heard`` (1, T')."""
        features = self._extractor(
            heard[0].cpu().numpy(), sampling_rate=self.sample_rate, return_tensors="pt"
        ).input_features.to(wave.device)
        codes: Tensor = self.model.encode(wave[:, None], input_features=features).audio_codes
        return codes

    @functools.cached_property
    def _extractor(self) -> Any:
        return import_extra("transformers", extra="hf").SeamlessM4TFeatureExtractor(
            feature_size=80,
            num_mel_bins=80,
            sampling_rate=self.sample_rate,
            stride=2,
            padding_value=1.0,
        )
