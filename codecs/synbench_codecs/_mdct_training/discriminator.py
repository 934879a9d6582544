"""The multi-resolution MDCT discriminator of MDCTCodec, and a multi-period one beside it.

Each branch sees the signed MDCT of a wave as an image of one channel, (frequency, time). Kernels,
strides and paddings are those of the released code; with 64 channels the three branches hold
599,235 parameters beside the gains of their weight normalisation. A period branch sees the wave
folded to an image (samples / period, period), as in HiFi-GAN (Kong et al. 2020) and APCodec.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from synbench_codecs._mdct.transform import MDCT
from synbench_codecs._mdct_training.configuration import Discriminator

# Widths of the layers in channels of the first.
PERIODS, PERIOD_WIDTHS = (2, 3, 5, 7, 11), (1, 4, 16, 32, 32)

__all__ = [
    "Discriminators",
    "MDCTDiscriminator",
    "discriminator_loss",
    "generator_losses",
    "make_discriminator",
]

BINS = (50, 200, 20)
LEAKY_SLOPE = 0.1
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
            x = nn.functional.leaky_relu(layer(x), LEAKY_SLOPE)
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


class PeriodBranch(nn.Module):
    """One period: waves (B, T) to six feature maps, the last one the decision."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, *(channels * width for width in PERIOD_WIDTHS))
        strides = (*(len(PERIOD_WIDTHS) - 1) * (3,), 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (stride, 1), (2, 0)))
            for before, after, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.decision = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> list[Tensor]:
        """Feature maps (B, channels, samples, period) of waves (B, T)."""
        missing = -wave.shape[-1] % self.period
        x = nn.functional.pad(wave[:, None], (0, missing), "reflect")
        x = x.view(len(wave), 1, -1, self.period)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), LEAKY_SLOPE)
            features.append(x)
        features.append(self.decision(x))
        return features


class Discriminators(nn.Module):
    """Both kinds as one: waves (B, T) to the feature maps of all branches."""

    def __init__(self, channels: int, period_channels: int) -> None:
        super().__init__()
        resolutions = [Branch(bins, channels) for bins in BINS]
        periods = [PeriodBranch(period, period_channels) for period in PERIODS]
        self.branches = nn.ModuleList([*resolutions, *periods])

    def forward(self, wave: Tensor) -> list[list[Tensor]]:
        """Feature maps of every branch."""
        return [branch(wave) for branch in self.branches]


def make_discriminator(chosen: Discriminator) -> nn.Module:
    """What a configuration asks for; the smallest one, unused, where it asks for none."""
    if chosen.period_channels:
        return Discriminators(chosen.channels, chosen.period_channels)
    return MDCTDiscriminator(max(chosen.channels, 1))


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
