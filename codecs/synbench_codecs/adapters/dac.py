"""DAC, the Descript Audio Codec: residual vector quantization of up to 32 books of 1024 codes.

Released models, each usable with its first k codebooks (they were trained with quantizer dropout):

========= ============ ======================== ==================
model     rate         codebooks, kbit/s each   samples per frame
========= ============ ======================== ==================
16k       16000 Hz     12 x 0.5                 320
24k       24000 Hz     32 x 0.75                320
44k       44100 Hz     9 x 0.861                512
44k-16k   44100 Hz     18 x 0.861               512
========= ============ ======================== ==================

The whole utterance is coded in one piece, so the bit rate is the nominal one; the authors' command
line cuts one-second windows and so emits 1.3 to 2 times as many tokens. The decoders of the 16 and
24 kHz models return 8 samples less than their frames hold: a frame is added where that would not
cover the wave. With ``loudness=cli`` the wave is brought to -16 LUFS before coding and back after
it, as the authors' command line does; the level costs 32 bits of side information.

Weights of one's own, in the authors' layout or transformers', need ``weights=PATH``. Their sample
rate is read from the file where the authors' training saved it; else their ``sample_rate`` or the
``model`` that they were tuned from has to be said. Everything else is read from the tensors, and a
``model`` that they contradict is refused. That holds for the variant that the P2PSynCodec paper
trained (one book of 1024 codes, 320 samples per frame: 0.5 kbit/s at 16 kHz, 1.5 kbit/s at 48 kHz),
see :data:`PAPER`.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from synbench_base.folders import typed_path
from synbench_base.packages import import_extra, named_version, require
from synbench_base.weights import Checkpoint, WeightsFile, WeightsSource, find_weights
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError, UsageError, WeightsError
from synbench_codecs.networks.dac import DacShape, build, from_released, shape_of
from synbench_codecs.support.adapting import check_choice, check_range, full_spec
from synbench_codecs.support.token_codec import TokenCodec
from synbench_codecs.support.torch_models import load_strictly, read_checkpoint, read_tensors

if TYPE_CHECKING:
    from torch import Tensor

CLI_LUFS = -16.0
QUIETEST_LUFS = -70.0
LOUDNESS = struct.Struct(">f")
LOUDNESS_BITS = 8 * LOUDNESS.size

SHAPES = {
    "16k": DacShape(strides=(2, 4, 5, 8), codebooks=12),
    "24k": DacShape(strides=(2, 4, 5, 8), codebooks=32),
    "44k": DacShape(strides=(2, 4, 8, 8), codebooks=9),
    "44k-16k": DacShape(strides=(2, 4, 8, 8), codebooks=18, latent=128),
}
SAMPLE_RATES = {"16k": 16000, "24k": 24000, "44k": 44100, "44k-16k": 44100}
PAPER = DacShape(strides=(2, 4, 5, 8), codebooks=1)
"""The variant of the P2PSynCodec paper, at 16 or 48 kHz; its weights are not public."""

CHECKPOINTS = {
    "16k": Checkpoint(
        name="dac-16k",
        files=(
            WeightsSource(
                repository="huggingface.co/descript/dac_16khz",
                revision="7c2fc5e759f1f501aefc6e7a0265cc57f5d17ba7",
                file="model.safetensors",
                sha256="",
            ),
        ),
        licence="MIT",
    ),
    "24k": Checkpoint(
        name="dac-24k",
        files=(
            WeightsSource(
                repository="huggingface.co/descript/dac_24khz",
                revision="6ba020b5ba7d9d8076fb90db7e67f27e31980f6e",
                file="model.safetensors",
                sha256="7452e3fc6972991da871ae1a1c9d3e8e219aa247cc0f757018867d6a7fe59aaf",
                bytes=298_652_268,
            ),
        ),
        licence="MIT",
    ),
    "44k": Checkpoint(
        name="dac-44k",
        files=(
            WeightsSource(
                repository="huggingface.co/descript/dac_44khz",
                revision="c1bc521685adf9cfe247bc39a5ca58917eda1ac4",
                file="model.safetensors",
                sha256="6128ebff483a41422b0164d079a3773b0d8d82e64c4293d775994cbf8baf913a",
                bytes=306_507_276,
            ),
        ),
        licence="MIT",
    ),
    "44k-16k": Checkpoint(
        name="dac-44k-16k",
        files=(
            WeightsSource(
                repository="github.com/descriptinc/descript-audio-codec/releases",
                revision="1.0.0",
                file="weights_44khz_16kbps.pth",
                sha256="",
            ),
        ),
        licence="MIT",
    ),
}
RELEASED_MODEL = "16k"
TRAINED_ON = ("DAPS", "DNS Challenge", "Common Voice", "VCTK", "MUSDB", "Jamendo", "AudioSet")
DEFAULTS = {"model": "", "sample_rate": 0, "codebooks": 0, "loudness": "none", "weights": ""}

NEEDED_OPTIONS = "dac: weights=PATH needs either sample_rate=Hz or the model that it was tuned from"

__all__ = ["CODECS", "PAPER", "Dac"]


class Dac(TokenCodec):
    """DAC in one of its released models, or with weights of one's own.

    Args:
        model: ``16k`` (the default), ``24k``, ``44k`` or ``44k-16k``.
        codebooks: how many of the first codebooks are used; 0 means all.
        loudness: ``none``, or ``cli`` for the level that the authors' command line codes at.
        weights: file of the user's own.
        sample_rate: Hz, of the user's own weights where they belong to no ``model``.
    """

    points: ClassVar[tuple[Options, ...]] = (
        {"model": "16k", "codebooks": 1},
        {"model": "16k", "codebooks": 4},
        {"model": "16k"},
        {"model": "24k", "codebooks": 8},
        {"model": "44k"},
        {"model": "44k-16k"},
    )
    local_options: ClassVar[frozenset[str]] = frozenset({"weights"})
    checkpoints: ClassVar[tuple[Checkpoint, ...]] = tuple(CHECKPOINTS.values())

    def __init__(
        self,
        *,
        model: str = "",
        codebooks: int = 0,
        loudness: str = "none",
        weights: str = "",
        sample_rate: int = 0,
    ) -> None:
        _check(model, weights, sample_rate)
        require("torch", extra="torch")
        require("transformers", extra="hf")
        options: dict[str, Any] = {
            "model": model or ("" if weights else RELEASED_MODEL),
            "codebooks": codebooks,
            "loudness": loudness,
            "weights": weights,
            "sample_rate": sample_rate,
        }
        checkpoint = CHECKPOINTS[model or RELEASED_MODEL]
        if not weights:
            self.shape = SHAPES[model or RELEASED_MODEL]
            self._set_up(options, sources=checkpoint.files)
        (self._file,) = find_weights(checkpoint, weights)
        if weights:
            self.shape, told = _own_shape(self._file, model)
            options["sample_rate"] = _own_sample_rate(self._file, model, sample_rate, told)
        self._set_up(options, sources=(self._file.source,))

    @classmethod
    def described(cls, **options: Any) -> CodecInfo:
        """What is known of DAC where its weights are absent."""
        codec = cls.__new__(cls)
        options = {**DEFAULTS, "model": RELEASED_MODEL, **options}
        codec.shape = SHAPES[options["model"]]
        codec._set_up(options, sources=CHECKPOINTS[options["model"]].files)
        return codec.info

    @classmethod
    def untrained(cls, *, reduced: bool = False, **options: Any) -> Self:
        """DAC with random weights."""
        codec = cls.__new__(cls)
        options = {**DEFAULTS, "model": RELEASED_MODEL, **options}
        _check(options["model"], "", 0)
        codec.shape = SHAPES[options["model"]]
        if reduced:
            codec.shape = dataclasses.replace(
                codec.shape, encoder_channels=2, decoder_channels=32, latent=32, codes=64
            )
        codec._set_up(options, sources=())
        codec.model = build(codec.shape).eval().requires_grad_(False)
        return codec

    def _set_up(self, options: dict[str, Any], *, sources: tuple[WeightsSource, ...]) -> None:
        shape = self.shape
        check_range("dac", "codebooks", options["codebooks"], 0, shape.codebooks)
        check_choice("dac", "loudness", options["loudness"], ("none", "cli"))
        self._levelled = options["loudness"] == "cli"
        if self._levelled:
            require("pyloudnorm", extra="hf")
        used = options["codebooks"] or shape.codebooks
        sample_rate = options["sample_rate"] or SAMPLE_RATES[options["model"]]
        frame_rate = Fraction(sample_rate, shape.hop)
        bits = used * (shape.codes.bit_length() - 1)
        self.info = CodecInfo(
            spec=full_spec("dac", options, DEFAULTS),
            label=_label(float(bits * frame_rate), sample_rate, own=bool(options["weights"])),
            kind="neural",
            adapter_version=1,
            implementation=named_version("transformers"),
            sample_rate=sample_rate,
            output_sample_rate=sample_rate,
            nominal_bitrate_bps=bits * frame_rate,
            hop_length=shape.hop,
            frame_rate_hz=frame_rate,
            codebook_sizes=(shape.codes,) * used,
            bits_per_frame=float(bits),
            bandwidth_hz=sample_rate / 2,
            causal=False,
            lookahead_samples=None if self._levelled else shape.lookahead,
            context="global" if self._levelled else "finite",
            batch_policy="single" if self._levelled else "equal_length",
            code_licence="Apache-2.0",
            weights_licence="" if options["weights"] else "MIT",
            weights=sources,
            training_data=() if options["weights"] else TRAINED_ON,
            source="Kumar et al., High-Fidelity Audio Compression with Improved RVQGAN, 2023",
        )

    @functools.cached_property
    def model(self) -> Any:
        """``transformers.DacModel``, loaded at the first use."""
        torch = import_extra("torch", extra="torch")
        tensors = from_released(read_tensors(self._file.path))
        with torch.device("meta"):
            empty = build(self.shape)
        return load_strictly(empty, tensors, path=self._file.path)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave, one more where the decoder would return too little."""
        return self.shape.n_frames(n_samples)

    def tokenise(self, waves: Tensor) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T), zeros appended to whole frames."""
        torch = import_extra("torch", extra="torch")
        missing = self.n_frames(waves.shape[-1]) * self.shape.hop - waves.shape[-1]
        padded = torch.nn.functional.pad(waves, (0, missing))[:, None]
        used = len(self.info.codebook_sizes)
        codes: Tensor = self.model.encode(padded, n_quantizers=used).audio_codes
        return codes

    def synthesise(self, tokens: Tensor) -> Tensor:
        """Waves (B, at least T) of tokens (B, Q, L)."""
        waves: Tensor = self.model.decode(audio_codes=tokens).audio_values
        return waves

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``; the level comes first where it is kept.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        if not self._levelled:
            return super().encode(wave, sample_rate)
        checked = self._checked(wave, sample_rate)
        # What is written is what the decoder reads, rounding included.
        level = LOUDNESS.pack(_lufs(checked, sample_rate))
        scaled = checked * _gain(CLI_LUFS - LOUDNESS.unpack(level)[0])
        scaled /= max(1.0, float(np.abs(scaled).max()))
        encoded = super().encode(scaled, sample_rate)
        return dataclasses.replace(
            encoded,
            payload=level + encoded.payload,
            payload_bits=LOUDNESS_BITS + encoded.payload_bits,
            side_bits=LOUDNESS_BITS,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The decoder's raw wave, at the level that was stored if one was.

        Raises:
            BitstreamError: the payload is not one that this codec writes.
        """
        if not self._levelled:
            return super().decode(encoded)
        check_encoded(encoded, info=self.info)
        level, tokens = encoded.payload[: LOUDNESS.size], encoded.payload[LOUDNESS.size :]
        if len(level) < LOUDNESS.size or not np.isfinite(LOUDNESS.unpack(level)[0]):
            raise BitstreamError(f"{self.info.spec}: the payload does not begin with a level")
        bare = dataclasses.replace(
            encoded, payload=tokens, payload_bits=8 * len(tokens), side_bits=0
        )
        wave = super().decode(bare)
        assert self.info.sample_rate is not None
        kept = wave[: encoded.n_samples]
        return wave * _gain(LOUDNESS.unpack(level)[0] - _lufs(kept, self.info.sample_rate))


