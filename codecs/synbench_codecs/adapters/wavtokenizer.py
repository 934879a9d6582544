"""WavTokenizer: one book of 4096 codes at 40 or 75 Hz and a spectral decoder, at 24 kHz.

Variants: the released trainings, and those that the P2PSynCodec paper made for its comparison,
whose weights are not public: 320 samples per token, one book of 1024 codes (0.5 kbit/s at 16 kHz,
1.5 kbit/s at 48 kHz), and ``unstated-2kbps``, of which the paper tells the rate alone.
``variant=own`` takes whatever the file of the option ``weights`` holds.
Files may have the authors' layout (a Lightning checkpoint) or that of the converted repositories.

Waves longer than five minutes are refused: the decoder's attention was never trained on such, and
cutting them would change the sound.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from synbench_base.weights import Checkpoint, WeightsSource
from synbench_codecs._spec import Options
from synbench_codecs.support.network_codec import NetworkCodec, Variant

__all__ = ["CODECS", "WavTokenizer", "WavTokenizerConfig"]


@dataclass(frozen=True, kw_only=True)
class WavTokenizerConfig:
    """Everything that shapes the network; defaults as released with 75 tokens/s."""

    sample_rate: int = 24000
    strides: tuple[int, ...] = (2, 4, 5, 8)
    filters: int = 32
    latent: int = 512
    codes: int = 4096
    width: int = 768
    hidden: int = 2304
    blocks: int = 12
    n_fft: int = 1280

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave."""
        return -(-n_samples // self.hop)


FRAME75 = WavTokenizerConfig()
FRAME40 = WavTokenizerConfig(strides=(4, 5, 5, 6), n_fft=2400)
PAPER = WavTokenizerConfig(sample_rate=16000, codes=1024)
PAPER_NOTE = "architecture of the P2PSynCodec paper's comparison, 320 samples per token, 1024 codes"
# The paper has a WavTokenizer at 2.0 kbit/s in its preference test and does not say how it is made.
QUADRUPLE = dataclasses.replace(PAPER, strides=(2, 2, 4, 5), n_fft=320)
QUADRUPLE_NOTE = (
    "2.0 kbit/s of the P2PSynCodec paper's preference test, whose configuration is not stated: "
    "one book of 1024 codes at 80 samples per token is our reading"
)


def _converted(name: str) -> Checkpoint:
    """One of the converted repositories; nobody has published digests of them."""
    source = WeightsSource(
        repository=f"huggingface.co/swiss-ai/wavtokenizer-{name}",
        revision="main",
        file="model.safetensors",
        sha256="",
    )
    return Checkpoint(name=f"wavtokenizer-{name}", files=(source,), licence="MIT")


def _released(name: str) -> Variant:
    tokens = 40 if "40token" in name else 75
    return Variant(
        label=f"WavTokenizer {name.removesuffix('token')}",
        config=FRAME40 if tokens == 40 else FRAME75,
        checkpoint=_converted(name),
    )


RELEASED_VARIANTS = (
    "large-unify-40token",
    "large-speech-75token-v2",
    "medium-speech-75token",
    "medium-speech-75token-v2",
    "medium-music-audio-75token",
    "medium-music-audio-75token-v2",
    "small-speech-40token",
    "small-speech-75token",
)
# The authors' own first large model, whose digest a third party has published.
LARGE_SPEECH = Checkpoint(
    name="wavtokenizer-large-speech-75token",
    files=(
        WeightsSource(
            repository="huggingface.co/novateur/WavTokenizer-large-speech-75token",
            revision="1cc9faee31025548fbae6ffe11115d7207093638",
            file="wavtokenizer_large_speech_320_24k.ckpt",
            sha256="7450020c154f6aba033cb8651466cb79cb1b1cdd10ea64eaba68e7871cabcc5a",
        ),
    ),
    licence="MIT",
)


class WavTokenizer(NetworkCodec):
    """WavTokenizer.

    Args:
        variant: a released training such as ``large-unify-40token``, ``paper-16k``, ``paper-48k``,
            ``unstated-2kbps``, or ``own`` for any other training.
        weights: file of the user's own; empty for the released weights in the cache.
        sample_rate: Hz, with ``variant=own`` only, because no checkpoint tells it.
    """

    name = "wavtokenizer"
    network = "wavtokenizer"
    variants: ClassVar[dict[str, Variant]] = {
        **{name: _released(name) for name in RELEASED_VARIANTS},
        "large-speech-75token": Variant(
            label="WavTokenizer large-speech-75", config=FRAME75, checkpoint=LARGE_SPEECH
        ),
        "paper-16k": Variant(label="WavTokenizer 0.5 kbps", config=PAPER, note=PAPER_NOTE),
        "paper-48k": Variant(
            label="WavTokenizer 1.5 kbps",
            config=dataclasses.replace(PAPER, sample_rate=48000),
            note=PAPER_NOTE,
        ),
        "unstated-2kbps": Variant(
            label="WavTokenizer 2.0 kbps, configuration not stated",
            config=QUADRUPLE,
            note=QUADRUPLE_NOTE,
        ),
    }
    # One GroupNorm group needs two channels at least.
    reduced: ClassVar[dict[str, int]] = {
        "filters": 4,
        "latent": 32,
        "width": 64,
        "hidden": 96,
        "blocks": 2,
    }
    points: ClassVar[tuple[Options, ...]] = (
        {},
        {"variant": "large-speech-75token"},
        {"variant": "paper-16k"},
        {"variant": "paper-48k"},
    )
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(
        variant.checkpoint for variant in variants.values() if variant.checkpoint
    )
    max_seconds = 300

    def __init__(
        self, *, variant: str = "large-unify-40token", weights: str = "", sample_rate: int = 0
    ) -> None:
        super().__init__(variant=variant, weights=weights, sample_rate=sample_rate)

    @classmethod
    def facts(cls, config: WavTokenizerConfig) -> dict[str, Any]:
        """The decoder's attention and norms see the whole file."""
        return {
            "lookahead_samples": None,
            "context": "global",
            "batch_policy": "equal_length",
            "code_licence": "MIT (upstream), MIT (this implementation)",
            "weights_licence": LARGE_SPEECH.licence,
            # The small ones saw the first alone.
            "training_data": ("LibriTTS", "VCTK", "Common Voice"),
            "source": "Ji et al., WavTokenizer, arXiv:2408.16532 (2024); jishengpeng/WavTokenizer",
        }


CODECS = {"wavtokenizer": WavTokenizer}
