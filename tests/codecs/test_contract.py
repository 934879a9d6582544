"""What every codec must do, run over all registered codecs and their points.

A codec with trained weights runs on a small network with random ones, which ``untrained.py`` makes
from its class method ``untrained(reduced=True, ...)`` and hands over by its option ``weights``.
Only where weights come with the package, they are the ones that are tested.
Nothing needs to be added here for a new codec.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
import untrained
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import synbench_codecs
from synbench_codecs import CodecInfo, Encoded, read_stream, write_stream
from synbench_codecs.errors import BitstreamError, CodecError, EncodeError, Unavailable, UsageError

sys.path.insert(0, str(Path(__file__).parent))

Wave = NDArray[np.float32]

ANY_RATE = 16000
ANY_HOP = 320
LARGEST_LAG_S = 0.08

# The declared delay is a median over speech; single waves scatter. A parametric codec has no
# waveform to correlate, only an envelope; nor have demonstration weights, whose first codebook
# alone smears even that, but by less than half a token of 20 ms.
DELAY_TOLERANCE_S = 0.0005
ENVELOPE_TOLERANCE_S = {"codec2": 0.005, "mdctcodec": 0.01, "p2psyncodec": 0.01}

DECODE_ALL = """
import sys, pathlib, numpy, synbench_codecs
for path in pathlib.Path(sys.argv[1]).glob("*.syn"):
    encoded = synbench_codecs.read_stream(path.read_bytes())
    wave = synbench_codecs.load(encoded.spec).decode(encoded)
    numpy.save(path.with_suffix(".npy"), wave)
