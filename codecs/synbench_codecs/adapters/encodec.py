"""EnCodec at 24 kHz, mono: a causal residual-vector-quantization codec, 1.5 to 24 kbit/s.

The 48 kHz model is left out: it is stereo, works in segments of one second, and stores a scale for
each of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice
from synbench_codecs.support.hub import HubCodec
from synbench_codecs.support.tensors import Tensors, renamed

if TYPE_CHECKING:
    from torch import Tensor

CODEBOOKS = (2, 4, 8, 16, 32)

RELEASED = Checkpoint(
    name="encodec-24k",
    files=(
        WeightsSource(
            repository="huggingface.co/facebook/encodec_24khz",
            revision="c1dbe2ae3f1de713481a3b3e7c47f357092ee040",
            file="model.safetensors",
            sha256="37a7cb100f71a29e6c1d815aca8666a1d7ea8885ebe44c306c751a5103559d57",
        ),
    ),
    licence="CC-BY-NC-4.0",
    note="not for commercial use",
)
# The names of the authors' own file, applied in this order, each to the outcome of the one before.
AUTHORS = (
    (r"^(encoder|decoder)\.model\.", r"\1.layers."),
    (r"\.(conv|convtr)\.\1\.", ".conv."),
    (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.", r"quantizer.layers.\1.codebook."),
)

__all__ = ["CODECS", "Encodec"]


class Encodec(HubCodec):
    """EnCodec at 24 kHz.

    Args:
        codebooks: 2, 4, 8, 16 or 32, of 0.75 kbit/s each.
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"codebooks": count} for count in (2, 4, 8))
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    name = "encodec"
    title = "EnCodec"
    sample_rate = 24000
    output_rate = 24000
    hop = 320
    bits = 10
    model_class = "EncodecModel"
    config_class = "EncodecConfig"
    checkpoint = RELEASED
    reduced = {"num_filters": 4, "hidden_size": 16}

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "weights": weights})

    def _facts(self) -> dict[str, Any]:
        check_choice("encodec", "codebooks", self.options["codebooks"], CODEBOOKS)
        return {
            "causal": True,
            "lookahead_samples": 0,
            "context": "unbounded",
            "batch_policy": "equal_length",
            "training_data": ("DNS Challenge", "Common Voice", "AudioSet", "FSD50K", "Jamendo"),
            "source": "Défossez et al., High Fidelity Neural Audio Compression, 2022",
        }

    def _rename(self, tensors: Tensors, wanted: Mapping[str, Tensor]) -> Tensors:
        return renamed(tensors, _hub_name)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        codes: Tensor = self.model.encode(waves[:, None], bandwidth=self._kbps).audio_codes[0]
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, Q, L)."""
        waves: Tensor = self.model.decode(tokens[None], [None]).audio_values[:, 0]
        return waves


def _hub_name(name: str) -> str:
    for pattern, replacement in AUTHORS:
        name = re.sub(pattern, replacement, name)
    return name


CODECS = {"encodec": Encodec}
