"""The networks of this family as ONNX models, built from their sizes and their weights.

The counterpart of :mod:`~synbench_codecs._mdct.backbone` and
:mod:`~synbench_codecs._mdct.predictor` for a machine without torch: the same layers in the same
order. Which operators there are depends on the sizes alone, so other weights need nothing new.

Shapes: B items, C channels, F frames of the transform, L tokens, K components of a latent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._mdct.sizes import BackboneConfig, PredictorConfig
from synbench_codecs.support.onnx_graph import Graph
from synbench_codecs.support.safetensors_file import Arrays

BACKBONE_EPSILON, PREDICTOR_EPSILON = 1e-6, 1e-5
SMALLEST_ENERGY = 1e-24
# ONNX stacks the gates of a recurrent layer as input, output, forget, cell; torch as i, f, c, o.
GATES = (0, 3, 1, 2)

__all__ = ["decoder_graph", "encoder_graph", "folded", "predictor_graph"]


def folded(arrays: Arrays) -> Arrays:
    """Plain weights in place of normalised ones: direction times length, over all but axis 0."""
    plain = {}
    for name, array in arrays.items():
        stem, _, part = name.partition(".parametrizations.weight.")
        if part == "original1":
            axes = tuple(range(1, array.ndim))
            norm = np.sqrt(np.square(array).sum(axis=axes, keepdims=True))
            length = arrays[f"{stem}.parametrizations.weight.original0"]
            plain[f"{stem}.weight"] = array * (length / norm)
        elif not part:
            plain[name] = array
    return plain


def encoder_graph(config: BackboneConfig, weights: Arrays) -> bytes:
    """Coefficients (B, bins, F) to a latent (B, K, L)."""
    layers = _Layers("encoder", weights)
    x = layers.graph.take("coefficients", "B", config.bins, "F")
    x = layers.trunk(x, "encoder.trunk", config)
    x = layers.convolution(x, "encoder.down", stride=config.ratio)
    layers.graph.give("latent", layers.convolution(x, "encoder.latent"), "B", config.latent, "L")
    return layers.graph.to_bytes()


def decoder_graph(config: BackboneConfig, weights: Arrays) -> bytes:
    """A latent (B, K, L) to coefficients (B, bins, ratio L)."""
    layers = _Layers("decoder", weights)
    x = layers.graph.take("vectors", "B", config.latent, "L")
    x = layers.convolution(x, "decoder.latent")
    x = layers.graph.op(
        "ConvTranspose",
        x,
        weights["decoder.up.weight"],
        weights["decoder.up.bias"],
        kernel_shape=[2 * config.ratio],
        strides=[config.ratio],
        pads=[config.ratio // 2] * 2,
    )
    x = layers.convolution(layers.trunk(x, "decoder.trunk", config), "decoder.out")
    layers.graph.give("coefficients", x, "B", config.bins, "F")
    return layers.graph.to_bytes()


def predictor_graph(config: PredictorConfig, weights: Arrays, prefix: str) -> bytes:
    """Running sums (B, L, K) to logits (B, L, codes)."""
    layers = _Layers("predictor", weights)
    x = layers.graph.take("sums", "B", "L", config.latent)
    x = layers.linear(x, f"{prefix}.input")
    for number in range(config.blocks):
        x = layers.conformer(x, f"{prefix}.blocks.{number}", config)
    x = layers.lstm(x, f"{prefix}.lstm", config)
    layers.graph.give("logits", layers.linear(x, f"{prefix}.output"), "B", "L", config.codes)
    return layers.graph.to_bytes()


class _Layers:
    """Layers by the names of their weights."""

    def __init__(self, name: str, weights: Arrays) -> None:
        self.graph = Graph(name)
        self.weights = weights

    def convolution(self, x: str, name: str, *, stride: int = 1, groups: int = 1) -> str:
        """Over time, zeros at both ends; (B, C, F)."""
        kernel = self.weights[f"{name}.weight"].shape[-1]
        made: str = self.graph.op(
            "Conv",
            x,
            self.weights[f"{name}.weight"],
            self.weights[f"{name}.bias"],
            kernel_shape=[kernel],
            pads=[kernel // 2] * 2,
            strides=[stride],
            group=groups,
        )
        return made

    def linear(self, x: str, name: str) -> str:
        return self.affine(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def affine(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        made: str = self.graph.op("Add", self.graph.op("MatMul", x, weight.T), bias)
        return made

    def norm(self, x: str, name: str, epsilon: float) -> str:
        made: str = self.graph.op(
            "LayerNormalization",
            x,
            self.weights[f"{name}.weight"],
            self.weights[f"{name}.bias"],
            axis=-1,
            epsilon=epsilon,
        )
        return made

    def turned(self, x: str) -> str:
        """(B, C, F) to (B, F, C) and back."""
        made: str = self.graph.op("Transpose", x, perm=[0, 2, 1])
        return made

    def trunk(self, x: str, name: str, config: BackboneConfig) -> str:
        """ConvNeXt v2 blocks; (B, in, F) to (B, C, F)."""
        x = self.turned(self.convolution(x, f"{name}.embed"))
        x = self.turned(self.norm(x, f"{name}.norm", BACKBONE_EPSILON))
        for number in range(config.blocks):
            x = self.backbone_block(x, f"{name}.blocks.{number}", config)
        inner = self.norm(self.turned(x), f"{name}.final_norm", BACKBONE_EPSILON)
        return self.turned(self.linear(inner, f"{name}.out"))

    def backbone_block(self, x: str, name: str, config: BackboneConfig) -> str:
        inner = self.turned(self.convolution(x, f"{name}.depthwise", groups=config.channels))
        inner = self.linear(self.norm(inner, f"{name}.norm", BACKBONE_EPSILON), f"{name}.expand")
        inner = self.response(self.gelu(inner), f"{name}.response")
        made: str = self.graph.op("Add", x, self.turned(self.linear(inner, f"{name}.project")))
        return made

    def response(self, x: str, name: str) -> str:
        """Response normalisation by the energy over time; (B, F, C)."""
        op = self.graph.op
        energy = op("ReduceSum", op("Mul", x, x), np.array([1]), keepdims=1)
        norm = op("Sqrt", op("Max", energy, SMALLEST_ENERGY))
        mean = op("ReduceMean", norm, axes=[-1], keepdims=1)
        ratio = op("Div", norm, op("Add", mean, 1e-6))
        scale = op("Add", op("Mul", ratio, self.weights[f"{name}.gamma"]), 1.0)
        made: str = op("Add", op("Mul", x, scale), self.weights[f"{name}.beta"])
        return made

    def gelu(self, x: str) -> str:
        op = self.graph.op
        error = op("Add", op("Erf", op("Div", x, float(np.sqrt(2)))), 1.0)
        made: str = op("Mul", op("Mul", x, error), 0.5)
        return made

    def silu(self, x: str) -> str:
        made: str = self.graph.op("Mul", x, self.graph.op("Sigmoid", x))
        return made

    def conformer(self, x: str, name: str, config: PredictorConfig) -> str:
        """Half feed-forward, attention, convolution, half feed-forward, norm; (B, L, C)."""
        op = self.graph.op
        x = op("Add", x, op("Mul", self.feed_forward(x, f"{name}.first"), 0.5))
        inner = self.norm(x, f"{name}.attention_norm", PREDICTOR_EPSILON)
        x = op("Add", x, self.attention(inner, f"{name}.attention", config))
        x = op("Add", x, self.gated(x, f"{name}.convolution", config))
        x = op("Add", x, op("Mul", self.feed_forward(x, f"{name}.second"), 0.5))
        return self.norm(x, f"{name}.norm", PREDICTOR_EPSILON)

    def feed_forward(self, x: str, name: str) -> str:
        inner = self.linear(self.norm(x, f"{name}.0", PREDICTOR_EPSILON), f"{name}.1")
        return self.linear(self.silu(inner), f"{name}.4")

    def attention(self, x: str, name: str, config: PredictorConfig) -> str:
        """Every token to every other of its item; (B, L, C)."""
        op, size = self.graph.op, config.channels // config.heads
        together = self.affine(
            x, self.weights[f"{name}.in_proj_weight"], self.weights[f"{name}.in_proj_bias"]
        )
        split = op("Split", together, np.array([config.channels] * 3), outputs=3, axis=2)
        shape = np.array([0, 0, config.heads, size])
        query, key, value = (op("Reshape", one, shape) for one in split)
        query = op("Transpose", query, perm=[0, 2, 1, 3])
        key = op("Transpose", key, perm=[0, 2, 3, 1])
        value = op("Transpose", value, perm=[0, 2, 1, 3])
        scores = op("MatMul", op("Mul", query, float(size**-0.5)), key)
        mixed = op("MatMul", op("Softmax", scores, axis=-1), value)
        mixed = op("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = op("Reshape", mixed, np.array([0, 0, config.channels]))
        return self.linear(mixed, f"{name}.out_proj")

    def gated(self, x: str, name: str, config: PredictorConfig) -> str:
        """Gated pointwise and depthwise convolution over time; (B, L, C)."""
        op, inner = self.graph.op, 2 * config.channels
        x = self.turned(self.norm(x, f"{name}.norm", PREDICTOR_EPSILON))
        x = self.convolution(x, f"{name}.layers.0")
        halves = op("Split", x, np.array([inner, inner]), outputs=2, axis=1)
        x = op("Mul", halves[0], op("Sigmoid", halves[1]))
        x = self.convolution(x, f"{name}.layers.2", groups=inner)
        parts = ("weight", "bias", "running_mean", "running_var")
        statistics = [self.weights[f"{name}.layers.3.{part}"] for part in parts]
        x = op("BatchNormalization", x, *statistics, epsilon=PREDICTOR_EPSILON)
        return self.turned(self.convolution(self.silu(x), f"{name}.layers.5"))

    def lstm(self, x: str, name: str, config: PredictorConfig) -> str:
        """Both directions over time; (B, L, C)."""
        op = self.graph.op
        x = op("Transpose", x, perm=[1, 0, 2])
        for layer in range(config.lstm_layers):
            ends = [f"_l{layer}", f"_l{layer}_reverse"]
            weight = np.stack([_gates(self.weights[f"{name}.weight_ih{end}"]) for end in ends])
            again = np.stack([_gates(self.weights[f"{name}.weight_hh{end}"]) for end in ends])
            biases = [
                np.concatenate(
                    [_gates(self.weights[f"{name}.bias_{part}{end}"]) for part in ("ih", "hh")]
                )
                for end in ends
            ]
            made = op(
                "LSTM",
                x,
                weight,
                again,
                np.stack(biases),
                hidden_size=config.channels // 2,
                direction="bidirectional",
            )
            made = op("Transpose", made, perm=[0, 2, 1, 3])  # (L, B, direction, C / 2)
            x = op("Reshape", made, np.array([0, 0, config.channels]))
        turned: str = op("Transpose", x, perm=[1, 0, 2])
        return turned


def _gates(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of the four gates in ONNX's order."""
    quarters = np.split(array, 4)
    return np.concatenate([quarters[gate] for gate in GATES])
