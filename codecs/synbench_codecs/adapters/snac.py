"""SNAC at 24 kHz: three books of 4096 codes at three time scales, 0.98 kbit/s.

A frame of 2048 samples holds one coarse token, two middle and four fine ones; here they are seven
rows of one grid. The decoder adds noise of its own: it is drawn from a fixed seed, so the same
stream always gives the same wave, but a wave of the authors' package differs from call to call.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import warnings
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.packages import import_extra, named_version, require
from synbench_base.weights import Checkpoint, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.adapting import full_spec
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import (
    fold_weight_norm,
    load_strictly,
    read_tensors,
    seeded,
    without_weight_norm,
)

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE_RATE = 24000
CODES = 4096
BITS = 12
# Tokens of each scale per frame, coarse first.
PER_FRAME = (1, 2, 4)
HOP = 2048
SEED = 0
# The encoder sees 4757 samples beyond a fine token; the decoder needs three whole frames more.
LOOKAHEAD_SAMPLES = 3 * HOP + 4757

SETTINGS: dict[str, Any] = {
    "sampling_rate": SAMPLE_RATE,
    "encoder_dim": 48,
    "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 1024,
    "decoder_rates": [8, 8, 4, 2],
    "attn_window_size": None,
    "codebook_size": CODES,
    "codebook_dim": 8,
    "vq_strides": [4, 2, 1],
    "noise": True,
    "depthwise": True,
}
REDUCED_CONFIG: dict[str, Any] = {"encoder_dim": 4, "decoder_dim": 32}

RELEASED = Checkpoint(
    name="snac-24k",
    files=(
        WeightsSource(
            repository="huggingface.co/hubertsiuzdak/snac_24khz",
            revision="d73ad176a12188fcf4f360ba3bf2c2fbbe8f58ec",
            file="pytorch_model.bin",
            sha256="4b8164cc6606bfa627f1a784734c1e539891518f1191ed9194fe1e3b9b4bff40",
            bytes=79_488_254,
        ),
    ),
    licence="MIT",
)

__all__ = ["CODECS", "Snac"]


class Snac(TokenCodec):
    """SNAC, the speech model at 24 kHz.

    Args:
        weights: file of the user's own, with the package's ``config.json`` beside it unless the
            network has the released size.
    """

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (RELEASED,)

    def __init__(self, *, weights: str = "") -> None:
        require("torch", extra="torch")
        require("snac", extra="hf")
        info = _info(weights, sources=RELEASED.files)
        (self._file,) = find_weights(RELEASED, weights)
        self.info = dataclasses.replace(info, weights=(self._file.source,))
        beside = self._file.path.with_name("config.json")
        self.config = _read_config(beside) if weights and beside.is_file() else SETTINGS

    @classmethod
    def described(cls) -> CodecInfo:
        """What is known of SNAC where its weights are absent."""
        return _info("", sources=RELEASED.files)

    @classmethod
    def untrained(cls, *, reduced: bool = False) -> Self:
        """SNAC with random weights."""
        codec = cls.__new__(cls)
        codec.config = SETTINGS | (REDUCED_CONFIG if reduced else {})
        codec.info = _info("", sources=())
        codec.model = codec._build().eval().requires_grad_(False)
        return codec

    @functools.cached_property
    def model(self) -> Any:
        """``snac.SNAC``, loaded at the first use."""
        tensors = fold_weight_norm(read_tensors(self._file.path))
        return load_strictly(self._build(), tensors, path=self._file.path)

    def _build(self) -> Any:
        with warnings.catch_warnings():
            # The package compiles a function in a way that newer versions of torch advise against.
            warnings.simplefilter("ignore", DeprecationWarning)
            package = import_extra("snac", extra="hf")
        return without_weight_norm(package.SNAC(**self.config))

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave; the last is filled up."""
        return math.ceil(n_samples / HOP)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, 7, L) of waves (B, T): one coarse, two middle, four fine."""
        torch = import_extra("torch", extra="torch")
        scales = self.model.encode(waves[:, None])
        rows = [
            codes.unflatten(-1, (-1, count)).transpose(1, 2)
            for codes, count in zip(scales, PER_FRAME, strict=True)
        ]
        grid: Tensor = torch.cat(rows, dim=1)
        return grid

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, 7, L), with the noise of the fixed seed."""
        torch = import_extra("torch", extra="torch")
        rows = torch.split(tokens, PER_FRAME, dim=1)
        scales = [part.transpose(1, 2).flatten(1).contiguous() for part in rows]
        model = self.model  # made outside, since making it draws random numbers too
        with seeded(SEED):
            waves: Tensor = model.decode(scales)[:, 0]
        return waves


def _info(weights: str, *, sources: tuple[WeightsSource, ...]) -> CodecInfo:
    frame_rate = Fraction(SAMPLE_RATE, HOP)
    bits = BITS * sum(PER_FRAME)
    return CodecInfo(
        spec=full_spec("snac", {"weights": weights}, {"weights": ""}),
        label="SNAC 0.98 kbps",
        kind="neural",
        adapter_version=2,
        implementation=named_version("snac"),
        sample_rate=SAMPLE_RATE,
        output_sample_rate=SAMPLE_RATE,
        nominal_bitrate_bps=bits * frame_rate,
        hop_length=HOP,
        frame_rate_hz=frame_rate,
        codebook_sizes=(CODES,) * sum(PER_FRAME),
        bits_per_frame=bits,
        bandwidth_hz=SAMPLE_RATE / 2,
        causal=False,
        lookahead_samples=LOOKAHEAD_SAMPLES,
        context="finite",
        stochastic=True,
        # The noise of a batch is not that of its waves one by one.
        batch_policy="single",
        code_licence="MIT",
        weights_licence="" if weights else RELEASED.licence,
        weights=sources,
        source="Siuzdak et al., SNAC: Multi-Scale Neural Audio Codec, 2024",
    )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is no configuration of SNAC: {error}") from error
    fixed = ("sampling_rate", "codebook_size", "vq_strides", "encoder_rates")
    wrong = [name for name in fixed if config.get(name) != SETTINGS[name]]
    if wrong:
        raise WeightsError(
            f"{path}: {wrong[0]} must be {SETTINGS[wrong[0]]}, got {config.get(wrong[0])}"
        )
    return config


CODECS = {"snac": Snac}
