"""SQCodec: one scalar quantizer of 117,649 or 250,047 codes, 0.75 to 24 kbit/s, by its package.

The package is ``sq_codec`` 0.0.1. It fills a wave up to whole windows of its attention (4.5 s at
0.75 kbit/s) and makes tokens for the silence too, 400 of them for 5 s instead of 223. The attention
is causal, so the tokens of the wave itself do not need the others: here they alone are sent, which
is the published rate, and the decoder runs on them alone. Its norms see the whole file, so the wave
is not the one that the package makes of a filled-up file; ``tail=kept`` sends everything and gives
exactly that one, at the bits that it costs.

The codes are counted off here: with vector-quantize-pytorch from 1.22.17 on, the package rounds
twice and uses three of its seven levels.

Shape letters: B batch, T samples, C channels, L tokens, D digits of a token.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import tomllib
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synbench_base.folders import typed_path
from synbench_base.packages import import_extra, named_version, package_file, require
from synbench_base.weights import Checkpoint, WeightsFile, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo
from synbench_codecs._spec import Options
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.adapting import check_choice, full_spec
from synbench_codecs.support.tensors import fold_weight_norm, joined, renamed
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_tensors, without_weight_norm

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "sqcodec"
# Finite scalar quantization widens its range by this, so that the outermost level is reached.
LEVEL_RANGE = 1.001
PARTS = ("encoder", "en_encoder", "quantizer", "en_decoder", "decoder")
TAILS = ("cut", "kept")
DEFAULTS: dict[str, Any] = {"variant": "1k5bps", "tail": "cut", "weights": ""}
REDUCED_CONFIG: dict[str, Any] = {
    "feature_dim": 16,
    "encoder_dims": (8, 8, 8, 8),
    "decoder_dims": (8, 8, 8, 8, 8),
}

__all__ = ["CODECS", "SQCodec"]


@dataclass(frozen=True, kw_only=True)
class SQCodecVariant:
    """One of the package's configurations.

    Attributes:
        kbps: as its name says.
        hop: samples per token.
        levels: of each digit of a token.
        window: tokens that the attention sees at a time.
        sample_rate: Hz.
    """

    kbps: float
    hop: int
    window: int
    levels: tuple[int, ...] = (9, 9, 9, 7, 7, 7)
    sample_rate: int = 16000

    @property
    def codes(self) -> int:
        """Size of the one book."""
        return math.prod(self.levels)


SEVEN_LEVELS = (7,) * 6
VARIANTS = {
    "0k75bps": SQCodecVariant(kbps=0.75, hop=360, window=200, levels=SEVEN_LEVELS),
    "1k5bps": SQCodecVariant(kbps=1.5, hop=180, window=300, levels=SEVEN_LEVELS),
    "3kbps": SQCodecVariant(kbps=3, hop=90, window=400, levels=SEVEN_LEVELS),
    "6kbps": SQCodecVariant(kbps=6, hop=45, window=300, levels=SEVEN_LEVELS),
    "12kbps": SQCodecVariant(kbps=12, hop=24, window=400),
    # The package's file says 16000, which would make 7.97 kbit/s.
    "12kbps_24khz": SQCodecVariant(kbps=12, hop=36, window=400, sample_rate=24000),
    "24kbps_24khz": SQCodecVariant(kbps=24, hop=18, window=600, sample_rate=24000),
}


def _released(variant: str) -> Checkpoint:
    """The files that the package would fetch; nobody has published digests of them."""
    return Checkpoint(
        name=f"sqcodec-{variant}",
        files=tuple(
            WeightsSource(
                repository="huggingface.co/zhai-lw/SQCodec",
                revision="main",
                file=f"weights/{variant}.v0/{part}.pt",
                sha256="",
            )
            for part in PARTS
        ),
        licence="MIT",
    )


RELEASED = {variant: _released(variant) for variant in VARIANTS}


class SQCodec(TokenCodec):
    """SQCodec.

    Args:
        variant: a configuration of the package, ``0k75bps`` to ``24kbps_24khz``.
        tail: ``cut`` sends the tokens of the wave, ``kept`` those of whole attention windows.
        weights: folder with the five files of a training (``encoder.pt`` and so on), or one file
            with all tensors and, for a network of other widths, a ``config.json`` beside it.
    """

    points: ClassVar[tuple[Options, ...]] = ({"variant": "0k75bps"}, {}, {"variant": "6kbps"})
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(RELEASED.values())

    def __init__(self, *, variant: str = "1k5bps", tail: str = "cut", weights: str = "") -> None:
        options = {"variant": variant, "tail": tail, "weights": weights}
        self._describe(options, RELEASED[variant].files if variant in RELEASED else ())
        require("torch", extra=EXTRA)
        require("sq_codec", extra=EXTRA)
        self._files = _find(RELEASED[variant], weights)
        sources = tuple(file.source for file in self._files)
        self.info = dataclasses.replace(self.info, weights=sources)

    @classmethod
    def described(cls, **options: Any) -> CodecInfo:
        """What is known of SQCodec where its weights or its package are absent."""
        codec = cls.__new__(cls)
        chosen = DEFAULTS | options
        codec._describe(chosen, RELEASED.get(chosen["variant"], RELEASED["1k5bps"]).files)
        return codec.info

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: Any) -> Self:
        """SQCodec with random weights."""
        codec = cls.__new__(cls)
        codec._describe(DEFAULTS | options, ())
        settings = _settings(codec.options["variant"])
        narrow = {
            name: value[: len(settings[name])] if isinstance(value, tuple) else value
            for name, value in REDUCED_CONFIG.items()
        }
        codec.config = settings | (narrow if reduced else {})
        codec.model = _build(codec.config).eval().requires_grad_(False)
        return codec

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """Settings of the network."""
        settings = _settings(self.options["variant"])
        beside = self._files[0].path.with_name("config.json")
        own = self.options["weights"] and beside.is_file()
        return settings | _read_config(beside, settings) if own else settings

    @functools.cached_property
    def model(self) -> Any:
        """``sq_codec.en_codec.EnCodec``, loaded at the first use."""
        several = len(self._files) > 1
        tensors = joined(
            renamed(
                fold_weight_norm(read_tensors(path)),
                (path.stem + ".{}" if several else "{}").format,
            )
            for path in (file.path for file in self._files)
        )
        return load_strictly(_build(self.config), tensors, path=self._files[0].path)

    def n_frames(self, n_samples: int) -> int:
        """Tokens of a wave, or of the windows that hold it."""
        tokens = -(-n_samples // self._variant.hop)
        return self._whole_windows(tokens) if self.options["tail"] == "kept" else tokens

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, 1, L) of waves (B, T): those of the package, as many as are sent."""
        torch = import_extra("torch", extra=EXTRA)
        filled, n_samples = self.model.preprocess(waves)
        features = self.model.en_encoder(self.model.encoder(filled[:, None]))
        latents = self.model.quantizer.project_in(features[:, : self.n_frames(n_samples)])
        levels = torch.tensor(self._variant.levels, device=latents.device)
        digits = (latents.tanh() * (levels - 1) * LEVEL_RANGE / 2).round().long() + levels // 2
        weights = levels.cumprod(0) // levels
        tokens: Tensor = (digits * weights).sum(-1)[:, None]
        return tokens

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L or a little more) of tokens (B, 1, L)."""
        network, n_tokens = self.model, tokens.shape[2]
        features = network.quantizer.to_features(tokens[:, 0])
        # The attention wants whole windows and looks back only; its stretching of frames looks a
        # frame ahead, where it would repeat the last one.
        missing = self._whole_windows(n_tokens) - n_tokens
        last = features[:, -1:].expand(-1, missing, -1)
        frames = network.en_decoder(import_extra("torch", extra=EXTRA).cat([features, last], 1))
        n_frames = n_tokens * self.config["en_coder_compress_rate"]
        # A norm over time refuses a single frame.
        frames = frames[..., : max(n_frames, 2)]
        waves: Tensor = network.decoder(frames)[:, 0]
        return waves

    @property
    def _variant(self) -> SQCodecVariant:
        return VARIANTS[self.options["variant"]]

    def _whole_windows(self, n_tokens: int) -> int:
        window = self._variant.window
        return -(-n_tokens // window) * window

    def _describe(self, options: dict[str, Any], sources: tuple[WeightsSource, ...]) -> None:
        check_choice("sqcodec", "variant", options["variant"], VARIANTS)
        check_choice("sqcodec", "tail", options["tail"], TAILS)
        self.options = options
        variant = self._variant
        frame_rate = Fraction(variant.sample_rate, variant.hop)
        bits = math.log2(variant.codes)
        tail = ", whole windows" if options["tail"] == "kept" else ""
        self.info = CodecInfo(
            spec=full_spec("sqcodec", options, DEFAULTS),
            label=f"SQCodec {variant.kbps:g} kbps{tail}",
            kind="neural",
            adapter_version=1,
            implementation=named_version("sq_codec"),
            sample_rate=variant.sample_rate,
            output_sample_rate=variant.sample_rate,
            nominal_bitrate_bps=frame_rate * Fraction(bits),
            hop_length=variant.hop,
            frame_rate_hz=frame_rate,
            codebook_sizes=(variant.codes,),
            bits_per_frame=bits,
            bandwidth_hz=variant.sample_rate / 2,
            causal=False,
            lookahead_samples=None,
            context="global",
            # Sums in another order come out 3e-3 apart on random weights.
            batch_policy="single",
            code_licence="MIT",
            weights_licence="" if options["weights"] else RELEASED[options["variant"]].licence,
            weights=sources,
            source="Zhai et al., One Quantizer is Enough, arXiv:2504.04949 (2025); zhai-lw/SQCodec",
        )


def _find(checkpoint: Checkpoint, own: str) -> tuple[WeightsFile, ...]:
    if own and typed_path(own).is_file():
        checkpoint = dataclasses.replace(checkpoint, files=checkpoint.files[:1])
    return find_weights(checkpoint, own)


def _settings(variant: str) -> dict[str, Any]:
    """The network's settings, from the file that the package reads, without importing it."""
    require("sq_codec", extra=EXTRA)
    path = package_file("sq_codec", f"configs/{variant}.toml")
    assert path is not None
    text = path.read_text(encoding="utf-8")
    settings: dict[str, Any] = tomllib.loads(text)["network_config"]
    return settings


def _read_config(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of the user's own, which may change widths but not what the rate depends on."""
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is no configuration of SQCodec: {error}") from error
    for name in ("compress_rates", "vq_config", "en_coder_window_size", "en_coder_compress_rate"):
        if config.get(name, settings[name]) != settings[name]:
            raise WeightsError(f"{path}: {name} must be {settings[name]}, got {config[name]}")
    return config


def _build(config: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        # The package compiles functions in a way that newer versions of torch advise against.
        warnings.simplefilter("ignore", DeprecationWarning)
        package = import_extra("sq_codec.en_codec", extra=EXTRA)
        return without_weight_norm(package.EnCodec(package.ModelConfig(**config)))


CODECS = {"sqcodec": SQCodec}
