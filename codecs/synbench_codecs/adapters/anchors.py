"""Reference and anchor systems for listening tests and for checking metrics.

``passthrough`` returns its input bit for bit. ``lowpass-3k5`` is the low anchor of ITU-R BS.1534-3
(section 5.1): cut-off 3.5 kHz, at most 0.1 dB of ripple below it, at least 25 dB of attenuation at
4 kHz and 50 dB at 4.5 kHz. Both store float32 samples, 32 bits each, and claim no bit rate.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError, EncodeError

SAMPLE = np.dtype("<f4")
PASSBAND_HZ = 3500.0
STOPBAND_HZ = 4000.0
# Well under both limits of the standard, which ask for 39 dB (the ripple) and 50 dB.
ATTENUATION_DB = 60.0

__all__ = ["CODECS", "Lowpass", "Passthrough", "filter_without_delay", "lowpass_taps"]


class Passthrough:
    """The input itself, at any sample rate."""

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.info = _anchor_info(
            spec="passthrough",
            label="Reference",
            implementation="float32 samples",
            lookahead_samples=0,
            bandwidth_hz=None,
            source="the corpus itself",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Pack the float32 samples, shape ``(samples,)``, any rate in Hz."""
        return _store(check_wave(wave, sample_rate, info=self.info), sample_rate, self.info)

    def decode(self, encoded: Encoded) -> Wave:
        """The samples of :meth:`encode`, bit for bit."""
        return _restore(encoded, self.info)


class Lowpass:
    """The input below 3.5 kHz, by a filter without phase: no delay is left."""

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.info = _anchor_info(
            spec="lowpass-3k5",
            label="Anchor 3.5 kHz",
            implementation="Kaiser-windowed sinc",
            lookahead_samples=None,
            bandwidth_hz=PASSBAND_HZ,
            source="ITU-R BS.1534-3 (2015), 5.1",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Filter a wave, shape ``(samples,)``, at 8000 Hz or more, and pack it as float32.

        Raises:
            EncodeError: a lower sample rate, or what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        if sample_rate < 2 * STOPBAND_HZ:
            raise EncodeError(
                f"{self.info.spec}: expected {2 * STOPBAND_HZ:.0f} Hz or more, got {sample_rate} Hz"
            )
        filtered = filter_without_delay(checked, lowpass_taps(sample_rate))
        return _store(filtered.astype(np.float32), sample_rate, self.info)

    def decode(self, encoded: Encoded) -> Wave:
        """The filtered samples."""
        return _restore(encoded, self.info)


def lowpass_taps(
    sample_rate: int, *, passband_hz: float = PASSBAND_HZ, stopband_hz: float = STOPBAND_HZ
) -> NDArray[np.float64]:
    """The symmetric impulse response, odd length, by Kaiser's formula (Kaiser 1974)."""
    width = 2 * np.pi * (stopband_hz - passband_hz) / sample_rate
    half = int(np.ceil((ATTENUATION_DB - 7.95) / (2.285 * width) / 2))
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    cutoff = (passband_hz + stopband_hz) / sample_rate
    taps = np.sinc(cutoff * np.arange(-half, half + 1)) * np.kaiser(2 * half + 1, beta)
    return np.asarray(taps / taps.sum(), dtype=np.float64)


def filter_without_delay(wave: NDArray[Any], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve through the frequency domain and cut off the filter's delay on both sides."""
    size = 1 << (wave.size + taps.size - 1).bit_length()
    spectrum = np.fft.rfft(wave.astype(np.float64), size) * np.fft.rfft(taps, size)
    delay = taps.size // 2
    return np.asarray(np.fft.irfft(spectrum, size)[delay : delay + wave.size])


def _anchor_info(
    *,
    spec: str,
    label: str,
    implementation: str,
    lookahead_samples: int | None,
    bandwidth_hz: float | None,
    source: str,
) -> CodecInfo:
    return CodecInfo(
        spec=spec,
        label=label,
        kind="anchor",
        adapter_version=1,
        implementation=implementation,
        sample_rate=None,
        output_sample_rate=None,
        nominal_bitrate_bps=None,
        bandwidth_hz=bandwidth_hz,
        causal=lookahead_samples == 0,
        lookahead_samples=lookahead_samples,
        context="finite",
        batch_policy="equal_length",
        code_licence="MIT",
        source=source,
    )


def _store(wave: Wave, sample_rate: int, info: CodecInfo) -> Encoded:
    payload = wave.astype(SAMPLE).tobytes()
    return Encoded(
        spec=info.published_spec,
        payload=payload,
        payload_bits=8 * len(payload),
        n_samples=wave.size,
        sample_rate=sample_rate,
        model_digest=info.model_digest,
    )


def _restore(encoded: Encoded, info: CodecInfo) -> Wave:
    check_encoded(encoded, info=info)
    if len(encoded.payload) != SAMPLE.itemsize * encoded.n_samples:
        raise BitstreamError(
            f"{info.spec}: expected {SAMPLE.itemsize * encoded.n_samples} payload bytes for "
            f"{encoded.n_samples} samples, got {len(encoded.payload)}"
        )
    return np.frombuffer(encoded.payload, dtype=SAMPLE).astype(np.float32)


CODECS = {"lowpass-3k5": Lowpass, "passthrough": Passthrough}
