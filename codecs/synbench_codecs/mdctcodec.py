"""MDCTCodec (Jiang et al., arXiv 2411.00464): ConvNeXt v2 blocks over MDCT coefficients.

Frames of 2.5 ms at 16 kHz (0.83 ms at 48 kHz), eight to a token: 320 samples. The residual
quantizer's codebooks of 1024 each add 10 bits per token; the number of codebooks is the bit-rate
knob. Response normalisation looks at the whole file, so there is no streaming and no look-ahead
that could be named.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ClassVar

from synbench_codecs._interface import Checkpoint, CodecInfo, Options, WeightsSource
from synbench_codecs._mdct import demonstration
from synbench_codecs._mdct.information import nominal_bitrate, rate_label, shared_info
from synbench_codecs._mdct.loading import header_of
from synbench_codecs._support import check_choice, check_range, full_spec
from synbench_codecs._tokens import TokenCodec
from synbench_codecs._torch import import_extra
from synbench_codecs._weights import find_weights

if TYPE_CHECKING:
    from torch import Tensor

    from synbench_codecs._mdct.model import MDCTModel

RELEASED = Checkpoint(
    name="mdctcodec-48k",
    files=tuple(
        WeightsSource(
            repository="github.com/PB20000090/MDCTCodec",
            revision="1aff8b6287f4e2e66511bd4bc46f3a6bcf96edaf",
            file=f"MDCTCodec/{part}_00200000_onlyvctk",
            # The authors publish no digests; the first download pins them.
            sha256="",
        )
        for part in ("encoder", "decoder")
    ),
    note="6 kbit/s at 48 kHz, trained on VCTK; the authors' file names end without a suffix",
)
MODELS = {
    "demo": demonstration.P2PSYNCODEC,
    "demo-one-book": demonstration.ONE_BOOK,
    "released-48k": RELEASED,
}
DEFAULTS = {"model": "demo", "codebooks": 0, "weights": ""}

__all__ = ["CODECS", "MDCTCodec"]


class MDCTCodec(TokenCodec):
    """MDCTCodec with a checkpoint.

    Args:
        model: ``demo`` (16 kHz, four codebooks, little data), ``demo-one-book`` (the same with
            one) or ``released-48k`` (the authors' weights).
        codebooks: how many of the checkpoint's codebooks are sent; 0 for all.
        weights: a file that ``synbench train teacher`` wrote, or a folder with the authors' files.
    """

    points: ClassVar[tuple[Options, ...]] = (
        {"model": "demo-one-book"},
        {"codebooks": 1},
        {"codebooks": 2},
        {},
        {"model": "released-48k"},
    )
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(MODELS.values())

    def __init__(self, *, model: str = "demo", codebooks: int = 0, weights: str = "") -> None:
        check_choice("mdctcodec", "model", model, MODELS)
        import_extra("torch", extra="torch")
        self.files = find_weights(MODELS[model], weights)
        self.header = header_of(self.files)
        self.config = self.header.codec
        check_range("mdctcodec", "codebooks", codebooks, 0, self.config.codebooks)
        self.codebooks = codebooks or self.config.codebooks
        rate = nominal_bitrate(self.header, codebooks=self.codebooks)
        options = {"model": model, "codebooks": codebooks, "weights": weights}
        self.info = CodecInfo(
            **shared_info(self.header, self.files, codebooks=self.codebooks),
            spec=full_spec("mdctcodec", options, DEFAULTS),
            label=rate_label("MDCTCodec", rate, header=self.header),
            adapter_version=1,
            nominal_bitrate_bps=rate,
            weights_licence="" if weights else MODELS[model].licence,
            source="Jiang, Ai, Zheng et al., MDCTCodec, arXiv 2411.00464",
        )

    @functools.cached_property
    def model(self) -> MDCTModel:
        """The network, loaded at first use."""
        from synbench_codecs._mdct.loading import load_model

        return load_model(self.files).codec

    def n_frames(self, n_samples: int) -> int:
        """Tokens per codebook, by the model's length rule."""
        return self.config.n_tokens(n_samples)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        return self.model.encode(waves)[:, : self.codebooks]

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, 320 L) of tokens (B, Q, L); the last 40 samples are zeros."""
        return self.model.decode_whole_hops(self.model.quantizer.lookup(tokens))


CODECS = {"mdctcodec": MDCTCodec}
