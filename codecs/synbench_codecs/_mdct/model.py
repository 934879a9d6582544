"""MDCTCodec: MDCT, encoder, residual quantizer, decoder. It is also P2PSynCodec's teacher."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synbench_codecs._mdct.backbone import Decoder, Encoder
from synbench_codecs._mdct.quantizer import Quantized, ResidualQuantizer
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs._mdct.transform import MDCT

__all__ = ["Bfloat16", "MDCTModel", "fold_weight_norm"]


class MDCTModel(nn.Module):
    """The whole codec as one module."""

    def __init__(self, config: CodecConfig, *, usage_decay: float = 0.99) -> None:
        super().__init__()
        self.config = config
        self.mdct = MDCT(config.backbone.bins)
        self.encoder: nn.Module = Encoder(config.backbone)
        self.quantizer = ResidualQuantizer(
            codebooks=config.codebooks,
            codes=config.codes,
            latent=config.backbone.latent,
            search=config.search,
            usage_decay=usage_decay,
        )
        self.decoder: nn.Module = Decoder(config.backbone)

    def forward(
        self,
        wave: Tensor,
        refresh: torch.Generator | None = None,
        first_alone: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Quantized]:
        """Coefficients in and out (B, bins, F) and the quantized latent of waves (B, T).

        ``refresh`` and ``first_alone`` as in :class:`ResidualQuantizer`.
        """
        # Transform and quantizer stay in float32 under mixed precision.
        with torch.autocast(wave.device.type, enabled=False):
            coefficients = self.mdct(wave)
        latent = self.encoder(coefficients)
        with torch.autocast(wave.device.type, enabled=False):
            quantized = self.quantizer(latent.float(), refresh, first_alone)
        return coefficients, self.decoder(quantized.vectors).float(), quantized

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

    def decode_whole_hops(self, vectors: Tensor) -> Tensor:
        """Waves (B, hop * L): as :meth:`decode`, and zeros where the last frame has no successor.

        Those samples may lie inside the input, whose unfilled last frame was never coded.
        """
        return nn.functional.pad(self.decode(vectors), (0, self.config.backbone.bins))


class Bfloat16(nn.Module):
    """A network that multiplies in bfloat16; weights, input, output and norms are float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """What the network gives, rounded on the way."""
        with torch.autocast(x.device.type, torch.bfloat16):
            out: Tensor = self.network(x)
        return out.float()


def fold_weight_norm(model: nn.Module) -> None:
    """Replace every normalised weight by its value; only for inference."""
    for module in model.modules():
        if nn.utils.parametrize.is_parametrized(module, "weight"):
            nn.utils.parametrize.remove_parametrizations(module, "weight")
