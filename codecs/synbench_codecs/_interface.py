"""The codec interface: a wave goes in, counted bytes come out, and only those bytes come back.

Conventions of every codec in this package
    wave            mono float32, shape ``(samples,)``, full scale at -1 and 1
    sample_rate     Hz
    payload         the bytes that would travel over the channel, without any header
    delay           samples at the output rate by which the decoder's wave lags the input

A codec is any object with ``info``, ``encode`` and ``decode`` as in :class:`Codec`. Options are
keyword-only arguments of its class and become part of its name (``opus:bitrate_bps=6000``), so a
stream names everything that its decoder needs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from synbench_base.arrays import as_array, not_floats
from synbench_base.weights import WeightsSource
from synbench_codecs._published import published_spec
from synbench_codecs._spec import Options, format_spec, parse_spec
from synbench_codecs.errors import BitstreamError, EncodeError

Wave = NDArray[np.float32]

Kind = Literal["anchor", "classical", "neural", "external", "recordings"]
BatchPolicy = Literal["single", "equal_length"]
Context = Literal["finite", "unbounded", "global"]

__all__ = [
    "BatchPolicy",
    "Codec",
    "CodecInfo",
    "ConcealingCodec",
    "Context",
    "Encoded",
    "Kind",
    "Recording",
    "Wave",
    "check_encoded",
    "check_wave",
]

DIGEST_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class CodecInfo:
    """All that is known about one operating point of a codec; stored beside its results.

    Attributes:
        spec: name with options, ``opus:bitrate_bps=6000``; loads this very codec again.
        label: short name for tables, ``Opus 6 kbps``.
        kind: what sort of system it is.
        adapter_version: raised by hand whenever the adapter's output may change.
        implementation: the library that does the work and its version, ``libopus 1.6.1``.
        sample_rate: rate of the input in Hz; ``None`` when any rate is taken as it is.
        output_sample_rate: rate of the decoded wave in Hz; ``None`` means the input's rate.
        nominal_bitrate_bps: what the codec's documents call its bit rate; ``None`` if it has none.
        hop_length: samples per frame at ``sample_rate``.
        frame_rate_hz: exact frames per second.
        codebook_sizes: sizes of the codebooks active per frame; empty for parametric codecs.
        bits_per_frame: bits that a frame puts into the payload.
        bandwidth_hz: highest audio frequency that can come through.
        causal: no output depends on a later frame than the look-ahead names.
        lookahead_samples: input needed beyond the frame itself; ``None`` means the whole file.
        output_delay_samples: lag of the decoder's wave, at the output rate; the bench removes it.
        context: how far back an output sample depends on the input.
        stochastic: decoding draws random numbers (always from a fixed seed).
        batch_policy: whether equal-length waves may share one forward pass.
        code_licence, weights_licence: SPDX names or the licence's own name.
        weights: the files of the checkpoint; empty where the codec has none.
        training_data: corpora that the weights were trained on, as far as their authors state;
            scores on one of them are warned about.
        training_note: what a reader must know about the weights; shown wherever scores appear.
        surplus_samples: by how much the decoder's wave may be longer than the input, the delay and
            one frame, at the output rate; more, or a frame less, is a failure of the item.
        bits_counted: False where no bitstream exists and the rate is only declared.
        conceals: whether its decoder bridges frames that were lost, see
            :class:`ConcealingCodec`.
        source: the paper or standard that defines the codec.
    """

    spec: str
    label: str
    kind: Kind
    adapter_version: int
    implementation: str
    sample_rate: int | None
    output_sample_rate: int | None
    nominal_bitrate_bps: Fraction | None
    hop_length: int | None = None
    frame_rate_hz: Fraction | None = None
    codebook_sizes: tuple[int, ...] = ()
    bits_per_frame: float | None = None
    bandwidth_hz: float | None = None
    causal: bool | None = None
    lookahead_samples: int | None = 0
    output_delay_samples: int = 0
    context: Context = "unbounded"
    stochastic: bool = False
    batch_policy: BatchPolicy = "single"
    code_licence: str = ""
    weights_licence: str = ""
    weights: tuple[WeightsSource, ...] = ()
    training_data: tuple[str, ...] = ()
    training_note: str = ""
    surplus_samples: int = 0
    bits_counted: bool = True
    conceals: bool = False
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; fractions become strings such as ``"44100/512"``."""
        record = dataclasses.asdict(self)
        for name in ("nominal_bitrate_bps", "frame_rate_hz"):
            record[name] = None if record[name] is None else str(record[name])
        record["codebook_sizes"] = list(self.codebook_sizes)
        record["training_data"] = list(self.training_data)
        record["weights"] = list(record["weights"])
        return record

    @property
    def published_spec(self) -> str:
        """The spec as streams and tables carry it: of the user's paths only the last part."""
        return published_spec(self.spec)

    @property
    def identity(self) -> str:
        """Hex digest of everything that can change the decoded wave or its bits."""
        relevant = {
            "spec": _without_weights(self.published_spec) if self.weights else self.published_spec,
            "adapter_version": self.adapter_version,
            "implementation": self.implementation,
            "delay": self.output_delay_samples,
            "weights": self._weights_digests,
        }
        return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()

    @property
    def model_digest(self) -> bytes:
        """Eight bytes that change with the adapter version and the checkpoint, and nothing else.

        Every stream carries them. A library's version is left out: a stream of a standard codec
        stays decodable after an update of the library.
        """
        text = f"{self.adapter_version} {self._weights_digests}"
        return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]

    @property
    def _weights_digests(self) -> str:
        return " ".join(source.sha256 for source in self.weights)


