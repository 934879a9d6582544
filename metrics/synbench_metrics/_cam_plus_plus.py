"""CAM++, a network that tells speakers apart: 80 mel bands in, 192 values out.

Shape letters: B batch, T samples, F mel bands, C channels, L frames.

Densely connected convolutions over time, each scaled by what their channels say on average over
the whole wave and over its stretch of it. The features are Kaldi's, less their mean over time.

Reference:
    H. Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
    Context-Aware Masking", Interspeech 2023, arXiv:2303.00332.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d

from synbench_base.weights import Checkpoint
from synbench_metrics._torch import load_strictly, passes, read_state
from synbench_metrics._weights import find

RATE = 16000
MEL_BANDS = 80
FRAME, SHIFT, FFT = 400, 160, 512
PREEMPHASIS = 0.97
LOWEST_HZ = 20.0
# Kaldi's floor: the smallest step of a float32 above one.
POWER_FLOOR = float(np.finfo(np.float32).eps)
STRETCH_FRAMES = 100
GROWTH, BOTTLENECK = 32, 128
BLOCKS = ((12, 1), (24, 2), (16, 2))

__all__ = ["Network", "embed", "features"]


def embed(checkpoint: Checkpoint, waves: NDArray[Any]) -> NDArray[np.float64]:
    """Embeddings (B, 192) of waves (B, T) of one length, at 16 kHz."""
    network = _network(checkpoint)
    with torch.inference_mode():
        parts = [network(features(batch)).cpu().numpy() for batch in passes(waves, RATE)]
    return np.concatenate(parts).astype(np.float64)


def features(waves: Tensor) -> Tensor:
    """Log mel energies (B, F, L) of waves (B, T), less the mean of each band over time."""
    frames: Tensor = waves.unfold(1, FRAME, SHIFT)
    frames = frames - frames.mean(-1, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
    windowed = (frames - PREEMPHASIS * before) * _window().to(frames)
    power = torch.fft.rfft(windowed, FFT).abs().square()[..., : FFT // 2]
    energies: Tensor = (power @ _bands().to(power)).clamp(min=POWER_FLOOR).log()
    return (energies - energies.mean(1, keepdim=True)).transpose(1, 2)


@functools.cache
def _window() -> Tensor:
    """Kaldi's own: a symmetric Hann window to the power of 0.85."""
    return torch.hann_window(FRAME, periodic=False, dtype=torch.float64).pow(0.85).float()


@functools.cache
def _bands() -> Tensor:
    """Triangles of equal width in mel, (bins, F), from 20 Hz to half the sample rate."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1127.0 * np.log1p(hertz / 700.0)

    lowest, highest = mel(np.array([LOWEST_HZ, RATE / 2]))
    edges = np.linspace(lowest, highest, MEL_BANDS + 2)
    bins = mel(np.arange(FFT // 2) * RATE / FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling))).float()


class _Normed(nn.Module):
    """Batch norm, and a rectifier where wanted, under the checkpoint's names."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(channels, affine=affine)
        self.rectified = affine

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        out: Tensor = self.batchnorm(x)
        return out.relu() if self.rectified else out


class _Masked(nn.Module):
    """A convolution, scaled by the averages of the whole and of each stretch."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, growth, L)."""
        stretches = avg_pool1d(x, STRETCH_FRAMES, STRETCH_FRAMES, ceil_mode=True)
        local = stretches.repeat_interleave(STRETCH_FRAMES, dim=-1)[..., : x.shape[-1]]
        context = x.mean(-1, keepdim=True) + local
        mask = self.linear2(self.linear1(context).relu()).sigmoid()
        out: Tensor = self.linear_local(x) * mask
        return out


class _Dense(nn.Module):
    """(B, C, L) to (B, C + growth, L)."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _Normed(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = _Normed(BOTTLENECK)
        self.cam_layer = _Masked(dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Its own output behind its input."""
        new = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat([x, new], dim=1)


class _Halved(nn.Module):
    """Half the channels: (B, C, L) to (B, C / 2, L)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = _Normed(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C / 2, L)."""
        out: Tensor = self.linear(self.nonlinear(x))
        return out


class _Projected(nn.Module):
    """A convolution with a norm behind it."""

    def __init__(self, convolution: nn.Conv1d, *, affine: bool) -> None:
        super().__init__()
        self.linear = convolution
        self.nonlinear = _Normed(convolution.out_channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C', L')."""
        out: Tensor = self.nonlinear(self.linear(x))
        return out


class _Residual(nn.Module):
    """Two convolutions over bands and time with a shortcut; the first may halve the bands."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(GROWTH, GROWTH, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(GROWTH)
        self.conv2 = nn.Conv2d(GROWTH, GROWTH, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(GROWTH)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(GROWTH, GROWTH, 1, (stride, 1), bias=False))
            self.shortcut.append(nn.BatchNorm2d(GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, L) to (B, C, F / stride, L)."""
        inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        out: Tensor = inner + self.shortcut(x)
        return out.relu()


class _Head(nn.Module):
    """An eighth of the bands, each with 32 channels: (B, F, L) to (B, 4 F, L)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, GROWTH, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(GROWTH)
        self.layer1 = nn.Sequential(_Residual(2), _Residual(1))
        self.layer2 = nn.Sequential(_Residual(2), _Residual(1))
        self.conv2 = nn.Conv2d(GROWTH, GROWTH, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(GROWTH)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, L) to (B, 4 F, L)."""
        inner = self.layer2(self.layer1(self.bn1(self.conv1(x[:, None])).relu()))
        out: Tensor = self.bn2(self.conv2(inner)).relu()
        return out.flatten(1, 2)


class Network(nn.Module):
    """Features (B, F, L) to embeddings (B, 192)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _Head()
        layers: dict[str, nn.Module] = {
            "tdnn": _Projected(nn.Conv1d(4 * MEL_BANDS, 128, 5, 2, 2, bias=False), affine=True)
        }
        channels = 128
        for number, (count, dilation) in enumerate(BLOCKS, 1):
            dense = nn.Sequential()
            for layer in range(1, count + 1):
                dense.add_module(f"tdnnd{layer}", _Dense(channels, dilation))
                channels += GROWTH
            layers |= {f"block{number}": dense, f"transit{number}": _Halved(channels)}
            channels //= 2
        layers["out_nonlinear"] = _Normed(channels)
        self.xvector = nn.ModuleDict(layers)
        last = nn.Conv1d(2 * channels, 192, 1, bias=False)
        self.xvector["dense"] = _Projected(last, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, L) to (B, 192)."""
        frames = self.head(x)
        for name, layer in self.xvector.items():
            if name != "dense":
                frames = layer(frames)
        moments = torch.cat([frames.mean(-1), frames.std(-1)], dim=1)
        out: Tensor = self.xvector["dense"](moments[..., None])
        return out[..., 0]


@functools.cache
def _network(checkpoint: Checkpoint) -> Network:
    (path,) = find(checkpoint)
    return load_strictly(Network, read_state(path), checkpoint.name)
