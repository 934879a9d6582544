"""P2PSynCodec (arXiv 2606.05876): one codebook is sent, the receiver predicts the others.

MDCTCodec with one plain quantizer; pseudo quantizers at the receiver predict, stage by stage, which
codes the teacher's further codebooks would have taken. Only the plain tokens travel: 10 bits for
320 samples, 500 bit/s at 16 kHz and 1500 bit/s at 48 kHz. No code or weights are public; this is
our own implementation and training of what the paper states.

``decode`` answers what the predicted tokens bring:

=============  ====================================================================================
``all``        the paper's receiver: argmax, stage by stage
``plain-only`` the plain quantizer's vectors alone
``zero``       code 0 in place of every predicted token
``random``     random codes in place of the predicted ones, always the same for the same length
``oracle``     the teacher's own tokens, which must then be sent: 2000 bit/s with three stages
``soft``       not in the paper: the mean of the code vectors, weighted by their probability
=============  ====================================================================================
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.errors import UnpublishedWeights, WeightsError
from synbench_base.packages import require
from synbench_base.weights import Checkpoint, WeightsFile, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs._mdct import demonstration
from synbench_codecs._mdct.engine import require_engine
from synbench_codecs._mdct.header import Header
from synbench_codecs._mdct.information import nominal_bitrate, rate_label, shared_info
from synbench_codecs._mdct.loading import header_of
from synbench_codecs._mdct.portable_codec import PortableCodec
from synbench_codecs._mdct.sizes import BackboneConfig, CodecConfig, PredictorConfig
from synbench_codecs._packing import Tokens
from synbench_codecs._spec import Options
from synbench_codecs.errors import UsageError
from synbench_codecs.support.adapting import check_choice, full_spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from synbench_codecs._mdct.synergy import SynergyModel

MODELS = {"demo": demonstration.P2PSYNCODEC}
# The paper's own trainings, by their sample rate in Hz; their weights are not public.
PAPER_RATES = {"paper-16k": 16000, "paper-48k": 48000}
ARITHMETICS = ("float32", "bfloat16")
DECODERS = ("all", "plain-only", "zero", "random", "oracle", "soft")
REDUCED_BACKBONE = BackboneConfig(channels=16, hidden=32, blocks=1)
REDUCED_PREDICTORS = PredictorConfig(channels=16, heads=2, blocks=1)
DEFAULTS = {"model": "demo", "decode": "all", "arithmetic": "float32", "weights": ""}

__all__ = ["CODECS", "P2PSynCodec"]


class P2PSynCodec(PortableCodec):
    """P2PSynCodec with a checkpoint.

    Args:
        model: ``demo`` (16 kHz, one pseudo quantizer, little data), or ``paper-16k`` and
            ``paper-48k``, whose weights are not public: they need ``weights``.
        decode: what the receiver puts in place of the codebooks that are not sent; see above.
        arithmetic: of the decoder's linear layers alone, ``float32`` or ``bfloat16`` (with torch):
            tokens, the predicted ones included, stay the same, and the wave is rounded, 57 dB below
            it with random weights; where the processor multiplies in bfloat16, the whole receiver
            needs a sixth less time.
        weights: a file that ``synbench train pseudo`` wrote.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"decode": decode} for decode in DECODERS)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(MODELS.values())
    cpu_seconds_per_audio_second: ClassVar[float] = 0.05

    def __init__(
        self,
        *,
        model: str = "demo",
        decode: str = "all",
        arithmetic: str = "float32",
        weights: str = "",
    ) -> None:
        check_choice("p2psyncodec", "model", model, [*MODELS, *PAPER_RATES])
        check_choice("p2psyncodec", "arithmetic", arithmetic, ARITHMETICS)
        if model in PAPER_RATES and not weights:
            raise UnpublishedWeights(f"p2psyncodec:model={model}")
        checkpoint = MODELS.get(model, demonstration.P2PSYNCODEC)
        require_engine(checkpoint)
        if arithmetic != "float32":
            require("torch", extra="torch")
        files = find_weights(checkpoint, weights)
        options = {
            "model": model,
            "decode": decode,
            "arithmetic": arithmetic,
            "weights": weights,
        }
        header = header_of(files)
        wanted_rate = PAPER_RATES.get(model, header.codec.sample_rate)
        if header.codec.sample_rate != wanted_rate:
            raise WeightsError(
                f"{files[0].path} does not fit p2psyncodec:model={model}: expected {wanted_rate} "
                f"Hz, got {header.codec.sample_rate}; leave the model out"
            )
        if header.predictors is None:
            raise UsageError(
                f"{files[0].path} holds no pseudo quantizers: it is a teacher; "
                f"type: synbench train pseudo --help"
            )
        self._describe(header, files, options)
        self._files = files

    @classmethod
    def described(cls, **options: str | int | float | bool) -> CodecInfo:
        """What is known without the weights, and without torch."""
        return cls._without_network(reduced=False, options=options)[0].info

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: str | int | float | bool) -> Self:
        """The paper's network with random weights; ``weights`` is no option."""
        from synbench_codecs._mdct.model import MDCTModel
        from synbench_codecs._mdct.predictor import PseudoQuantizers
        from synbench_codecs._mdct.synergy import SynergyModel

        codec, header = cls._without_network(reduced=reduced, options=options)
        teacher = MDCTModel(header.codec).eval().requires_grad_(False)
        assert header.predictors is not None
        pseudo = PseudoQuantizers(header.predictors, header.pseudo).eval().requires_grad_(False)
        codec.model = codec._rounded(SynergyModel(teacher, pseudo, sent=codec.sent))
        return codec

    @classmethod
    def _without_network(cls, *, reduced: bool, options: Mapping[str, Any]) -> tuple[Self, Header]:
        sizes = REDUCED_BACKBONE if reduced else BackboneConfig()
        chosen = {**DEFAULTS, **options}
        rate = PAPER_RATES.get(str(chosen["model"]), 16000)
        header = Header(
            codec=CodecConfig(sample_rate=rate, backbone=sizes),
            predictors=REDUCED_PREDICTORS if reduced else PredictorConfig(),
            pseudo=3,
            training={"note": "random weights"},
        )
        codec = cls.__new__(cls)
        codec._describe(header, (), chosen)
        return codec, header

    @functools.cached_property
    def model(self) -> SynergyModel:
        """The networks, loaded at first use."""
        from synbench_codecs._mdct.loading import load_model
        from synbench_codecs._mdct.synergy import SynergyModel

        loaded = load_model(self._files)
        assert loaded.pseudo is not None
        return self._rounded(SynergyModel(loaded.codec, loaded.pseudo, sent=self.sent))

    def pack(self, model: SynergyModel) -> SynergyModel:
        """The same networks for inference on the CPU."""
        from synbench_codecs._mdct.packed_model import packed_synergy

        return packed_synergy(model)

    def _rounded(self, model: SynergyModel) -> SynergyModel:
        """The decoder in the arithmetic that was chosen; predictors never, so tokens are equal."""
        from synbench_codecs._mdct.model import Bfloat16

        if self.arithmetic == "bfloat16":
            model.codec.decoder = Bfloat16(model.codec.decoder)
        return model

    def _describe(
        self, header: Header, files: tuple[WeightsFile, ...], options: Mapping[str, Any]
    ) -> None:
        check_choice("p2psyncodec", "decode", options["decode"], DECODERS)
        self.config = header.codec
        self.how = options["decode"]
        self.arithmetic = options["arithmetic"]
        self.sent = header.pseudo + 1 if self.how == "oracle" else 1
        rate = nominal_bitrate(header, codebooks=self.sent)
        suffix = "" if self.how == "all" else f", {self.how}"
        suffix += "" if self.arithmetic == "float32" else f", {self.arithmetic}"
        self.info = CodecInfo(
            **shared_info(header, files, codebooks=self.sent),
            spec=full_spec("p2psyncodec", options, DEFAULTS),
            label=rate_label("P2PSynCodec", rate, header=header) + suffix,
            # The second decoder in bfloat16 keeps sums and norms in float32.
            adapter_version=1 if self.arithmetic == "float32" else 2,
            nominal_bitrate_bps=rate,
            weights_licence=""
            if options["weights"] or options["model"] not in MODELS
            else MODELS[options["model"]].licence,
            source="P2PSynCodec, arXiv 2606.05876",
        )

    def quantized(self, tokens: Tokens) -> NDArray[np.float32]:
        """What the decoder without torch takes, of the tokens (B, Q, L) that were sent."""
        return self.portable.completed(tokens, how=self.how)

    def synthesise_by(self, model: SynergyModel, tokens: Tensor) -> Tensor:
        """Waves (B, 320 L) of the sent tokens (B, Q, L); the last 40 samples are zeros."""
        return model.decode(tokens, how=self.how)


CODECS = {"p2psyncodec": P2PSynCodec}
