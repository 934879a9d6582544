"""Weights drawn by name, the same wherever they are drawn, so that no checkpoint has to be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_weights"]


def drawn_weights(
    shapes: Mapping[str, Sequence[int]], *, seed: int, gains: Mapping[str, float]
) -> dict[str, NDArray[np.float32]]:
    """Tensors in the order of their names, scaled by what they are so that a wave gets through.

    ``gains`` are those of convolutions with weight norm, by the first word of their names.
    """
    generator = np.random.default_rng(seed)
    return {
        name: np.ascontiguousarray(
            _scaled(
                name, generator.standard_normal(shapes[name]), gains.get(name.split(".")[0], 1.0)
            ),
            dtype=np.float32,
        )
        for name in sorted(shapes)
    }


def _scaled(name: str, normal: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    kind = name.rsplit(".", 1)[-1]
    if kind in ("inited", "cluster_size"):
        return np.ones_like(normal)
    if kind == "window":
        return np.sin(np.pi * np.arange(normal.size) / normal.size) ** 2
    if kind == "filter":  # a low-pass of linear phase
        taps = 1 / normal.shape[-1] + 0.02 * normal
        return (taps + taps[..., ::-1]) / 2
    if kind in ("weight_v", "embed", "embed_avg") or "codebook" in name:
        return normal
    if "shift" in name or "bias" in kind:
        return 0.02 * normal
    if kind in ("alpha", "beta"):
        return 0.3 * normal
    if kind == "weight_g":
        return gain * (1 + 0.1 * normal)
    if kind == "gamma" or "scale" in name or normal.ndim == 1:
        return 1 + 0.1 * normal
    return normal / math.sqrt(math.prod(normal.shape[1:]))
