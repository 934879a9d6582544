"""WavLM fine-tuned to tell speakers apart: an ECAPA-TDNN that hears all layers of WavLM.

Shape letters: B batch, T samples, L frames of 20 ms, H hidden values of WavLM, C channels.

The checkpoint is the authors', one file with both parts. WavLM's own network is that of
transformers; its tensors have other names there (:data:`NAMES`). The sizes are those of the file,
so that a small one can be made for tests.

References:
    S. Chen et al., "WavLM", IEEE J. Sel. Top. Signal Process. 16(6), 2022, section V-C.
    B. Desplanques, J. Thienpondt, K. Demuynck, "ECAPA-TDNN", Interspeech 2020.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from synbench_base.errors import Unavailable
from synbench_base.weights import Checkpoint
from synbench_metrics._torch import load_strictly, passes, read_state
from synbench_metrics._weights import find

RATE = 16000
STRIDES = (5, 2, 2, 2, 2, 2, 2)
# Groups of channels in a block, of which each is added to the next.
BRANCHES = 8
DILATIONS = (2, 3, 4)
LEAST_VARIANCE = 1e-9
# Added to features before they are normalised, as in training.
FEATURE_OFFSET = 1e-6
FRONT = "feature_extract.model."
# Of training's loss; in the published file, and of no use here.
LOSS = "loss_calculator."
# Names in the file, and what transformers calls the same; applied in this order.
NAMES = (
    (r"^mask_emb$", "masked_spec_embed"),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"(conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"(conv_layers\.\d+)\.2\.1\.", r"\1.layer_norm."),
    (r"pos_conv\.0\.weight_g$", "pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"pos_conv\.0\.weight_v$", "pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"pos_conv\.0\.bias$", "pos_conv_embed.conv.bias"),
    (r"self_attn_layer_norm\.", "layer_norm."),
    (r"self_attn\.grep_linear\.", "attention.gru_rel_pos_linear."),
    (r"self_attn\.grep_a$", "attention.gru_rel_pos_const"),
    (r"self_attn\.relative_attention_bias\.", "attention.rel_attn_embed."),
    (r"self_attn\.", "attention."),
    (r"fc1\.", "feed_forward.intermediate_dense."),
    (r"fc2\.", "feed_forward.output_dense."),
)

__all__ = ["embed"]


def embed(checkpoint: Checkpoint, waves: NDArray[Any]) -> NDArray[np.float64]:
    """Vectors (B, 256) of waves (B, T) of one length, at 16 kHz.

    Raises:
        Unavailable: the file is absent, or not that of such a network.
    """
    network = _network(checkpoint)
    with torch.inference_mode():
        parts = [network(batch).cpu().numpy() for batch in passes(waves, RATE)]
    return np.concatenate(parts).astype(np.float64)


@functools.cache
def _network(checkpoint: Checkpoint) -> Any:
    """The network, built once per process."""
    (path,) = find(checkpoint)
    content = read_state(path)
    state = content.get("model", content) if isinstance(content, Mapping) else {}
    tensors = {
        _renamed(name): tensor for name, tensor in state.items() if not name.startswith(LOSS)
    }
    try:
        make = functools.partial(_Verifier, tensors)
        return load_strictly(make, tensors, checkpoint.name)
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise Unavailable(f"{path} is no WavLM with an ECAPA-TDNN: it lacks {error}") from error


def _renamed(name: str) -> str:
    if not name.startswith(FRONT):
        return name
    inner = name.removeprefix(FRONT)
    for pattern, replacement in NAMES:
        inner = re.sub(pattern, replacement, inner)
    return f"wavlm.{inner}"


class _Verifier(nn.Module):
    """Waves (B, T) to vectors (B, E), with sizes as the tensors have them."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        channels, hidden, _ = tensors["layer1.conv.weight"].shape
        last = tensors["conv.weight"].shape[0]
        attention = tensors["pooling.linear1.weight"].shape[0]
        squeezed = tensors["layer2.SE_Connect.linear1.weight"].shape[0]
        self.wavlm = _wavlm(tensors)
        self.feature_weight = nn.Parameter(torch.empty(tensors["feature_weight"].shape))
        self.layer1 = _Convolution(hidden, channels, 5, 1)
        self.layer2, self.layer3, self.layer4 = (
            _Block(channels, squeezed, dilation) for dilation in DILATIONS
        )
        self.conv = nn.Conv1d(len(DILATIONS) * channels, last, 1)
        self.pooling = _Pooling(last, attention)
        self.bn = nn.BatchNorm1d(2 * last)
        self.linear = nn.Linear(2 * last, tensors["linear.weight"].shape[0])

    def forward(self, waves: Tensor) -> Tensor:
        """(B, T) to (B, E)."""
        normalised = functional.layer_norm(waves, waves.shape[-1:])
        output = self.wavlm(normalised, output_hidden_states=True)
        # The last one after the norm behind all layers, which some versions leave out there.
        layers = (*output.hidden_states[:-1], output.last_hidden_state)
        shares = self.feature_weight.softmax(0)
        mixed = sum(share * layer for share, layer in zip(shares, layers, strict=True))
        features = cast(Tensor, mixed).transpose(1, 2) + FEATURE_OFFSET  # (B, H, L)
        heard = self.layer1(functional.instance_norm(features))
        outputs = []
        for block in (self.layer2, self.layer3, self.layer4):
            heard = block(heard)
            outputs.append(heard)
        joined = self.conv(torch.cat(outputs, dim=1)).relu()
        return cast(Tensor, self.linear(self.bn(self.pooling(joined))))