"""


def _points() -> Iterator[Any]:
    for name in synbench_codecs.names():
        try:
            points = synbench_codecs.codec_class(name).points
        except Unavailable as reason:
            yield pytest.param(name, {}, id=name, marks=pytest.mark.skip(reason=str(reason)))
            continue
        for options in points:
            yield pytest.param(name, options, id=synbench_codecs.format_spec(name, options))


POINTS = list(_points())
every_codec = pytest.mark.parametrize(("name", "options"), POINTS)


def load(name: str, options: dict[str, Any]) -> Any:
    return synbench_codecs.load(name, **options, **made_up_weights(name, options))


def make(name: str, options: dict[str, Any]) -> Any:
    try:
        return load(name, options)
    except Unavailable as reason:
        pytest.skip(str(reason))


def made_up_weights(name: str, options: dict[str, Any]) -> dict[str, str]:
    """The option that gives a codec its random weights; none for a codec without any."""
    if untrained.is_trainable(name):
        return {"weights": untrained.weights(name, options)}
    return {}


def rates(info: CodecInfo) -> tuple[int, int]:
    """Input and output rate in Hz."""
    sample_rate = info.sample_rate or ANY_RATE
    return sample_rate, info.output_sample_rate or sample_rate


def needed_samples(info: CodecInfo, n_samples: int) -> int:
    sample_rate, output_rate = rates(info)
    return math.floor(n_samples * output_rate / sample_rate) + info.output_delay_samples


def through(codec: Any, wave: Wave, sample_rate: int) -> tuple[Encoded, Wave]:
    encoded = read_stream(write_stream(codec.encode(wave, sample_rate)))
    return encoded, codec.decode(encoded)


@every_codec
def test_the_spec_loads_the_same_codec(name: str, options: dict[str, Any]) -> None:
    codec = make(name, options)
    assert synbench_codecs.load(codec.info.spec).info == codec.info
    assert codec.info.label
    assert codec.info.source


@pytest.mark.parametrize("name", sorted({point.values[0] for point in POINTS}))
def test_labels_tell_operating_points_apart(name: str) -> None:
    labels = []
    for options in (point.values[1] for point in POINTS if point.values[0] == name):
        # One point without weights hides none of the others.
        with contextlib.suppress(Unavailable):
            labels.append(load(name, options).info.label)
    if not labels:
        pytest.skip("no operating point can be loaded here")
    assert len(set(labels)) == len(labels)


@every_codec
def test_decoded_wave_covers_the_input(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    wave = synthetic(sample_rate)
    encoded, decoded = through(codec, wave, sample_rate)
    assert decoded.dtype == np.float32
    assert decoded.ndim == 1
    assert decoded.size >= needed_samples(codec.info, wave.size)
    assert np.isfinite(decoded).all()
    assert (encoded.n_samples, encoded.sample_rate) == (wave.size, sample_rate)


@every_codec
def test_same_wave_gives_the_same_bytes_and_the_same_wave(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    codec, other = make(name, options), make(name, options)
    sample_rate, _ = rates(codec.info)
    wave = synthetic(sample_rate)
    encoded, decoded = through(codec, wave, sample_rate)
    for again in (codec, other):
        encoded_again, decoded_again = through(again, wave, sample_rate)
        assert encoded_again == encoded
        np.testing.assert_array_equal(decoded_again, decoded)


@pytest.fixture(scope="module")
def decoded_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, synthetic: Callable[[int], Wave]
) -> Path:
    """A folder where one new process has decoded the stream of every available codec."""
    folder = tmp_path_factory.mktemp("streams")
    for point in POINTS:
        try:
            name, options = point.values
            codec = load(name, options)
        except CodecError:
            continue
        sample_rate, _ = rates(codec.info)
        stream = write_stream(codec.encode(synthetic(sample_rate), sample_rate))
        Path(folder, f"{point.id}.syn").write_bytes(stream)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", DECODE_ALL, folder], check=True, env=environment)
    return folder


@every_codec
def test_another_process_decodes_the_same_wave(
    name: str, options: dict[str, Any], decoded_elsewhere: Path
) -> None:
    codec = make(name, options)
    path = decoded_elsewhere / f"{synbench_codecs.format_spec(name, options)}.syn"
    here = codec.decode(read_stream(path.read_bytes()))
    np.testing.assert_array_equal(np.load(path.with_suffix(".npy")), here)


@every_codec
def test_any_short_length_is_coded(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    wave = synthetic(sample_rate)
    longest = 3 * (codec.info.hop_length or ANY_HOP)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.one_of(st.just(1), st.just(longest), st.integers(1, longest)))
    def check(n_samples: int) -> None:
        encoded, decoded = through(codec, wave[5000 : 5000 + n_samples], sample_rate)
        assert encoded.n_samples == n_samples
        assert decoded.size >= needed_samples(codec.info, n_samples)

    check()


@every_codec
def test_payload_bits_are_those_of_whole_frames(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    codec = make(name, options)
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    if info.bits_per_frame is None or info.hop_length is None:
        pytest.skip(f"{name} declares no bits per frame")
    wave = synthetic(sample_rate)
    encoded = codec.encode(wave, sample_rate)
    bits = encoded.payload_bits - encoded.side_bits
    n_frames = math.floor(bits / info.bits_per_frame + 1e-6)
    assert bits == math.ceil(info.bits_per_frame * n_frames - 1e-6)
    delay = info.output_delay_samples * sample_rate / output_rate
    assert wave.size / info.hop_length <= n_frames <= (wave.size + delay) / info.hop_length + 2
    assert info.frame_rate_hz == pytest.approx(sample_rate / info.hop_length)


@every_codec
def test_bit_rate_is_the_nominal_one(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    """Within the bits of the delay and of two frames, which is what flushing may cost."""
    codec = make(name, options)
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    if info.nominal_bitrate_bps is None:
        pytest.skip(f"{name} claims no bit rate")
    wave = synthetic(sample_rate)
    nominal_bits = float(info.nominal_bitrate_bps) * wave.size / sample_rate
    spare_seconds = (
        info.output_delay_samples / output_rate + 2 * (info.hop_length or 0) / sample_rate
    )
    spare_bits = float(info.nominal_bitrate_bps) * spare_seconds
    assert abs(codec.encode(wave, sample_rate).payload_bits - nominal_bits) <= spare_bits


@every_codec
def test_declared_delay_is_the_measured_one_on_twins(
    name: str, options: dict[str, Any], twins: Callable[[int], list[Wave]]
) -> None:
    skip_untrained(name)
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    assert_delay(codec, name, twins(sample_rate))


@every_codec
def test_declared_delay_is_the_measured_one_on_speech(
    name: str, options: dict[str, Any], speech: Callable[[int], list[Wave]]
) -> None:
    skip_untrained(name)
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    assert_delay(codec, name, speech(sample_rate))


def skip_untrained(name: str) -> None:
    if untrained.is_trainable(name):
        pytest.skip("random weights keep no waveform; its declared reach was measured instead")


@every_codec
def test_what_comes_later_than_declared_changes_nothing(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    """Two waves that agree up to a sample give the same output up to the declared reach.

    And not further: a codec whose output came later than declared would agree for longer.
    """
    codec = make(name, options)
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    if not untrained.is_trainable(name) or info.lookahead_samples is None:
        pytest.skip(f"{name} has no network, or its output depends on the whole wave")
    hop = info.hop_length
    wave = synthetic(sample_rate)
    # A frame boundary in the middle; the last frame before it may use all of its look-ahead.
    change = wave.size // 2 // hop * hop
    other = wave.copy()
    other[change:] = -other[change:][::-1]
    one, two = (codec.decode(codec.encode(each, sample_rate)) for each in (wave, other))
    first = int(np.argmax(np.abs(one - two) > 1e-4)) - info.output_delay_samples
    first = first * sample_rate // output_rate
    assert change - info.lookahead_samples - hop <= first <= change + hop


@every_codec
def test_a_batch_of_equal_lengths_gives_the_same_as_single_waves(
    name: str, options: dict[str, Any], twins: Callable[[int], list[Wave]]
) -> None:
    codec = make(name, options)
    if codec.info.batch_policy != "equal_length" or not hasattr(codec, "encode_batch"):
        pytest.skip(f"{name} takes one wave at a time")
    sample_rate, _ = rates(codec.info)
    waves = [wave[: sample_rate // 2] for wave in twins(sample_rate)]
    single = [codec.encode(wave, sample_rate) for wave in waves]
    assert codec.encode_batch(waves, sample_rate) == single
    assert len({encoded.payload for encoded in single}) == len(single)
    for together, encoded in zip(codec.decode_batch(single), single, strict=True):
        # Random weights amplify the rounding that comes with another order of sums.
        np.testing.assert_allclose(together, codec.decode(encoded), atol=1e-3)
    with pytest.raises(EncodeError, match="equal lengths"):
        codec.encode_batch([waves[0], waves[1][1:]], sample_rate)


def assert_delay(codec: Any, name: str, waves: list[Wave]) -> None:
    sample_rate, output_rate = rates(codec.info)
    lags = []
    for wave in waves:
        decoded = codec.decode(codec.encode(wave, sample_rate))
        reference = soxr.resample(wave, sample_rate, output_rate, quality="VHQ")
        if name in ENVELOPE_TOLERANCE_S:
            reference, decoded = envelope(reference, output_rate), envelope(decoded, output_rate)
        lags.append(lag(reference, decoded, int(LARGEST_LAG_S * output_rate)))
    tolerance = ENVELOPE_TOLERANCE_S.get(name, DELAY_TOLERANCE_S)
    assert abs(np.median(lags) - codec.info.output_delay_samples) <= tolerance * output_rate, lags


def envelope(wave: NDArray[Any], sample_rate: int) -> NDArray[np.float64]:
    """Root of the mean square over a 20 ms window."""
    window = np.hanning(sample_rate // 50 | 1)
    power = np.convolve(wave.astype(np.float64) ** 2, window / window.sum(), "same")
    return np.asarray(np.sqrt(power), dtype=np.float64)


def lag(reference: NDArray[Any], decoded: NDArray[Any], largest: int) -> int:
    """Where the cross-correlation is highest, from ``-largest`` to ``largest`` samples."""
    size = 1 << (reference.size + decoded.size).bit_length()
    one, two = (np.fft.rfft(wave - wave.mean(), size) for wave in (reference, decoded))
    correlation = np.fft.irfft(two * one.conj(), size)
    lags = np.arange(-largest, largest + 1)
    return int(lags[np.argmax(correlation[lags])])


@every_codec
def test_silence_stays_finite(name: str, options: dict[str, Any]) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    _, decoded = through(codec, np.zeros(sample_rate, dtype=np.float32), sample_rate)
    assert np.isfinite(decoded).all()


@every_codec
def test_full_scale_and_beyond_stays_finite(name: str, options: dict[str, Any]) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    noise = np.random.default_rng(3).standard_normal(sample_rate // 2).astype(np.float32)
    _, decoded = through(codec, 2 * noise, sample_rate)
    assert np.isfinite(decoded).all()


@every_codec
def test_bad_waves_are_refused(name: str, options: dict[str, Any]) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    good = np.zeros(sample_rate // 10, dtype=np.float32)
    with pytest.raises(EncodeError, match="empty"):
        codec.encode(good[:0], sample_rate)
    with pytest.raises(EncodeError, match="shape"):
        codec.encode(np.stack([good, good], axis=1), sample_rate)
    for value in (np.nan, np.inf):
        with pytest.raises(EncodeError, match="NaN or infinity"):
            codec.encode(np.append(good, np.float32(value)), sample_rate)
    if codec.info.sample_rate is not None:
        with pytest.raises(EncodeError, match="resample first"):
            codec.encode(good, sample_rate + 50)


@every_codec
def test_foreign_streams_are_refused(
    name: str, options: dict[str, Any], synthetic: Callable[[int], Wave]
) -> None:
    codec = make(name, options)
    sample_rate, _ = rates(codec.info)
    encoded = codec.encode(synthetic(sample_rate)[:2000], sample_rate)
    with pytest.raises(BitstreamError, match="cannot decode a stream of"):
        codec.decode(dataclasses.replace(encoded, spec="another:mode=1"))
    with pytest.raises(BitstreamError, match="another adapter version"):
        codec.decode(dataclasses.replace(encoded, model_digest=bytes(8)))
    shorter = dataclasses.replace(
        encoded, payload=encoded.payload[:-1], payload_bits=8 * len(encoded.payload[:-1])
    )
    with pytest.raises(BitstreamError):
        codec.decode(shorter)


@every_codec
def test_unknown_options_are_refused(name: str, options: dict[str, Any]) -> None:
    make(name, options)
    with pytest.raises(UsageError, match="no option 'bitrate_pbs'"):
        synbench_codecs.load(name, bitrate_pbs=1, **options)
