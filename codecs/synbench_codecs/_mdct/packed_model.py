"""Whole models with their networks swapped for those of inference on the CPU.

Tokens are equal and waves within rounding, so a codec is the same either way.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from synbench_codecs._mdct.backbone import Decoder, Encoder
from synbench_codecs._mdct.model import Bfloat16, MDCTModel
from synbench_codecs._mdct.packed_backbone import PackedDecoder, PackedEncoder
from synbench_codecs._mdct.packed_predictor import PackedPredictor
from synbench_codecs._mdct.predictor import Predictor
from synbench_codecs._mdct.synergy import SynergyModel

Module = TypeVar("Module", bound=nn.Module)

__all__ = ["packed_codec", "packed_synergy"]


@torch.no_grad()
def packed_codec(model: MDCTModel) -> MDCTModel:
    """A model that shares all but encoder and decoder with the one given."""
    packed, decoder = _shallow(model), model.decoder
    dtype = torch.float32
    if isinstance(decoder, Bfloat16):
        decoder, dtype = decoder.network, torch.bfloat16
    assert isinstance(model.encoder, Encoder) and isinstance(decoder, Decoder)
    packed.encoder = PackedEncoder(model.encoder, model.quantizer)
    packed.decoder = PackedDecoder(decoder, dtype=dtype)
    return packed


@torch.no_grad()
def packed_synergy(model: SynergyModel) -> SynergyModel:
    """Likewise with predictors."""
    packed = _shallow(model)
    packed.codec = packed_codec(model.codec)
    packed.predictors = nn.ModuleList(
        PackedPredictor(predictor)
        for predictor in model.predictors
        if isinstance(predictor, Predictor)
    )
    return packed


def _shallow(module: Module) -> Module:
    """A copy whose parts can be replaced one by one."""
    copied = copy.copy(module)
    copied._modules = dict(module._modules)
    return copied