def _check(model: str, weights: str, sample_rate: int) -> None:
    check_choice("dac", "model", model, ("", *SHAPES))
    check_range("dac", "sample_rate", sample_rate, 0, 1_000_000)
    said = bool(model) + bool(sample_rate)
    if weights and said != 1 and (said or not typed_path(weights).is_file()):
        raise UsageError(NEEDED_OPTIONS)
    if sample_rate and not weights:
        raise UsageError("dac: sample_rate goes with weights=PATH; choose a model instead")


def _own_sample_rate(file: WeightsFile, model: str, sample_rate: int, told: Any) -> int:
    """Hz for the option, 0 where the model says it; ``told`` is what the file says.

    Raises:
        UsageError: nothing says it.
        WeightsError: the file says otherwise.
    """
    said = sample_rate or SAMPLE_RATES.get(model, 0)
    if not said and not isinstance(told, int):
        raise UsageError(NEEDED_OPTIONS)
    if said and told and said != told:
        wanted = f"model={model}" if model else f"sample_rate={sample_rate}"
        raise WeightsError(
            f"{file.path} was trained at {told} Hz by its own metadata, not {wanted}"
        )
    return 0 if model else said or int(told)


def _own_shape(file: WeightsFile, model: str) -> tuple[DacShape, Any]:
    """The shape of a file's network, and the sample rate that its metadata tells, if any."""
    tensors, values = read_checkpoint(file.path)
    told = values.get("metadata.kwargs.sample_rate")
    try:
        shape = shape_of(from_released(tensors))
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"{file.path} is no DAC: {error}") from error
    if not model:
        return shape, told
    for name, mine, theirs in (
        ("strides", shape.strides, SHAPES[model].strides),
        ("books", shape.codebooks, SHAPES[model].codebooks),
    ):
        if mine != theirs:
            fits = [other for other in SHAPES if _alike(SHAPES[other], shape)]
            better = f"model={fits[0]}, or " if fits else ""
            raise WeightsError(
                f"{file.path} has {name} {mine}, model {model} has {theirs}; "
                f"give {better}its sample_rate instead of the model"
            )
    return shape, told


def _alike(one: DacShape, other: DacShape) -> bool:
    return (one.strides, one.codebooks) == (other.strides, other.codebooks)


def _label(bitrate_bps: float, sample_rate: int, *, own: bool) -> str:
    name = "DAC (own weights)" if own else "DAC"
    return f"{name} {bitrate_bps / 1000:.3g} kbps ({sample_rate / 1000:g} kHz)"


def _lufs(wave: Wave, sample_rate: int) -> float:
    """Integrated loudness as the authors take it: at least half a second, never below -70."""
    pyloudnorm = import_extra("pyloudnorm", extra="hf")
    padded = np.pad(wave.astype(np.float64), (0, max(0, sample_rate // 2 - wave.size)))
    with np.errstate(all="ignore"):
        loudness = float(pyloudnorm.Meter(sample_rate).integrated_loudness(padded))
    return max(loudness, QUIETEST_LUFS) if np.isfinite(loudness) else QUIETEST_LUFS


def _gain(decibel: float) -> np.float32:
    return np.float32(10 ** (decibel / 20))


CODECS = {"dac": Dac}
