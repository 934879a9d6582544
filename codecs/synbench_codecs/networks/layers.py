"""Layers that several networks share. Shape letters: B batch, C channels, T samples, L frames."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad

LSTM_LAYERS = 2

__all__ = ["EncoderBlock", "ReflectedConv", "ResidualLSTM"]


class ReflectedConv(nn.Conv1d):
    """A convolution that gives ceil(T / stride) frames, its edges filled by reflection."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C', ceil(T / stride))."""
        total = self.kernel_size[0] - self.stride[0]
        right = total // 2
        left, right = total - right, right + -x.shape[-1] % self.stride[0]
        # A wave too short to be reflected gets zeros behind it first, which are dropped again.
        short = max(0, max(left, right) + 1 - x.shape[-1])
        # Padding by nothing would copy.
        if short:
            x = pad(x, (0, short))
        if left or right:
            x = pad(x, (left, right), mode="reflect")
        out: Tensor = super().forward(x[..., : x.shape[-1] - short])
        return out


class EncoderBlock(nn.Module):
    """(B, C, T) to (B, C, T), with a convolution in the shortcut: the block of SEANet."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ELU(),
            ReflectedConv(channels, channels // 2, 3),
            nn.ELU(inplace=True),
            ReflectedConv(channels // 2, channels, 1),
        )
        self.shortcut = ReflectedConv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C, T)."""
        out: Tensor = self.block(x)
        return out.add_(self.shortcut(x))


class ResidualLSTM(nn.Module):
    """LSTM over time with its input added; both ways, it gives twice the channels."""

    def __init__(self, channels: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, LSTM_LAYERS, bidirectional=bidirectional)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L) or (B, 2 C, L)."""
        steps = x.permute(2, 0, 1)
        shortcut = steps.repeat(1, 1, 2) if self.lstm.bidirectional else steps
        out: Tensor = (self.lstm(steps)[0] + shortcut).permute(1, 2, 0)
        return out
