"""MDCTCodec (Jiang et al., arXiv 2411.00464): ConvNeXt v2 blocks over MDCT coefficients.

Frames of 2.5 ms at 16 kHz (0.83 ms at 48 kHz), eight to a token: 320 samples. The residual
quantizer's codebooks of 1024 each add 10 bits per token; the number of codebooks is the bit-rate
knob. Response normalisation looks at the whole file, so there is no streaming and no look-ahead
that could be named.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.weights import Checkpoint, WeightsFile, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs._mdct import demonstration
from synbench_codecs._mdct.engine import require_engine
from synbench_codecs._mdct.header import Header
from synbench_codecs._mdct.information import nominal_bitrate, rate_label, shared_info
from synbench_codecs._mdct.loading import header_of
from synbench_codecs._mdct.portable_codec import PortableCodec
from synbench_codecs._mdct.sizes import BackboneConfig, CodecConfig
from synbench_codecs._packing import Tokens
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice, check_range, full_spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
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
    "demo": demonstration.MDCTCODEC,
    "demo-one-book": demonstration.ONE_BOOK,
    "released-48k": RELEASED,
}
REDUCED_BACKBONE = BackboneConfig(channels=16, hidden=32, blocks=1)
DEFAULTS = {"model": "demo", "codebooks": 0, "weights": ""}

__all__ = ["CODECS", "MDCTCodec"]


class MDCTCodec(PortableCodec):
    """MDCTCodec with a checkpoint.

    Args:
        model: ``demo`` (16 kHz, four codebooks, little data), ``demo-one-book`` (one, trained as
            long as the codec in P2PSynCodec's ``demo``) or ``released-48k`` (the authors' weights).
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
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(MODELS.values())
    cpu_seconds_per_audio_second: ClassVar[float] = 0.05

    def __init__(self, *, model: str = "demo", codebooks: int = 0, weights: str = "") -> None:
        check_choice("mdctcodec", "model", model, MODELS)
        require_engine(MODELS[model])
        files = find_weights(MODELS[model], weights)
        options = {"model": model, "codebooks": codebooks, "weights": weights}
        self._describe(header_of(files), files, options)
        self._files = files

    @classmethod
    def described(cls, **options: str | int | float | bool) -> CodecInfo:
        """What is known without the weights, and without torch."""
        return cls._without_network(reduced=False, options=options).info

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: str | int | float | bool) -> Self:
        """The published network with random weights; options are ``model`` and ``codebooks``."""
        from synbench_codecs._mdct.model import MDCTModel

        codec = cls._without_network(reduced=reduced, options=options)
        codec.model = MDCTModel(codec.config).eval().requires_grad_(False)
        codec.model.quantizer.keep(codec.sent)
        return codec

    @classmethod
    def _without_network(cls, *, reduced: bool, options: Mapping[str, Any]) -> Self:
        chosen = {**DEFAULTS, **options}
        rate = 48000 if chosen["model"] == "released-48k" else 16000
        books = 1 if chosen["model"] == "demo-one-book" else 4
        sizes = REDUCED_BACKBONE if reduced else BackboneConfig()
        codec = cls.__new__(cls)
        header = Header(
            codec=CodecConfig(sample_rate=rate, codebooks=books, backbone=sizes),
            training={"note": "random weights"},
        )
        codec._describe(header, (), chosen)
        return codec

    @functools.cached_property
    def model(self) -> MDCTModel:
        """The network, loaded at first use."""
        from synbench_codecs._mdct.loading import load_model

        model = load_model(self._files).codec
        model.quantizer.keep(self.sent)
        return model

    def pack(self, model: MDCTModel) -> MDCTModel:
        """The same network for inference on the CPU."""
        from synbench_codecs._mdct.packed_model import packed_codec

        return packed_codec(model)

    def _describe(
        self, header: Header, files: tuple[WeightsFile, ...], options: Mapping[str, Any]
    ) -> None:
        self.config = header.codec
        check_range("mdctcodec", "codebooks", options["codebooks"], 0, self.config.codebooks)
        self.sent = options["codebooks"] or self.config.codebooks
        rate = nominal_bitrate(header, codebooks=self.sent)
        # Fewer books of a larger model sound unlike a model that has no more, at the same rate.
        whole = self.sent == self.config.codebooks
        suffix = "" if whole else f", {self.sent} of {self.config.codebooks} books"
        self.info = CodecInfo(
            **shared_info(header, files, codebooks=self.sent),
            spec=full_spec("mdctcodec", options, DEFAULTS),
            label=rate_label("MDCTCodec", rate, header=header) + suffix,
            adapter_version=1,
            nominal_bitrate_bps=rate,
            weights_licence="" if options["weights"] else MODELS[options["model"]].licence,
            source="Jiang, Ai, Zheng et al., MDCTCodec, arXiv 2411.00464",
        )

    def quantized(self, tokens: Tokens) -> NDArray[np.float32]:
        """What the decoder without torch takes, of the tokens (B, Q, L) that were sent."""
        return self.portable.looked_up(tokens)

    def synthesise_by(self, model: MDCTModel, tokens: Tensor) -> Tensor:
        """Waves (B, 320 L) of tokens (B, Q, L); the last 40 samples are zeros."""
        return model.decode_whole_hops(model.quantizer.lookup(tokens))


CODECS = {"mdctcodec": MDCTCodec}
