"""EnCodec at 24 kHz, mono: a causal residual-vector-quantization codec, 1.5 to 24 kbit/s.

The 48 kHz model is left out: it is stereo, works in segments of one second, and stores a scale for
each of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice, full_spec
from synbench_codecs.support.hub import HubCodec, hub_version
from synbench_codecs.support.tensors import Tensors, renamed

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 24000
HOP = 320
CODES = 1024
BITS = 10
FRAME_RATE = Fraction(SAMPLE_RATE, HOP)
CODEBOOKS = (2, 4, 8, 16, 32)
DEFAULTS: dict[str, Any] = {"weights": ""}

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
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)
    model_class = "EncodecModel"
    config_class = "EncodecConfig"
    checkpoint = RELEASED
    reduced = {"num_filters": 4, "hidden_size": 16}

    def __init__(self, *, codebooks: int = 8, weights: str = "") -> None:
        self._load({"codebooks": codebooks, "weights": weights})

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {"codebooks": 8, **DEFAULTS}

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        count = self.options["codebooks"]
        check_choice("encodec", "codebooks", count, CODEBOOKS)
        rate = count * BITS * FRAME_RATE
        return CodecInfo(
            spec=full_spec("encodec", self.options, DEFAULTS),
            label=f"EnCodec {float(rate) / 1000:g} kbps",
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
            causal=True,
            lookahead_samples=0,
            context="unbounded",
            batch_policy="equal_length",
            code_licence="Apache-2.0",
            weights_licence=RELEASED.licence,
            weights=sources,
            training_data=("DNS Challenge", "Common Voice", "AudioSet", "FSD50K", "Jamendo"),
            source="Défossez et al., High Fidelity Neural Audio Compression, 2022",
        )

    def _rename(self, tensors: Tensors, wanted: Mapping[str, Tensor]) -> Tensors:
        return renamed(tensors, _hub_name)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        kbps = float(len(self.info.codebook_sizes) * BITS * FRAME_RATE) / 1000
        codes: Tensor = self.model.encode(waves[:, None], bandwidth=kbps).audio_codes[0]
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
