"""What the codecs of transformers share: their configuration, their weights, their network.

Shape letters: B batch, T samples, Q codebooks, L frames.
"""

from __future__ import annotations

import abc
import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.packages import import_extra, named_version, require
from synbench_base.weights import Checkpoint, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.tensors import Tensors, fold_weight_norm
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_tensors, without_weight_norm

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HubCodec", "hub_version"]


class HubCodec(TokenCodec):
    """A codec whose network is a class of transformers.

    A subclass names the class and its checkpoint and gives :meth:`_info`, ``n_frames``,
    ``tokenise`` and ``synthesise``. Weights of one's own are a file of the same names; a
    ``config.json`` beside it, as ``save_pretrained`` leaves one, replaces the released settings.

    Attributes:
        model_class, config_class: names in transformers.
        checkpoint: the released weights.
        settings: of the released model, where they differ from the defaults of ``config_class``.
        reduced: settings that make the network small for tests.
        options: as given to the constructor.
    """

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

    @classmethod
    @abc.abstractmethod
    def _defaults(cls) -> dict[str, Any]:
        """The options' default values."""

    @classmethod
    def _released(cls, options: Mapping[str, Any]) -> Checkpoint:
        """The released weights that the options ask for."""
        return cls.checkpoint

    @abc.abstractmethod
    def _info(self, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
        """The description, from ``self.options``."""

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


def hub_version() -> str:
    """The library with its version."""
    return named_version("transformers")
