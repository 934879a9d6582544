"""The multi-resolution MDCT discriminator of MDCTCodec.

Each branch sees the signed MDCT of a wave as an image of one channel, (frequency, time). Kernels,
strides and paddings are those of the released code; with 64 channels the three branches hold
599,235 parameters beside the gains of their weight normalisation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from synbench_codecs._mdct.transform import MDCT

__all__ = ["MDCTDiscriminator", "discriminator_loss", "generator_losses"]

BINS = (50, 200, 20)
SLOPE = 0.1
# kernel, stride, padding over (frequency, time)
LAYERS = (
    ((7, 5), (2, 2), (3, 2)),
    ((5, 3), (2, 1), (2, 1)),
    ((5, 3), (2, 2), (2, 1)),
    ((3, 3), (2, 1), (1, 1)),
    ((3, 3), (2, 2), (1, 1)),
)


class Branch(nn.Module):
    """One resolution: waves (B, T) to six feature maps, the last one the decision."""

    def __init__(self, bins: int, channels: int) -> None:
        super().__init__()
        self.mdct = MDCT(bins)
        inputs = (1, *(len(LAYERS) - 1) * (channels,))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, channels, kernel, stride, padding))
            for before, (kernel, stride, padding) in zip(inputs, LAYERS, strict=True)
        )
        self.decision = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> list[Tensor]:
        """Feature maps (B, channels, frequency, time) of waves (B, T)."""
        with torch.autocast(wave.device.type, enabled=False):
            x = self.mdct(wave.float())[:, None]
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), SLOPE)
            features.append(x)
        features.append(self.decision(x))
        return features


class MDCTDiscriminator(nn.Module):
    """Three branches; waves (B, T) to a list of feature maps for each."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Branch(bins, channels) for bins in BINS)

    def forward(self, wave: Tensor) -> list[list[Tensor]]:
        """Feature maps of every branch."""
        return [branch(wave) for branch in self.branches]


def discriminator_loss(real: list[list[Tensor]], decoded: list[list[Tensor]]) -> Tensor:
    """Hinge loss, summed over the branches."""
    terms = [
        nn.functional.relu(1 - on_real[-1].float()).mean()
        + nn.functional.relu(1 + on_decoded[-1].float()).mean()
        for on_real, on_decoded in zip(real, decoded, strict=True)
    ]
    return torch.stack(terms).sum()


def generator_losses(
    real: list[list[Tensor]], decoded: list[list[Tensor]]
) -> tuple[Tensor, Tensor]:
    """Hinge loss of the codec, and L1 distance of all feature maps, both summed."""
    hinge = [nn.functional.relu(1 - branch[-1].float()).mean() for branch in decoded]
    matching = [
        nn.functional.l1_loss(after.float(), before.float().detach())
        for on_real, on_decoded in zip(real, decoded, strict=True)
        for before, after in zip(on_real, on_decoded, strict=True)
    ]
    return torch.stack(hinge).sum(), torch.stack(matching).sum()
