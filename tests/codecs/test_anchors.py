from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synbench_codecs import load
from synbench_codecs.adapters.anchors import lowpass_taps
from synbench_codecs.errors import EncodeError

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000]


def gain_db(
    taps: NDArray[np.float64], sample_rate: int, low: float, high: float
) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(taps, 1 << 16))
    frequency = np.arange(spectrum.size) * sample_rate / (1 << 16)
    inside = (frequency >= low) & (frequency <= min(high, sample_rate / 2))
    return 20 * np.log10(np.maximum(spectrum[inside], 1e-12))


@pytest.mark.parametrize("sample_rate", RATES)
def test_lowpass_meets_the_mask_of_the_standard(sample_rate: int) -> None:
    taps = lowpass_taps(sample_rate)
    assert np.abs(gain_db(taps, sample_rate, 0, 3500)).max() <= 0.1
    assert gain_db(taps, sample_rate, 4000, np.inf).max() <= -25
    if sample_rate > 9000:
        assert gain_db(taps, sample_rate, 4500, np.inf).max() <= -50


@pytest.mark.parametrize("sample_rate", RATES)
def test_lowpass_leaves_no_delay(sample_rate: int) -> None:
    taps = lowpass_taps(sample_rate)
    np.testing.assert_array_equal(taps, taps[::-1])
    codec = load("lowpass-3k5")
    impulse = np.zeros(2 * taps.size, dtype=np.float32)
    impulse[taps.size] = 1
    response = codec.decode(codec.encode(impulse, sample_rate))
    assert response.size == impulse.size
    assert np.argmax(response) == taps.size


def test_lowpass_needs_eight_kilohertz() -> None:
    with pytest.raises(EncodeError, match="8000 Hz or more"):
        load("lowpass-3k5").encode(np.zeros(100, dtype=np.float32), 7999)


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1),
    st.integers(1, 400000),
)
def test_passthrough_changes_no_bit(samples: list[float], sample_rate: int) -> None:
    codec = load("passthrough")
    wave = np.array(samples, dtype=np.float32)
    encoded = codec.encode(wave, sample_rate)
    assert codec.decode(encoded).tobytes() == wave.tobytes()
    assert encoded.payload_bits == 32 * wave.size