def _without_weights(spec: str) -> str:
    """The spec without the path of the user's own weights, whose digest counts instead."""
    name, options = parse_spec(spec)
    return format_spec(name, {key: options[key] for key in options if key != "weights"})


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """One coded wave: all that a decoder may see.

    Attributes:
        spec: name and options of the codec that wrote it (``info.published_spec``).
        payload: packed bytes; the last byte may end in zero bits that carry nothing.
        payload_bits: number of bits that carry something, at most ``8 * len(payload)``.
        side_bits: bits of ``payload_bits`` that are side information (loudness, scale), not codes.
        n_samples: length of the input wave at ``sample_rate``.
        sample_rate: rate of the input wave in Hz.
        model_digest: ``info.model_digest`` of the codec that wrote it.
    """

    spec: str
    payload: bytes
    payload_bits: int
    n_samples: int
    sample_rate: int
    side_bits: int = 0
    model_digest: bytes = bytes(DIGEST_BYTES)

    def __post_init__(self) -> None:
        if len(self.model_digest) != DIGEST_BYTES:
            raise ValueError(
                f"model_digest must have {DIGEST_BYTES} bytes, got {len(self.model_digest)}"
            )
        if not 0 <= self.payload_bits <= 8 * len(self.payload):
            raise ValueError(
                f"payload_bits must be 0 to {8 * len(self.payload)} for "
                f"{len(self.payload)} payload bytes, got {self.payload_bits}"
            )
        if not 0 <= self.side_bits <= self.payload_bits:
            raise ValueError(f"side_bits must be 0 to {self.payload_bits}, got {self.side_bits}")


