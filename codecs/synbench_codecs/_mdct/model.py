"""MDCTCodec: MDCT, encoder, residual quantizer, decoder. It is also P2PSynCodec's teacher."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from synbench_codecs._mdct.backbone import BackboneConfig, Decoder, Encoder
from synbench_codecs._mdct.quantizer import Quantized, ResidualQuantizer, Search
from synbench_codecs._mdct.transform import MDCT

__all__ = ["CodecConfig", "LengthRule", "MDCTModel", "fold_weight_norm"]

LengthRule = Literal["floor", "padded"]


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """Everything that shapes the model; defaults as published for 16 kHz.

    Attributes:
        length_rule: ``floor`` drops the unfilled last frame, as the published P2PSynCodec audio
            does; ``padded`` fills up with zeros to whole tokens, as the released MDCTCodec wants.
    """

    sample_rate: int = 16000
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    codebooks: int = 4
    codes: int = 1024
    search: Search = "cosine"
    length_rule: LengthRule = "floor"

    @property
    def hop(self) -> int:
        """Samples per token."""
        return self.backbone.bins * self.backbone.ratio

    def n_tokens(self, n_samples: int) -> int:
        """Tokens per codebook of a wave of ``n_samples``."""
        bins, ratio = self.backbone.bins, self.backbone.ratio
        if self.length_rule == "floor":
            return n_samples // bins // ratio + 1
        return -(-(-(-n_samples // bins) + 1) // ratio)

    def n_output(self, n_samples: int) -> int:
        """Samples that the decoder gives for a wave of ``n_samples``."""
        return self.hop * self.n_tokens(n_samples) - self.backbone.bins

    @classmethod
    def from_json(cls, record: dict[str, object]) -> CodecConfig:
        """What :func:`dataclasses.asdict` gave."""
        known = dict(record)
        backbone = known.pop("backbone", {})
        assert isinstance(backbone, dict)
        return cls(backbone=BackboneConfig(**backbone), **known)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, object]:
        """A JSON-ready dictionary."""
        return dataclasses.asdict(self)


class MDCTModel(nn.Module):
    """The whole codec as one module."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.mdct = MDCT(config.backbone.bins)
        self.encoder = Encoder(config.backbone)
        self.quantizer = ResidualQuantizer(
            codebooks=config.codebooks,
            codes=config.codes,
            latent=config.backbone.latent,
            search=config.search,
        )
        self.decoder = Decoder(config.backbone)

    def forward(
        self, wave: Tensor, refresh: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Quantized]:
        """Coefficients in and out (B, bins, F) and the quantized latent of waves (B, T)."""
        coefficients = self.mdct(wave)
        quantized = self.quantizer(self.encoder(coefficients), refresh)
        return coefficients, self.decoder(quantized.vectors), quantized

    def encode(self, wave: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T)."""
        if self.config.length_rule == "padded":
            missing = self.config.n_output(wave.shape[-1]) - wave.shape[-1]
            wave = nn.functional.pad(wave, (0, missing))
        quantized: Quantized = self.quantizer(self.encoder(self.mdct(wave)))
        return quantized.tokens

    def decode(self, vectors: Tensor) -> Tensor:
        """Waves (B, hop * L - bins) of summed code vectors (B, K, L)."""
        return self.mdct.inverse(self.decoder(vectors))


def fold_weight_norm(model: nn.Module) -> None:
    """Replace every normalised weight by its value; only for inference."""
    for module in model.modules():
        if nn.utils.parametrize.is_parametrized(module, "weight"):
            nn.utils.parametrize.remove_parametrizations(module, "weight")
