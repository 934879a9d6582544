"""The shape of a DAC network: its lengths, and both layouts of its tensors.

The network itself is ``transformers.DacModel``, whose codes equal those of the authors' package.

Shape letters: T samples, L frames. Convolutions of an odd stride round down in the encoder and lose
one sample per frame boundary in the decoder, so lengths are computed stage by stage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synbench_base.packages import import_extra
from synbench_codecs.support.tensors import Tensors, fold_weight_norm, renamed, without_prefix

if TYPE_CHECKING:
    from torch import Tensor

DILATIONS = (1, 3, 9)
KERNEL_REACH = 3
"""Samples that a kernel of 7 reaches to either side."""

UNIT_REACH = KERNEL_REACH * sum(DILATIONS)

# The authors' names, in parts; transformers took its own for each place in a stage.
ENCODER_STAGE = {"0": "res_unit1", "1": "res_unit2", "2": "res_unit3", "3": "snake1", "4": "conv1"}
DECODER_STAGE = {
    "0": "snake1",
    "1": "conv_t1",
    "2": "res_unit1",
    "3": "res_unit2",
    "4": "res_unit3",
}
UNIT = {"0": "snake1", "1": "conv1", "2": "snake2", "3": "conv2"}

__all__ = ["DacShape", "build", "from_released", "shape_of"]


@dataclass(frozen=True, kw_only=True)
class DacShape:
    """Everything that tells one DAC network from another, as a checkpoint shows it.

    Attributes:
        strides: of the encoder's stages; the decoder has them backwards.
        encoder_channels: of the encoder's first stage; each stage doubles them.
        decoder_channels: of the decoder's first stage; each stage halves them.
        latent: channels between encoder and decoder.
        codebooks, codes, code_dim: residual stages, entries of each, and their size.
    """

    strides: tuple[int, ...]
    encoder_channels: int = 64
    decoder_channels: int = 1536
    latent: int = 1024
    codebooks: int
    codes: int = 1024
    code_dim: int = 8

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    def decoded_samples(self, n_frames: int) -> int:
        """Samples that the decoder makes of some frames: ``hop * L``, less for odd strides."""
        for stride in reversed(self.strides):
            n_frames = n_frames * stride + stride - 2 * math.ceil(stride / 2)
        return n_frames

    def n_frames(self, n_samples: int) -> int:
        """The fewest frames whose decoded wave covers ``n_samples``."""
        n_frames = math.ceil(n_samples / self.hop)
        while self.decoded_samples(n_frames) < n_samples:
            n_frames += 1
        return n_frames

    @property
    def lookahead(self) -> int:
        """Input samples behind its own frame that a decoded sample depends on."""
        frame = 1
        for stride in reversed(self.strides):
            frame = frame * stride + 2 * stride - 1 - math.ceil(stride / 2) + UNIT_REACH
        encoder = frame + KERNEL_REACH - (self.hop - 1)
        sample = self.hop - 1 + KERNEL_REACH
        for stride in self.strides:
            sample = (sample + UNIT_REACH + math.ceil(stride / 2)) // stride
        return encoder + (sample + KERNEL_REACH) * self.hop


def shape_of(tensors: Mapping[str, Tensor]) -> DacShape:
    """The shape of a network from its tensors under transformers' names.

    Raises:
        KeyError: a tensor is absent, so this is no DAC.
    """
    strides: list[int] = []
    while f"encoder.block.{len(strides)}.conv1.weight" in tensors:
        strides.append(tensors[f"encoder.block.{len(strides)}.conv1.weight"].shape[2] // 2)
    codebooks = 0
    while f"quantizer.quantizers.{codebooks}.codebook.weight" in tensors:
        codebooks += 1
    codes, code_dim = tensors["quantizer.quantizers.0.codebook.weight"].shape
    return DacShape(
        strides=tuple(strides),
        encoder_channels=tensors["encoder.conv1.weight"].shape[0],
        decoder_channels=tensors["decoder.conv1.weight"].shape[0],
        latent=tensors["encoder.conv2.weight"].shape[0],
        codebooks=codebooks,
        codes=codes,
        code_dim=code_dim,
    )


def build(shape: DacShape) -> Any:
    """``transformers.DacModel`` of this shape, untrained, on torch's default device."""
    transformers = import_extra("transformers", extra="hf")
    config = transformers.DacConfig(
        encoder_hidden_size=shape.encoder_channels,
        decoder_hidden_size=shape.decoder_channels,
        downsampling_ratios=list(shape.strides),
        n_codebooks=shape.codebooks,
        codebook_size=shape.codes,
        codebook_dim=shape.code_dim,
    )
    # The constructor takes the encoder's last width; the 16 kbit/s model has a narrower latent.
    config.hidden_size = shape.latent
    return transformers.DacModel(config)


def from_released(tensors: Mapping[str, Tensor]) -> Tensors:
    """Tensors of either layout under transformers' names, weight norm folded.

    Takes the files of the ``descript`` repositories, and those of the authors' own releases and
    trainings, where everything may lie below ``state_dict``.
    """
    plain = fold_weight_norm(without_prefix(tensors, "state_dict.") or tensors)
    stages = sum(bool(re.fullmatch(r"encoder\.block\.\d+\.block\.4\.weight", n)) for n in plain)
    if not stages:
        return plain
    return renamed(plain, lambda name: _our_name(name, stages))


def _our_name(name: str, stages: int) -> str:
    side, _, rest = name.partition(".")
    if side == "encoder":
        return f"encoder.{_key(rest.removeprefix('block.'), stages, ENCODER_STAGE)}"
    if side == "decoder":
        return f"decoder.{_key(rest.removeprefix('model.'), stages, DECODER_STAGE)}"
    return name


def _key(rest: str, stages: int, stage_names: Mapping[str, str]) -> str:
    """``3.block.1.block.0.alpha`` becomes ``block.2.res_unit2.snake1.alpha``."""
    index, _, inner = rest.partition(".")
    outside = {0: "conv1", stages + 1: "snake1", stages + 2: "conv2"}
    if int(index) in outside:
        return f"{outside[int(index)]}.{inner}"
    parts = inner.split(".")
    named = stage_names[parts[1]]
    if parts[2] == "block":
        return f"block.{int(index) - 1}.{named}.{UNIT[parts[3]]}.{'.'.join(parts[4:])}"
    return f"block.{int(index) - 1}.{named}.{'.'.join(parts[2:])}"
