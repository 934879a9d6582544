"""BigCodec: one book of 8192 codes at 80 Hz, a wide convolutional encoder and decoder with LSTMs.

Variants: the released weights (16 kHz, 1.04 kbit/s), and the two that the P2PSynCodec paper trained
for its comparison (320 samples per token, one book of 1024 codes: 0.5 kbit/s at 16 kHz, 1.5 kbit/s
at 48 kHz), whose weights are not public. ``variant=own`` takes whatever the file of the option
``weights`` holds.

Tokens follow the authors: 1 to 200 zeros are appended, a whole frame of them to aligned waves, and
the payload carries the extra token.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.network_codec import NetworkCodec, Variant

KERNEL_SAMPLES = 7
DILATIONS = (1, 3, 9)
# The two low-passes of an activation together look this number of samples ahead.
ACTIVATION_AHEAD_SAMPLES = 5

RELEASED = Checkpoint(
    name="bigcodec",
    files=(
        WeightsSource(
            repository="huggingface.co/Alethia/BigCodec",
            revision="main",
            file="bigcodec.pt",
            sha256="1fba3806e87cc01c1a65bea22fa1becefbbf46881e4219593c4d9f3cf56206b9",
        ),
    ),
    licence="MIT",
)

__all__ = ["CODECS", "BigCodec", "BigCodecConfig"]


@dataclass(frozen=True, kw_only=True)
class BigCodecConfig:
    """Everything that shapes the network; defaults as released.

    The decoder runs through ``strides`` backwards.
    """

    sample_rate: int = 16000
    strides: tuple[int, ...] = (2, 2, 2, 5, 5)
    channels: int = 48
    decoder_channels: int = 1536
    latent: int = 1024
    codes: int = 8192
    code_dim: int = 8

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave: the authors always append 1 to ``hop`` zeros, also to whole frames."""
        return n_samples // self.hop + 1

    @property
    def encoder_ahead(self) -> int:
        """Samples behind its own frame that a token depends on."""
        last = 1 + ACTIVATION_AHEAD_SAMPLES
        for stride in reversed(self.strides):
            last = last * stride - _padding(stride) + 2 * stride - 1
            last += ACTIVATION_AHEAD_SAMPLES + _units_ahead()
        return last + KERNEL_SAMPLES // 2 - (self.hop - 1)

    @property
    def decoder_ahead(self) -> int:
        """Tokens behind its own that a sample depends on."""
        last = self.hop - 1 + KERNEL_SAMPLES // 2 + ACTIVATION_AHEAD_SAMPLES
        for stride in self.strides:
            last = (last + _units_ahead() + _padding(stride)) // stride + ACTIVATION_AHEAD_SAMPLES
        return last + KERNEL_SAMPLES // 2


def _padding(stride: int) -> int:
    return stride // 2 + stride % 2


def _units_ahead() -> int:
    """Samples that the three residual units of a stage look ahead."""
    return sum(
        2 * ACTIVATION_AHEAD_SAMPLES + KERNEL_SAMPLES // 2 * dilation for dilation in DILATIONS
    )


# The paper prints no strides. The 159.32 M and 61.03 G of its table are of the released ones, which
# make 200 samples per token; these are the nearest that make 320. A file with any other strides of
# that product loads as well.
PAPER = BigCodecConfig(strides=(2, 2, 4, 4, 5), codes=1024)
PAPER_NOTE = "architecture of the P2PSynCodec paper's comparison, 320 samples per token, 1024 codes"


class BigCodec(NetworkCodec):
    """BigCodec.

    Args:
        variant: ``released``, ``paper-16k``, ``paper-48k``, or ``own`` for any other training.
        weights: file of the user's own; empty for the released weights in the cache.
        sample_rate: Hz, with ``variant=own`` only, because no checkpoint tells it.
    """

    name = "bigcodec"
    network = "bigcodec"
    variants: ClassVar[dict[str, Variant]] = {
        "released": Variant(label="BigCodec", config=BigCodecConfig(), checkpoint=RELEASED),
        "paper-16k": Variant(label="BigCodec 0.5 kbps", config=PAPER, note=PAPER_NOTE),
        "paper-48k": Variant(
            label="BigCodec 1.5 kbps",
            config=dataclasses.replace(PAPER, sample_rate=48000),
            note=PAPER_NOTE,
        ),
    }
    reduced: ClassVar[dict[str, int]] = {"channels": 2, "decoder_channels": 32, "latent": 16}
    points: ClassVar[tuple[Options, ...]] = (
        {},
        {"variant": "paper-16k"},
        {"variant": "paper-48k"},
    )
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)

    def __init__(
        self, *, variant: str = "released", weights: str = "", sample_rate: int = 0
    ) -> None:
        super().__init__(variant=variant, weights=weights, sample_rate=sample_rate)

    @classmethod
    def facts(cls, config: BigCodecConfig) -> dict[str, Any]:
        """The LSTMs remember everything; the look-ahead is finite."""
        return {
            "lookahead_samples": config.encoder_ahead + config.hop * config.decoder_ahead,
            "context": "unbounded",
            "batch_policy": "equal_length",
            "code_licence": "MIT (upstream), MIT (this implementation)",
            "weights_licence": RELEASED.licence,
            "training_data": ("LibriSpeech",),
            "source": "Xin et al., BigCodec, arXiv:2409.05377 (2024); Aria-K-Alethia/BigCodec",
        }


CODECS = {"bigcodec": BigCodec}
