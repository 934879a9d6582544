"""Codecs whose network is our own module: variants, the user's weights, random weights.

A network module (``_bigcodec``) offers ``build(config)``, a network with ``encode`` and ``decode``,
``from_released(tensors)``, which brings a checkpoint under our names, and ``config_of(tensors,
sample_rate=...)``, which reads the architecture from the tensors' shapes.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from synbench_base.packages import import_extra, require
from synbench_base.weights import Checkpoint, WeightsFile, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs.errors import UnpublishedWeights, UsageError, WeightsError
from synbench_codecs.support.adapting import check_choice, check_range, full_spec
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_tensors, torch_version

if TYPE_CHECKING:
    from torch import Tensor

OWN_VARIANT = "own"
HIGHEST_SAMPLE_RATE = 192000

__all__ = ["NetworkCodec", "NetworkConfig", "Variant"]


class NetworkConfig(Protocol):
    """What every configuration of a network tells; it is a frozen dataclass."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def codes(self) -> int:
        """Size of the one book."""

    @property
    def hop(self) -> int:
        """Samples per frame."""

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One training of a codec.

    Attributes:
        label: short name for tables.
        config: the published architecture.
        checkpoint: where its weights are; ``None`` where they are not public.
        note: what a reader of its scores must know.
    """

    label: str
    config: Any
    checkpoint: Checkpoint | None = None
    note: str = ""


class NetworkCodec(TokenCodec):
    """A codec with one book and a network of ours; subclasses say which."""

    name: ClassVar[str]
    network: ClassVar[str]
    variants: ClassVar[Mapping[str, Variant]]
    reduced: ClassVar[Mapping[str, int]]
    model: Any
    config: Any

    def __init__(self, *, variant: str, weights: str, sample_rate: int) -> None:
        require("torch", extra="torch")
        chosen = self._variant(variant, sample_rate)
        file = self._file(variant, chosen, weights)
        torch = import_extra("torch", extra="torch")
        network = _import(self.network)
        tensors = network.from_released(read_tensors(file.path))
        try:
            config = network.config_of(tensors, sample_rate=chosen.config.sample_rate)
        except (KeyError, IndexError) as error:
            raise WeightsError(f"{file.path} is no {self.name} checkpoint: no {error}") from error
        if variant != OWN_VARIANT:
            self._check_rates(variant, chosen.config, config, file)
        with torch.device("meta"):
            model = network.build(config)
        self.model = load_strictly(model, tensors, path=file.path)
        options = {"variant": variant, "weights": weights, "sample_rate": sample_rate}
        self._describe(chosen, config, options, file)

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: str | int | float | bool) -> Self:
        """The codec with random weights; options are ``variant`` and ``sample_rate``."""
        defaults = cls._defaults() | options
        chosen = cls._variant(str(defaults["variant"]), int(defaults["sample_rate"]))
        config = chosen.config
        if reduced:
            config = dataclasses.replace(config, **cls.reduced)
        codec = cls.__new__(cls)
        codec.model = _import(cls.network).build(config).eval().requires_grad_(False)
        codec._describe(chosen, config, defaults, None)
        return codec

    @classmethod
    def described(cls, **options: str | int | float | bool) -> CodecInfo:
        """What is known without the weights."""
        defaults = cls._defaults() | options
        chosen = cls._variant(str(defaults["variant"]), int(defaults["sample_rate"]))
        codec = cls.__new__(cls)
        codec._describe(chosen, chosen.config, defaults, None)
        return dataclasses.replace(codec.info, training_note=chosen.note)

    def n_frames(self, n_samples: int) -> int:
        """Tokens of a wave."""
        return int(self.config.n_frames(n_samples))

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, 1, L) of waves (B, T)."""
        tokens: Tensor = self.model.encode(waves)
        return tokens

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, 1, L)."""
        waves: Tensor = self.model.decode(tokens)
        return waves

    @classmethod
    def facts(cls, config: Any) -> dict[str, Any]:
        """Fields of :class:`CodecInfo` that depend on the codec: look-ahead, source, licences."""
        raise NotImplementedError

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return cls.__init__.__kwdefaults__ or {}

    @classmethod
    def _variant(cls, name: str, sample_rate: int) -> Variant:
        check_choice(cls.name, "variant", name, [*cls.variants, OWN_VARIANT])
        if name != OWN_VARIANT:
            if sample_rate:
                raise UsageError(f"{cls.name}: sample_rate goes with variant={OWN_VARIANT} only")
            return cls.variants[name]
        check_range(cls.name, "sample_rate", sample_rate, 1, HIGHEST_SAMPLE_RATE)
        model = next(iter(cls.variants.values()))
        config = dataclasses.replace(model.config, sample_rate=sample_rate)
        return Variant(label=f"{cls.name} (own)", config=config, note="trained by the user")

    @classmethod
    def _file(cls, variant: str, chosen: Variant, weights: str) -> WeightsFile:
        if chosen.checkpoint is None and not weights:
            raise UnpublishedWeights(f"{cls.name}:variant={variant}")
        (file,) = find_weights(chosen.checkpoint or _any_file(cls.name), weights)
        return file

    @classmethod
    def _check_rates(cls, variant: str, wanted: Any, stored: Any, file: WeightsFile) -> None:
        """Widths may differ, the bit rate may not: it is what the variant stands for.

        Raises:
            WeightsError: the file has another hop or another size of its book.
        """
        if (wanted.hop, wanted.codes) != (stored.hop, stored.codes):
            raise WeightsError(
                f"{file.path} does not fit {cls.name}:variant={variant}: expected {wanted.hop} "
                f"samples per token and {wanted.codes} codes, got {stored.hop} and {stored.codes}; "
                f"for another training: variant={OWN_VARIANT},sample_rate=...,weights={file.path}"
            )

    def _describe(
        self, chosen: Variant, config: Any, options: Mapping[str, Any], file: WeightsFile | None
    ) -> None:
        self.config = config
        frame_rate = Fraction(config.sample_rate, config.hop)
        bits = math.log2(config.codes)
        note = chosen.note
        facts = self.facts(config)
        if options["weights"] or chosen.checkpoint is None:
            facts["weights_licence"] = ""
            facts["training_data"] = ()
        if file is None:
            note = "random weights: only lengths, bits and costs mean anything"
        elif options["weights"]:
            note = "; ".join(filter(None, [note, f"weights of the user's own, {file.path.name}"]))
        self.info = CodecInfo(
            spec=full_spec(self.name, options, self._defaults()),
            label=chosen.label,
            kind="neural",
            adapter_version=1,
            implementation=f"synbench, {torch_version()}",
            sample_rate=config.sample_rate,
            output_sample_rate=config.sample_rate,
            nominal_bitrate_bps=frame_rate * Fraction(bits),
            hop_length=config.hop,
            frame_rate_hz=frame_rate,
            codebook_sizes=(config.codes,),
            bits_per_frame=bits,
            bandwidth_hz=config.sample_rate / 2,
            causal=False,
            weights=() if file is None else (file.source,),
            training_note=note,
            **facts,
        )


def _any_file(name: str) -> Checkpoint:
    """Stands for weights that are not public; the user names the file."""
    source = WeightsSource(repository="local", revision="", file="weights", sha256="")
    return Checkpoint(name=name, files=(source,))


def _import(module: str) -> Any:
    return importlib.import_module(f"synbench_codecs.networks.{module}")