def _wavlm(tensors: Mapping[str, Tensor]) -> nn.Module:
    """WavLM of transformers, without weights yet."""
    transformers: Any = importlib.import_module("transformers")

    def count(pattern: str) -> int:
        """Numbers that occur in names of this pattern."""
        return len({match[1] for name in tensors if (match := re.match(pattern, name))})

    convolutions = [
        tensors[f"wavlm.feature_extractor.conv_layers.{layer}.conv.weight"]
        for layer in range(count(r"wavlm\.feature_extractor\.conv_layers\.(\d+)\."))
    ]
    first = "wavlm.encoder.layers.0."
    buckets, heads = tensors[f"{first}attention.rel_attn_embed.weight"].shape
    positions = tensors["wavlm.encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    hidden = positions.shape[0]
    return cast(
        nn.Module,
        transformers.WavLMModel(
            transformers.WavLMConfig(
                hidden_size=hidden,
                num_hidden_layers=count(r"wavlm\.encoder\.layers\.(\d+)\."),
                num_attention_heads=heads,
                intermediate_size=tensors[f"{first}feed_forward.intermediate_dense.weight"].shape[
                    0
                ],
                conv_dim=tuple(weight.shape[0] for weight in convolutions),
                conv_kernel=tuple(weight.shape[2] for weight in convolutions),
                conv_stride=STRIDES,
                conv_bias=False,
                feat_extract_norm="layer",
                do_stable_layer_norm=True,
                num_conv_pos_embeddings=positions.shape[2],
                num_conv_pos_embedding_groups=hidden // positions.shape[1],
                num_buckets=buckets,
                max_bucket_distance=800,
                apply_spec_augment=False,
                layerdrop=0.0,
            )
        ),
    )


class _Convolution(nn.Module):
    """A convolution of unchanged length, a rectifier, a batch norm: (B, C, L) to (B, C', L)."""

    def __init__(self, before: int, after: int, width: int, dilation: int) -> None:
        super().__init__()
        padding = dilation * (width - 1) // 2
        self.conv = nn.Conv1d(before, after, width, padding=padding, dilation=dilation)
        self.bn = nn.BatchNorm1d(after)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.bn(self.conv(x).relu()))


class _Branches(nn.Module):
    """Groups of channels, each convolved after the output of the one before it is added."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        width = channels // BRANCHES
        self.convs = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
            for _ in range(BRANCHES - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(BRANCHES - 1))

    def forward(self, x: Tensor) -> Tensor:
        *groups, untouched = x.chunk(BRANCHES, dim=1)
        outputs: list[Tensor] = []
        for group, convolution, norm in zip(groups, self.convs, self.bns, strict=True):
            added = group + outputs[-1] if outputs else group
            outputs.append(norm(convolution(added).relu()))
        return torch.cat([*outputs, untouched], dim=1)


class _Squeeze(nn.Module):
    """Channels scaled by what all of them are on average."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, squeezed)
        self.linear2 = nn.Linear(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.linear2(self.linear1(x.mean(2)).relu()).sigmoid()
        return x * cast(Tensor, scale)[..., None]


class _Block(nn.Module):
    """Three convolutions and a scale, added to what came in; names are the checkpoint's."""

    def __init__(self, channels: int, squeezed: int, dilation: int) -> None:
        super().__init__()
        self.Conv1dReluBn1 = _Convolution(channels, channels, 1, 1)
        self.Res2Conv1dReluBn = _Branches(channels, dilation)
        self.Conv1dReluBn2 = _Convolution(channels, channels, 1, 1)
        self.SE_Connect = _Squeeze(channels, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.Conv1dReluBn2(self.Res2Conv1dReluBn(self.Conv1dReluBn1(x)))
        return cast(Tensor, x + self.SE_Connect(inner))


class _Pooling(nn.Module):
    """Mean and deviation over time with learnt weights: (B, C, L) to (B, 2 C)."""

    def __init__(self, channels: int, attention: int) -> None:
        super().__init__()
        self.linear1 = nn.Conv1d(channels, attention, 1)
        self.linear2 = nn.Conv1d(attention, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.linear2(self.linear1(x).tanh()).softmax(dim=2)
        mean = (weights * x).sum(2)
        variance = (weights * x.square()).sum(2) - mean.square()
        return torch.cat([mean, variance.clamp(min=LEAST_VARIANCE).sqrt()], dim=1)
