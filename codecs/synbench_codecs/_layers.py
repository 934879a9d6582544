"""Layers that several networks share. Shape letters: B batch, C channels, L frames."""

from __future__ import annotations

from torch import Tensor, nn

LSTM_LAYERS = 2

__all__ = ["ResidualLSTM"]


class ResidualLSTM(nn.Module):
    """LSTM over time with its input added; (B, C, L) to (B, C, L)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, LSTM_LAYERS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        steps = x.permute(2, 0, 1)
        out: Tensor = (self.lstm(steps)[0] + steps).permute(1, 2, 0)
        return out
