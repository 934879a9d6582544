"""X-Codec-2 at 16 kHz: one book of 65536 codes at 50 Hz, 0.8 kbit/s, for speech.

The encoder joins a semantic model of 387 M parameters (wav2vec2-BERT on mel features) with an
acoustic one. As in the authors' recipe one zero is appended and the wave is filled up to whole
frames, so a wave of whole frames costs one frame more. The features are those of transformers'
SeamlessM4T extractor, which the authors used; no torchaudio is needed.
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


class XCodec2(SemanticHubCodec):
    """X-Codec-2.

    Args:
        weights: file of the user's own.
    """

    points: ClassVar[tuple[Options, ...]] = ({},)
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    name = "xcodec2"
    title = "X-Codec-2"
    output_rate = 16000
    model_class = "Xcodec2Model"
    config_class = "Xcodec2Config"
    checkpoint = RELEASED

    def __init__(self, *, weights: str = "") -> None:
        self._load({"weights": weights})

    def _facts(self) -> dict[str, Any]:
        return {
            "causal": False,
            "lookahead_samples": None,
            "context": "global",
            "batch_policy": "single",
            "training_data": ("Emilia", "MLS"),
            "source": "Ye et al., Llasa: Scaling Train-Time and Inference-Time Compute, 2025",
        }

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave and the appended zero; the last is filled up."""
        return n_samples // self.hop + 1

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (1, 1, L) of a wave (1, T)."""
        torch = import_extra("torch", extra="torch")
        missing = self.n_frames(waves.shape[-1]) * self.hop - waves.shape[-1]
        padded = torch.nn.functional.pad(waves, (0, missing))
        around = torch.nn.functional.pad(padded, (self.hop // 2, self.hop // 2))
        return self._tokens(padded, heard=around)


CODECS = {"xcodec2": XCodec2}
