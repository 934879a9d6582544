"""A trained model without torch: its networks on ONNX Runtime, all else in NumPy.

The counterpart of :class:`~synbench_codecs._mdct.model.MDCTModel` and
:class:`~synbench_codecs._mdct.synergy.SynergyModel`: the same tokens, and waves that are equal
within rounding. Everything is float32, as there.

Shapes: B items, T samples, F frames of the transform, L tokens, K components, Q stages, N codes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench_base.onnx_runtime import session
from synbench_codecs._mdct.graphs import decoder_graph, encoder_graph, folded, predictor_graph
from synbench_codecs._mdct.header import read_header
from synbench_codecs._mdct.sizes import Search
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.safetensors_file import Arrays, read_arrays

Floats = NDArray[np.float32]
Tokens = NDArray[np.int64]
Network = Callable[[Floats], Floats]

PREDICTORS = "pseudo_quantizers.predictors"
# torch's own bound in `normalize`.
SMALLEST_NORM = np.float32(1e-12)
RANDOM_SEED = 0

__all__ = ["PortableModel", "forward_transform", "inverse_transform"]


class PortableModel:
    """Encoder, quantizer, predictors and decoder of a file that ``synbench train`` wrote.

    Args:
        path: the file.
        sent: how many of its stages travel.

    Raises:
        WeightsError: truncated, another sort of file, or a tensor is absent.
    """

    def __init__(self, path: Path, *, sent: int) -> None:
        self.header = read_header(path)
        self.config = self.header.codec
        self.sent = sent
        weights = folded(read_arrays(path))
        backbone = self.config.backbone
        try:
            self._encoder = _network(encoder_graph(backbone, weights))
            self._decoder = _network(decoder_graph(backbone, weights))
            self._stages = [
                _Stage(weights, number, search=self.config.search)
                for number in range(self.config.codebooks)
            ]
            self._predictors = [
                _network(predictor_graph(self.header.predictors, weights, f"{PREDICTORS}.{number}"))
                for number in range(self.header.pseudo)
                if self.header.predictors is not None
            ]
        except KeyError as error:
            raise WeightsError(
                f"{path} does not fit the model: {error.args[0]} is absent"
            ) from None

    def encode(self, waves: Floats) -> Tokens:
        """The tokens that are sent, (B, Q, L), of waves (B, T)."""
        if self.config.length_rule == "padded":
            missing = self.config.n_output(waves.shape[-1]) - waves.shape[-1]
            waves = np.pad(waves, ((0, 0), (0, missing)))
        latent = self._encoder(forward_transform(waves, self.config.backbone.bins))
        tokens = []
        for stage in self._stages[: self.sent]:
            chosen, vectors = stage.quantized(latent)
            latent = latent - vectors
            tokens.append(chosen)
        return np.stack(tokens, 1)

    def decode(self, vectors: Floats) -> Floats:
        """Waves (B, hop L) of summed code vectors (B, K, L); the last ``bins`` are zeros."""
        wave = inverse_transform(self._decoder(vectors), self.config.backbone.bins)
        return np.pad(wave, ((0, 0), (0, self.config.backbone.bins)))

    def looked_up(self, tokens: Tokens) -> Floats:
        """The sum (B, K, L) of the vectors of tokens (B, Q, L)."""
        vectors = self._stages[0].lookup(tokens[:, 0])
        for number in range(1, tokens.shape[1]):
            vectors = vectors + self._stages[number].lookup(tokens[:, number])
        return vectors

    def completed(self, tokens: Tokens, *, how: str) -> Floats:
        """Summed vectors (B, K, L) of P2PSynCodec's receiver; ``how`` as the codec's ``decode``."""
        vectors: Floats = self._tables[0][tokens[:, 0]]
        if how in ("oracle", "plain-only"):
            others = [tokens[:, stage] for stage in range(1, tokens.shape[1])]
        elif how == "zero":
            others = [np.zeros_like(tokens[:, 0])] * len(self._predictors)
        elif how == "random":
            drawn = _drawn(len(self._predictors), tokens.shape[2], self.config.codes)
            others = [np.broadcast_to(row, tokens[:, 0].shape) for row in drawn]
        else:
            others, vectors = [], self._predicted(vectors, soft=how == "soft")
        for stage, row in enumerate(others, start=1):
            vectors = vectors + self._tables[stage][row]
        turned: Floats = vectors.transpose(0, 2, 1)
        return turned

    def _predicted(self, vectors: Floats, *, soft: bool) -> Floats:
        for stage, predictor in enumerate(self._predictors, start=1):
            logits = predictor(vectors)
            if soft:
                shares = np.exp(logits - logits.max(-1, keepdims=True))
                shares /= shares.sum(-1, keepdims=True)
                vectors = vectors + shares @ self._tables[stage]
            else:
                vectors = vectors + self._tables[stage][logits.argmax(-1)]
        return vectors

    @functools.cached_property
    def _tables(self) -> Floats:
        """Decoder-side vectors of the plain stage and the predicted ones, (Q, N, K)."""
        return np.stack([stage.table for stage in self._stages[: len(self._predictors) + 1]])


class _Stage:
    """One residual stage: projections, codebook, and the nearest code."""

    def __init__(self, weights: Arrays, number: int, *, search: Search) -> None:
        self.search = search
        name = f"quantizer.stages.{number}"
        self.into = weights[f"{name}.in_proj.weight"][:, :, 0], weights[f"{name}.in_proj.bias"]
        self.out = weights[f"{name}.out_proj.weight"][:, :, 0], weights[f"{name}.out_proj.bias"]
        self.codebook = weights[f"{name}.codebook.weight"]

    @functools.cached_property
    def table(self) -> Floats:
        """All decoder-side vectors, (N, K)."""
        table: Floats = _projected(self.codebook.T[None], self.out)[0].T
        return table

    def lookup(self, tokens: Tokens) -> Floats:
        """Decoder-side vectors (B, K, L) of tokens (B, L)."""
        return _projected(self.codebook[tokens].transpose(0, 2, 1), self.out)

    def quantized(self, latent: Floats) -> tuple[Tokens, Floats]:
        """The nearest codes (B, L) of a latent (B, K, L), and what they stand for (B, K, L)."""
        projected = _projected(latent, self.into)
        tokens = self._nearest(projected)
        rows: Floats = self.codebook[tokens].transpose(0, 2, 1)
        return tokens, _projected(projected + (rows - projected), self.out)

    def _nearest(self, projected: Floats) -> Tokens:
        flat, codebook = projected.transpose(0, 2, 1), self.codebook
        if self.search == "cosine":
            flat, codebook = _normalised(flat), _normalised(codebook)
        distance = np.square(flat).sum(-1, keepdims=True) - 2 * flat @ codebook.T
        return np.asarray((distance + np.square(codebook).sum(1)).argmin(-1), np.int64)


def _network(model: bytes) -> Network:
    """A model of one input and one output as a function."""
    running = session(model)
    name = running.get_inputs()[0].name

    def run(values: Floats) -> Floats:
        out: Floats = running.run(None, {name: np.ascontiguousarray(values, np.float32)})[0]
        return out

    return run


def _normalised(rows: Floats) -> Floats:
    norms = np.sqrt(np.square(rows).sum(-1, keepdims=True))
    normalised: Floats = rows / np.maximum(norms, SMALLEST_NORM)
    return normalised


def _projected(x: Floats, projection: tuple[Floats, Floats]) -> Floats:
    """A convolution of one tap; (B, K, L)."""
    weight, bias = projection
    out: Floats = weight @ x + bias[:, None]
    return out


def _drawn(stages: int, length: int, codes: int) -> NDArray[np.int64]:
    """The random codes (stages, L) that torch draws from the same seed."""
    generator = np.random.RandomState(RANDOM_SEED)
    words = generator.randint(0, 1 << 32, size=(stages, length), dtype=np.uint64)
    return (words % codes).astype(np.int64)


@functools.cache
def _basis(bins: int) -> Floats:
    """The windowed kernel of :class:`~synbench_codecs._mdct.transform.MDCT`, (2 bins, bins)."""
    n, k = np.arange(2 * bins)[:, None], np.arange(bins)[None, :]
    window = np.sin(np.pi * (n + 0.5) / (2 * bins))
    kernel = np.cos(np.pi / bins * (n + 0.5 + bins / 2) * (k + 0.5))
    basis: Floats = (np.sqrt(2 / bins) * window * kernel).astype(np.float32)
    return basis


def forward_transform(waves: Floats, bins: int) -> Floats:
    """Coefficients (B, bins, F) of waves (B, T)."""
    padded = np.pad(waves, ((0, 0), (bins, bins)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * bins, axis=-1)[:, ::bins]
    coefficients: Floats = (frames @ _basis(bins)).transpose(0, 2, 1)
    return coefficients


def inverse_transform(coefficients: Floats, bins: int) -> Floats:
    """Waves (B, (F - 1) bins) of coefficients (B, bins, F)."""
    frames = coefficients.transpose(0, 2, 1) @ _basis(bins).T
    overlapped = frames[:, 1:, :bins] + frames[:, :-1, bins:]
    waves: Floats = overlapped.reshape(len(frames), -1)
    return waves
