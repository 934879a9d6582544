"""``synbench.codec``: a codec for sounds as a user of Python has them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

import synbench_codecs
from synbench import policy
from synbench.errors import UsageError
from synbench.sounds import Sound, read_sound
from synbench_base.device import check_device
from synbench_base.errors import BitstreamError
from synbench_codecs import Codec, CodecInfo, Encoded, Recording

__all__ = ["CodedSound", "LoadedCodec", "codec", "loaded"]


@dataclass(frozen=True, kw_only=True)
class CodedSound:
    """A sound after coding, brought onto the original by the rules of a run.

    Attributes:
        wave: float64, shape ``(samples,)``, of the original's length and rate, delay removed.
        sample_rate: Hz.
        payload_bits: bits that were sent, counted.
        bitrate_bps: payload bits over the original's duration, bit/s.
        side_bits: those of ``payload_bits`` that are side information.
        lag_seconds: what lag is left by cross-correlation; positive when the wave is late.
        clipped_samples: how many the decoder put beyond full scale.
        filled_samples: how many zeros the end needed.
        encoded: the stream.
    """

    wave: policy.Wave = field(repr=False)
    sample_rate: int
    payload_bits: int
    bitrate_bps: float
    side_bits: int
    lag_seconds: float
    clipped_samples: int
    filled_samples: int
    encoded: Encoded = field(repr=False)


class LoadedCodec:
    """A codec that takes arrays, lists, tensors and files of any rate.

    Attributes:
        info: all that is known about it: label, rates, bits, licences.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.info: CodecInfo = codec.info

    def __repr__(self) -> str:
        return f"<synbench codec {self.info.published_spec}: {self.info.label}>"

    def encode(self, wave: Sound, *, sample_rate: int | None = None) -> Encoded:
        """Code a sound, resampled to the codec's rate.

        Args:
            wave: as for :func:`synbench.score`.
            sample_rate: Hz; may be left out for a file.

        Raises:
            UsageError: no sound.
            EncodeError: the codec cannot code it.
        """
        return self._coded(*read_sound(wave, name="wave", sample_rate=sample_rate))

    def decode(self, encoded: Encoded) -> policy.Wave:
        """Decode a stream: the delay removed, exactly as long as what was coded.

        Returns:
            float64, shape ``(samples,)``, at :meth:`output_rate`, clipped at full scale.

        Raises:
            BitstreamError: another codec's stream, or the decoder gave much less than it states.
        """
        rate = self.output_rate(encoded)
        samples = round(encoded.n_samples * rate / encoded.sample_rate)
        wave = self._raw(encoded)[self.info.output_delay_samples :].astype(np.float64)
        short = samples - wave.size
        if short > (self.info.hop_length or rate // 50):
            raise BitstreamError(
                f"the decoder gave {wave.size} samples of the {samples} that the file states"
            )
        return np.clip(policy.fit(wave, n_samples=samples), -1.0, 1.0)

    def reconstruct(self, wave: Sound, *, sample_rate: int | None = None) -> CodedSound:
        """Code a sound and decode it, as a run does.

        >>> import numpy
        >>> speech = numpy.sin(numpy.arange(48000) / 9) * numpy.hanning(48000)
        >>> result = codec("g722").reconstruct(speech, sample_rate=48000)
        >>> result.wave.shape, result.bitrate_bps
        ((48000,), 64088.0)

        Raises:
            UsageError: no sound.
            EncodeError, BitstreamError: the codec cannot code it.
            ItemError: the decoder gave NaN, or a wave of another scale.
        """
        original, rate = read_sound(wave, name="wave", sample_rate=sample_rate)
        encoded = self._coded(original, rate)
        aligned = policy.align(
            self._raw(encoded),
            sample_rate=self.output_rate(encoded),
            delay_samples=self.info.output_delay_samples,
            reference=original,
            reference_rate=rate,
        )
        return CodedSound(
            wave=aligned.wave,
            sample_rate=rate,
            payload_bits=encoded.payload_bits,
            bitrate_bps=encoded.payload_bits * rate / original.size,
            side_bits=encoded.side_bits,
            lag_seconds=aligned.lag_seconds,
            clipped_samples=aligned.clipped_samples,
            filled_samples=aligned.filled_samples,
            encoded=encoded,
        )

    def output_rate(self, encoded: Encoded) -> int:
        """Rate in Hz of the wave that :meth:`decode` gives."""
        return self.info.output_sample_rate or encoded.sample_rate

    def _coded(self, wave: policy.Wave, rate: int) -> Encoded:
        codec_rate = self.info.sample_rate or rate
        moved = policy.at_rate(wave, sample_rate=rate, to=codec_rate)
        return synbench_codecs.encode(self._codec, moved.astype(np.float32), codec_rate)

    def _raw(self, encoded: Encoded) -> synbench_codecs.Wave:
        return synbench_codecs.decode(self._codec, encoded)


def codec(spec: str | Codec, **options: str | int | float | bool) -> LoadedCodec:
    """A codec by name, or an object of one's own with ``info``, ``encode`` and ``decode``.

    >>> codec("opus:bitrate_bps=6000").info.label
    'Opus 6 kbps'
    >>> codec("opus", bitrate_bps=8000).info.sample_rate
    16000

    Args:
        spec: ``name`` or ``name:option=value,...``; see: synbench codecs.
        options: more of the codec's options.

    Raises:
        UsageError: unknown codec or option, a value out of range, a folder of recordings.
        EnvironmentFault: a package, weights or the device are not there.
    """
    if isinstance(spec, str):
        return loaded(synbench_codecs.load(spec, **options), spec)
    if not all(hasattr(spec, name) for name in ("info", "encode", "decode")):
        raise UsageError(
            f"expected a codec's name or an object with info, encode, decode; got {spec!r}"
        )
    return loaded(spec, spec.info.published_spec)


def loaded(codec: Codec | Recording, spec: str) -> LoadedCodec:
    """A codec that was loaded already.

    Raises:
        UsageError: a folder of recordings.
        EnvironmentFault: the device is not there.
    """
    if isinstance(codec, Recording):
        raise UsageError(f"{spec} is a folder of finished recordings: it can code nothing new")
    check_device()
    return LoadedCodec(codec)
