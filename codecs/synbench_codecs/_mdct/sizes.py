"""Sizes of the networks, and the rules that follow from them; no torch is needed to know them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

LengthRule = Literal["floor", "padded"]
Search = Literal["cosine", "euclidean"]

__all__ = ["BackboneConfig", "CodecConfig", "LengthRule", "PredictorConfig", "Search"]


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Sizes of encoder and decoder; the defaults are the published ones."""

    bins: int = 40
    channels: int = 256
    hidden: int = 512
    blocks: int = 8
    ratio: int = 8
    latent: int = 32


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

    @property
    def frame_rate_hz(self) -> Fraction:
        """Tokens per second and codebook."""
        return Fraction(self.sample_rate, self.hop)

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
    def from_json(cls, record: dict[str, Any]) -> CodecConfig:
        """What :func:`dataclasses.asdict` gave."""
        known = dict(record)
        backbone = known.pop("backbone", {})
        return cls(backbone=BackboneConfig(**backbone), **known)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class PredictorConfig:
    """Sizes of one predictor; the defaults print the paper's parameter count and cost."""

    latent: int = 32
    codes: int = 1024
    channels: int = 256
    heads: int = 8
    blocks: int = 3
    kernel: int = 31
    expansion: int = 4
    lstm_layers: int = 2
    dropout: float = 0.1
