"""NeuCodec: one book of 65536 codes at 50 Hz, 0.8 kbit/s; 16 kHz goes in and 24 kHz comes out.

X-Codec-2 with another decoder. The authors append one zero, fill the wave up to whole frames, and
take the semantic features of exactly that; these lack the last frame, so of a wave that is no whole
number of frames their tokens lose up to 20 ms. Here such a wave gets the zeros of one frame more,
and nothing is lost; for whole frames the tokens are the authors'. The features are those of
transformers' SeamlessM4T extractor, so no torchaudio is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.packages import import_extra
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.semantic_hub import SemanticHubCodec

if TYPE_CHECKING:
    from torch import Tensor


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


class NeuCodec(SemanticHubCodec):
    """NeuCodec.

    Args:
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = ({},)
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    name = "neucodec"
    title = "NeuCodec"
    output_rate = 24000
    model_class = "NeuCodecModel"
    config_class = "NeuCodecConfig"
    checkpoint = RELEASED

    def __init__(self, *, weights: str = "") -> None:
        self._load({"weights": weights})

    def _facts(self) -> dict[str, Any]:
        return {
            "causal": False,
            "lookahead_samples": None,
            "context": "global",
            "batch_policy": "single",
            "training_data": ("Emilia", "MLS", "LibriTTS", "FLEURS", "Common Voice", "HUI"),
            "source": "Julian et al., arXiv:2509.09550 (2025); neuphonic/neucodec",
        }

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, 1, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        missing = (self.n_frames(waves.shape[-1]) + 1) * self.hop - waves.shape[-1]
        padded = torch.nn.functional.pad(waves, (0, missing))
        return self._tokens(padded, heard=padded)


CODECS = {"neucodec": NeuCodec}