@runtime_checkable
class Codec(Protocol):
    """What every codec offers. Implementations need not inherit from it.

    A class also carries ``points``: option sets worth listing and testing, one per operating point;
    ``local_options``: names of the options that hold a path or a command of this machine (an empty
    set where there are none; without it, or with ``None`` where the class starts programs anyway,
    no stream and no run folder can have the codec loaded); ``checkpoints``, a tuple of
    :class:`Checkpoint`, when it loads trained weights; for the first forecast of a run,
    ``cpu_seconds_per_audio_second``; and ``max_seconds``, the longest wave that it codes at a time:
    a run leaves out longer ones, and ``synbench plan`` says so.

    A codec whose ``info`` has ``codebook_sizes`` may have ``n_frames(n_samples) -> int``: how many
    frames it makes of a wave of this length. The bits of every stream are checked against it.
    Without it whole hops are expected, the last one filled up: ``ceil(n_samples / hop_length)``;
    a codec that needs a frame more, or cuts the tail, has to say so here.
    """

    points: ClassVar[tuple[Options, ...]]

    @property
    def info(self) -> CodecInfo:
        """Everything known about this operating point."""

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a mono wave of shape ``(samples,)`` at ``info.sample_rate``.

        Raises:
            EncodeError: the wave has another rate or shape, or cannot be coded.
        """

    def decode(self, encoded: Encoded) -> Wave:
        """Decode from ``encoded.payload`` alone.

        Returns the decoder's raw wave at the output rate: the declared delay is still in front, and
        it may be longer than the input. The bench removes the delay and cuts, in one place.

        Raises:
            BitstreamError: the payload is not one that this codec writes.
        """


@runtime_checkable
class ConcealingCodec(Protocol):
    """What a codec offers besides, where ``info.conceals`` says that it bridges lost frames."""

    def decode_with_losses(self, encoded: Encoded, lost: NDArray[np.bool_]) -> Wave:
        """As :meth:`Codec.decode`, where some frames did not arrive.

        Args:
            encoded: the bits of the lost frames in its payload are zeros, and must not be used.
            lost: shape ``(frames,)``, in the order in which they are sent.
        """


@runtime_checkable
class Recording(Protocol):
    """A system that is present only as decoded files; its bits are declared, never counted."""

    points: ClassVar[tuple[Options, ...]]
    folder: Path

    @property
    def info(self) -> CodecInfo:
        """Everything known about this system; ``bits_counted`` is False."""

    def fetch(self, item_id: str) -> tuple[Wave, int]:
        """The decoded wave of one corpus item and its rate in Hz.

        Raises:
            EncodeError: there is no such file, or more than one.
        """


def check_wave(wave: NDArray[Any], sample_rate: int, *, info: CodecInfo) -> Wave:
    """The wave as contiguous float32, or an error that says what the codec wanted.

    Raises:
        EncodeError: not of floats, not one-dimensional, empty, not finite, or at another rate.
    """
    wave = as_array(wave)
    problem = not_floats(wave, "the wave")
    if problem:
        raise EncodeError(f"{info.spec}: {problem}")
    if wave.ndim != 1:
        raise EncodeError(f"{info.spec}: expected a mono wave (samples,), got shape {wave.shape}")
    if wave.size == 0:
        raise EncodeError(f"{info.spec}: expected at least 1 sample, got an empty wave")
    if info.sample_rate is not None and sample_rate != info.sample_rate:
        raise EncodeError(
            f"{info.spec}: expected {info.sample_rate} Hz, got {sample_rate} Hz; resample first"
        )
    if not np.isfinite(wave).all():
        raise EncodeError(f"{info.spec}: the wave contains NaN or infinity")
    return np.ascontiguousarray(wave, dtype=np.float32)


def check_encoded(encoded: Encoded, *, info: CodecInfo) -> None:
    """Refuse what another codec, another adapter version or another checkpoint has written.

    Raises:
        BitstreamError: the stream names another codec, or its model digest differs.
    """
    if encoded.spec not in (info.spec, info.published_spec):
        raise BitstreamError(f"{info.spec}: cannot decode a stream of {encoded.spec!r}")
    if encoded.model_digest != info.model_digest:
        raise BitstreamError(
            f"{info.spec}: the stream was written by another adapter version or with other weights "
            f"(digest {encoded.model_digest.hex()}, this codec has {info.model_digest.hex()})"
        )
