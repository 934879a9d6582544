"""BigCodec and WavTokenizer written straight from their papers, for comparison: one line per step.

Weight norm is computed at every call, every step makes a new tensor, attention is spelled out, and
the inverse Fourier transform folds its frames. Weights are shared with our networks.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv_transpose1d, fold, pad
from torch.nn.utils.parametrizations import weight_norm

from synbench_codecs.networks import bigcodec as _bigcodec
from synbench_codecs.networks import layers as _layers
from synbench_codecs.networks import wavtokenizer as _wavtokenizer

__all__ = ["eager_bigcodec", "eager_wavtokenizer"]


class EagerActivation(nn.Module):
    def __init__(self, ours: Any) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        ours, channels = self.ours, x.shape[1]
        taps = 2 * ours.up.expand(channels, -1, -1)
        padded = pad(x, (5, 5), mode="replicate")
        up = conv_transpose1d(padded, taps, stride=2, groups=channels)[..., 15:-15]
        sine = torch.sin(up * ours.frequency[:, None])
        up = up + ours.magnitude[:, None] * sine**2
        taps = ours.down.expand(channels, -1, -1)
        return conv1d(pad(up, (5, 6), mode="replicate"), taps, stride=2, groups=channels)


class EagerAttention(nn.Module):
    def __init__(self, ours: Any) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        ours = self.ours
        inner = ours.norm(x)
        query, key, value = ours.q(inner), ours.k(inner), ours.v(inner)
        scores = torch.bmm(query.transpose(1, 2), key) * x.shape[1] ** -0.5
        seen = torch.bmm(value, torch.softmax(scores, 2).transpose(1, 2))
        return x + ours.proj_out(seen)


class EagerConv(nn.Module):
    """A convolution with reflected edges, padded in any case."""

    def __init__(self, ours: Any) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            ours.in_channels, ours.out_channels, ours.kernel_size[0], ours.stride[0]
        )
        self.conv.load_state_dict(ours.state_dict())

    def forward(self, x: Tensor) -> Tensor:
        stride = self.conv.stride[0]
        total = self.conv.kernel_size[0] - stride
        edges = total - total // 2, total // 2 + -x.shape[-1] % stride
        return self.conv(pad(x, edges, mode="reflect"))


def eager_bigcodec(ours: Any) -> Any:
    network = copy.deepcopy(ours)
    _replace(network, _bigcodec.Activation, EagerActivation)
    return _normed(network, network)


def eager_wavtokenizer(ours: Any) -> Any:
    network = copy.deepcopy(ours)
    _replace(network, _layers.ReflectedConv, EagerConv)
    _replace(network, _wavtokenizer.Attention, EagerAttention)
    network._overlapped = lambda frames: _folded(network, frames)
    return _normed(network, network.encoder)


def _folded(network: Any, frames: Tensor) -> Tensor:
    n_fft, hop, n_frames = network.config.n_fft, network.config.hop, frames.shape[1]
    size = (n_frames - 1) * hop + n_fft
    edge = (n_fft - hop) // 2
    added = fold(frames.transpose(1, 2), (1, size), (1, n_fft), stride=(1, hop))
    return added[:, 0, 0, edge:-edge]


def _replace(module: nn.Module, kind: type, by: Any) -> None:
    for name, child in module.named_children():
        if isinstance(child, kind):
            setattr(module, name, by(child))
        else:
            _replace(child, kind, by)


def _normed(network: nn.Module, part: nn.Module) -> nn.Module:
    layers = [m for m in part.modules() if isinstance(m, nn.Conv1d | nn.ConvTranspose1d)]
    for layer in layers:
        weight_norm(layer)
    return network.eval().requires_grad_(False)
