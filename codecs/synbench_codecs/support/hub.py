"""What the codecs of transformers share: their configuration, their weights, their network.

Shape letters: B batch, T samples, Q codebooks, L frames.
"""

from __future__ import annotations

import abc
import dataclasses
import functools
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.packages import import_extra, named_version, require
from synbench_base.weights import Checkpoint, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.adapting import full_spec
from synbench_codecs.support.tensors import Tensors, fold_weight_norm
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_tensors, without_weight_norm

if TYPE_CHECKING:
    from torch import Tensor

# Layers that make transformers' HuBERT small, for tests.
REDUCED_HUBERT = {
    "model_type": "hubert",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "conv_dim": [16] * 7,
}

__all__ = ["REDUCED_HUBERT", "HubCodec"]


class HubCodec(TokenCodec):
    """A codec whose network is a class of transformers.

    A subclass names the class and its checkpoint, says its rates and sizes, and gives
    :meth:`_facts` and ``tokenise``. Weights of one's own are a file of the same names; a
    ``config.json`` beside it, as ``save_pretrained`` leaves one, replaces the released settings.

    Attributes:
        name: of the codec, in its spec.
        title: of the codec, in tables.
        sample_rate, output_rate: Hz of what goes in and of what comes out.
        hop: samples per frame.
        bits: per token; a book holds ``2**bits`` codes.
        model_class, config_class: names in transformers.
        checkpoint: the released weights.
        settings: of the released model, where they differ from the defaults of ``config_class``.
        reduced: settings that make the network small for tests.
        options: as given to the constructor.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sample_rate: ClassVar[int]
    output_rate: ClassVar[int]
    hop: ClassVar[int]
    bits: ClassVar[int]
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    model_class: ClassVar[str]
    config_class: ClassVar[str]
    checkpoint: ClassVar[Checkpoint]
    settings: ClassVar[Mapping[str, Any]] = {}
    reduced: ClassVar[Mapping[str, Any]]
    options: dict[str, Any]

    def _load(self, options: dict[str, Any]) -> None:
        """Find the weights and describe the codec; everything heavy waits for the first use."""
        require("torch", extra="torch")
        require("transformers", extra="hf")
        self.options = options
        released = self._released(options)
        self.info = self._info(sources=released.files)
        (self._file,) = find_weights(released, options["weights"])
        self.info = dataclasses.replace(
            self.info,
            weights=(self._file.source,),
            # Nobody but their owner can say under what licence one's own weights are.
            weights_licence="" if options["weights"] else released.licence,
            training_data=() if options["weights"] else self.info.training_data,
        )

    @classmethod
    def described(cls, **options: Any) -> CodecInfo:
        """What is known of the codec where its weights are absent."""
        codec = cls.__new__(cls)
        codec.options = {**cls._defaults(), **options}
        return codec._info(sources=cls._released(codec.options).files)

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: Any) -> Self:
        """The codec with random weights."""
        transformers = import_extra("transformers", extra="hf")
        codec = cls.__new__(cls)
        settings = {**cls.settings, **(cls.reduced if reduced else {})}
        codec.config = getattr(transformers, cls.config_class)(**settings)
        codec.options = {**cls._defaults(), **options}
        codec.info = codec._info(sources=())
        codec.model = codec._build().eval().requires_grad_(False)
        codec._fill_codebooks()
        return codec

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / self.hop)

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, Q, L)."""
        waves: Tensor = self.model.decode(audio_codes=tokens).audio_values[:, 0]
        return waves

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return dict(cls.__init__.__kwdefaults__ or {})

    @classmethod
    def _released(cls, options: Mapping[str, Any]) -> Checkpoint:
        """The released weights that the options ask for."""
        return cls.checkpoint

    @abc.abstractmethod
    def _facts(self) -> dict[str, Any]:
        """Fields of :class:`CodecInfo` that depend on the codec, after checking the options."""

    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        """The description, from ``self.options``."""
        facts = self._facts()
        books = self.options.get("codebooks", 1)
        frame_rate = Fraction(self.sample_rate, self.hop)
        rate = books * self.bits * frame_rate
        # How many books are sent is always said.
        silent = {name: value for name, value in self._defaults().items() if name != "codebooks"}
        common = {
            "spec": full_spec(self.name, self.options, silent),
            "label": f"{self.title} {float(rate) / 1000:g} kbps",
            "kind": "neural",
            "adapter_version": 1,
            "implementation": named_version("transformers"),
            "sample_rate": self.sample_rate,
            "output_sample_rate": self.output_rate,
            "nominal_bitrate_bps": rate,
            "hop_length": self.hop,
            "frame_rate_hz": frame_rate,
            "codebook_sizes": (2**self.bits,) * books,
            "bits_per_frame": books * self.bits,
            "bandwidth_hz": self.output_rate / 2,
            "code_licence": "Apache-2.0",
            "weights_licence": self._released(self.options).licence,
            "weights": sources,
        }
        return CodecInfo(**common | facts)

    @property
    def _kbps(self) -> float:
        """How networks that send a number of books ask for it."""
        return len(self.info.codebook_sizes) * self.bits * self.sample_rate / self.hop / 1000

    def _filled(self, waves: Tensor) -> Tensor:
        """Waves (B, T), with zeros up to whole frames."""
        torch = import_extra("torch", extra="torch")
        filled: Tensor = torch.nn.functional.pad(waves, (0, -waves.shape[-1] % self.hop))
        return filled

    def _rename(self, tensors: Tensors, wanted: Mapping[str, Tensor]) -> Tensors:
        """Tensors under the names that the installed version of transformers uses."""
        return tensors

    def _fill_codebooks(self) -> None:
        """Random codebooks for networks whose constructor leaves them empty."""
        torch = import_extra("torch", extra="torch")
        for name, buffer in self.model.named_buffers():
            if name.endswith(("codebook.embed", "codebook.embed_sum")) and not buffer.is_meta:
                buffer.copy_(torch.randn(buffer.shape))

    @functools.cached_property
    def config(self) -> Any:
        """Settings of the network, in the class of transformers."""
        config_class = getattr(import_extra("transformers", extra="hf"), self.config_class)
        beside = self._file.path.with_name("config.json")
        if self.options["weights"] and beside.is_file():
            return _read_config(config_class, beside)
        return config_class(**self.settings)

    @functools.cached_property
    def model(self) -> Any:
        """The network, loaded at the first use."""
        model = self._build()
        folded = fold_weight_norm(read_tensors(self._file.path))
        tensors = self._rename(folded, model.state_dict())
        return load_strictly(model, tensors, path=self._file.path)

    def _build(self) -> Any:
        transformers = import_extra("transformers", extra="hf")
        return without_weight_norm(getattr(transformers, self.model_class)(self.config))


def _read_config(config_class: Any, path: Path) -> Any:
    try:
        return config_class.from_json_file(str(path))
    except Exception as error:
        raise WeightsError(f"{path} is no configuration of this codec: {error}") from error
