"""What every codec must do, run over all registered codecs and their points.

A codec with trained weights runs on a small network with random ones, which ``untrained.py`` makes
from its class method ``untrained(reduced=True, ...)`` and hands over by its option ``weights``.
Only where weights come with the package, they are the ones that are tested.
Nothing needs to be added here for a new codec.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
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
from synbench.execution.decoding import check_length
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

NO_WEIGHTS = "no-such-file"

# Reads names of streams, and the codec as its user names it, from standard input and answers each
# with its wave in a file beside it.
DECODER = """
import sys, pathlib, numpy, synbench_codecs
for line in sys.stdin:
    name, spec = line.rstrip().split("\t")
    path = pathlib.Path(name)
    encoded = synbench_codecs.read_stream(path.read_bytes())
    codec = synbench_codecs.load_stored(encoded.spec, chosen=spec)
    numpy.save(path.with_suffix(".npy"), codec.decode(encoded))
    print("decoded", flush=True)
"""


@dataclasses.dataclass(frozen=True)
class Point:
    """One operating point of one codec, as its class names it."""

    name: str
    options: dict[str, Any]

    @property
    def spec(self) -> str:
        return synbench_codecs.format_spec(self.name, self.options)


def all_points() -> tuple[list[Any], list[Any]]:
    """The points that can be tested here, and one skipped parameter for each that cannot."""
    points, absent = [], []
    for name in synbench_codecs.names():
        group = pytest.mark.xdist_group(f"codec {name}")
        try:
            operating_points = synbench_codecs.codec_class(name).points
        except Unavailable as error:
            absent.append(pytest.param(name, marks=pytest.mark.skip(reason=str(error))))
            continue
        for options in operating_points:
            point = Point(name, options)
            reason = why_absent(point)
            if reason is None:
                points.append(pytest.param(point, id=point.spec, marks=group))
            else:
                skip = pytest.mark.skip(reason=f"{name}: {reason}")
                absent.append(pytest.param(point.spec, marks=skip))
    return points, absent


def why_absent(point: Point) -> str | None:
    """What a codec lacks on this machine; no large network is made to find it."""
    if untrained.is_trainable(point.name):
        if importlib.util.find_spec("torch") is None:
            return "torch is absent"
        # A file that is not there is refused only after the packages were found.
        made_up = {"weights": NO_WEIGHTS}
    else:
        made_up = {}
    try:
        synbench_codecs.load(point.name, **point.options, **made_up)
    except Unavailable as reason:
        return str(reason)
    except CodecError:
        assert made_up
    return None


def slow_between(points: list[Any]) -> list[Any]:
    """The same points; those between the first and the last of a codec are slow.

    One option alone differs between them, mostly the bit rate.
    """
    names = [each.values[0].name for each in points]
    marked = []
    for index, point in enumerate(points):
        others = names[index - 1 : index] + names[index + 1 : index + 2]
        is_between = index > 0 and others == [names[index]] * 2
        slow = [pytest.mark.slow] if is_between else []
        marked.append(pytest.param(*point.values, id=point.id, marks=[*point.marks, *slow]))
    return marked


POINTS, ABSENT = all_points()
every_codec = pytest.mark.parametrize("point", POINTS)
# For what codes and decodes anew.
first_and_last = pytest.mark.parametrize("point", slow_between(POINTS))
# Random weights keep no waveform; the declared reach of their network is measured instead.
every_waveform = pytest.mark.parametrize(
    "point",
    slow_between([each for each in POINTS if not untrained.is_trainable(each.values[0].name)]),
)
every_network = pytest.mark.parametrize(
    "point", slow_between([each for each in POINTS if untrained.is_trainable(each.values[0].name)])
)


def load(point: Point) -> Any:
    """A new codec, with random weights where it has none."""
    made_up = {}
    if untrained.is_trainable(point.name):
        made_up["weights"] = untrained.weights(point.name, point.options)
    return synbench_codecs.load(point.name, **point.options, **made_up)


@functools.lru_cache(maxsize=4)
def _loaded(spec: str) -> Any:
    return load(next(each.values[0] for each in POINTS if each.values[0].spec == spec))


@pytest.fixture
def codec(point: Point) -> Any:
    """The codec of a point, the same one for all tests of that point."""
    return _loaded(point.spec)


@dataclasses.dataclass(frozen=True)
class Coded:
    """What one codec makes of the synthetic wave."""

    wave: Wave
    sample_rate: int
    encoded: Encoded
    decoded: Wave


@pytest.fixture
def coded(point: Point, codec: Any, code_once: Callable[[str, Any], Coded]) -> Coded:
    """The synthetic wave through the codec of a point."""
    return code_once(point.spec, codec)


@pytest.fixture(scope="session")
def code_once(synthetic: Callable[[int], Wave]) -> Callable[[str, Any], Coded]:
    """Codes the synthetic wave once for all tests of a point."""
    known: dict[str, Coded] = {}

    def code(spec: str, codec: Any) -> Coded:
        if spec not in known:
            sample_rate, _ = rates(codec.info)
            wave = synthetic(sample_rate)
            known[spec] = Coded(wave, sample_rate, *through(codec, wave, sample_rate))
        return known[spec]

    return code


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


@pytest.mark.parametrize("absent", ABSENT or [None])
def test_every_codec_can_be_tested(absent: str | None) -> None:
    assert absent is None, f"not skipped: {absent}"


@every_codec
def test_the_spec_loads_the_same_codec(codec: Any) -> None:
    assert synbench_codecs.load(codec.info.spec).info == codec.info
    assert codec.info.label
    assert codec.info.source


@pytest.mark.parametrize("name", sorted({each.values[0].name for each in POINTS}))
def test_labels_tell_operating_points_apart(name: str) -> None:
    points = [each.values[0] for each in POINTS if each.values[0].name == name]
    labels = [load(point).info.label for point in points]
    assert len(set(labels)) == len(labels)


@every_codec
def test_decoded_wave_covers_the_input(codec: Any, coded: Coded) -> None:
    encoded, decoded = coded.encoded, coded.decoded
    assert decoded.dtype == np.float32
    assert decoded.ndim == 1
    assert decoded.size >= needed_samples(codec.info, coded.wave.size)
    assert np.isfinite(decoded).all()
    assert (encoded.n_samples, encoded.sample_rate) == (coded.wave.size, coded.sample_rate)


@first_and_last
def test_same_wave_gives_the_same_bytes_and_the_same_wave(
    point: Point, codec: Any, coded: Coded
) -> None:
    for again in (codec, load(point)):
        encoded_again, decoded_again = through(again, coded.wave, coded.sample_rate)
        assert encoded_again == coded.encoded
        np.testing.assert_array_equal(decoded_again, coded.decoded)


@pytest.fixture(scope="session")
def decode_elsewhere(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Encoded, str], Wave]]:
    """Decodes in a process that has coded nothing."""
    folder = tmp_path_factory.mktemp("streams")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", DECODER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def decode(encoded: Encoded, spec: str) -> Wave:
            path = folder / f"{len(list(folder.glob('*.syn')))}.syn"
            path.write_bytes(write_stream(encoded))
            print(path, spec, sep="\t", file=process.stdin, flush=True)
            assert process.stdout.readline() == "decoded\n"
            return np.asarray(np.load(path.with_suffix(".npy")), dtype=np.float32)

        yield decode
        process.stdin.close()


@every_codec
def test_the_decoded_wave_is_no_longer_than_a_frame_more(coded: Coded, codec: Any) -> None:
    """What is more than that is a failure of the item, unless the codec declares it."""
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    check_length(info, coded.decoded, coded.wave.size, sample_rate, output_rate)


@first_and_last
def test_another_process_decodes_the_same_wave(
    coded: Coded, codec: Any, decode_elsewhere: Callable[[Encoded, str], Wave]
) -> None:
    np.testing.assert_array_equal(decode_elsewhere(coded.encoded, codec.info.spec), coded.decoded)


@first_and_last
def test_any_short_length_is_coded(codec: Any, synthetic: Callable[[int], Wave]) -> None:
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
def test_payload_bits_are_those_of_whole_frames(codec: Any, coded: Coded) -> None:
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    wave, encoded = coded.wave, coded.encoded
    bits = encoded.payload_bits - encoded.side_bits
    if info.bits_per_frame is None or info.hop_length is None:
        # Without a frame there is no fixed share of one: bytes are all that can be counted.
        assert 0 < bits == 8 * len(encoded.payload)
        return
    n_frames = math.floor(bits / info.bits_per_frame + 1e-6)
    assert bits == math.ceil(info.bits_per_frame * n_frames - 1e-6)
    delay = info.output_delay_samples * sample_rate / output_rate
    assert wave.size / info.hop_length <= n_frames <= (wave.size + delay) / info.hop_length + 2
    assert info.frame_rate_hz == pytest.approx(sample_rate / info.hop_length)


@every_codec
def test_bit_rate_is_the_nominal_one(codec: Any, coded: Coded) -> None:
    """Within the bits of the delay and of two frames, which is what flushing may cost."""
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    wave = coded.wave
    if info.nominal_bitrate_bps is None:
        assert info.kind == "anchor"  # whatever is compared by its rate has to claim one
        return
    nominal_bits = float(info.nominal_bitrate_bps) * wave.size / sample_rate
    spare_seconds = (
        info.output_delay_samples / output_rate + 2 * (info.hop_length or 0) / sample_rate
    )
    spare_bits = float(info.nominal_bitrate_bps) * spare_seconds
    assert abs(coded.encoded.payload_bits - nominal_bits) <= spare_bits


@every_waveform
def test_declared_delay_is_the_measured_one_on_twins(
    point: Point, codec: Any, twins: Callable[[int], list[Wave]]
) -> None:
    sample_rate, _ = rates(codec.info)
    assert_delay(codec, point.name, twins(sample_rate))


@every_waveform
def test_declared_delay_is_the_measured_one_on_speech(
    point: Point, codec: Any, speech: Callable[[int], list[Wave]]
) -> None:
    sample_rate, _ = rates(codec.info)
    assert_delay(codec, point.name, speech(sample_rate))


@every_network
def test_what_comes_later_than_declared_changes_nothing(
    codec: Any, synthetic: Callable[[int], Wave]
) -> None:
    """Two waves that agree up to a sample give the same output up to the declared reach.

    And not further: a codec whose output came later than declared would agree for longer.
    """
    info, (sample_rate, output_rate) = codec.info, rates(codec.info)
    if info.lookahead_samples is None:
        assert info.context != "finite"
        return
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


@first_and_last
def test_a_batch_of_equal_lengths_gives_the_same_as_single_waves(
    codec: Any, twins: Callable[[int], list[Wave]]
) -> None:
    if codec.info.batch_policy != "equal_length" or not hasattr(codec, "encode_batch"):
        return  # it takes one wave at a time, and says so
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


@first_and_last
def test_silence_stays_finite(codec: Any) -> None:
    sample_rate, _ = rates(codec.info)
    _, decoded = through(codec, np.zeros(sample_rate, dtype=np.float32), sample_rate)
    assert np.isfinite(decoded).all()


@first_and_last
def test_full_scale_and_beyond_stays_finite(codec: Any) -> None:
    sample_rate, _ = rates(codec.info)
    noise = np.random.default_rng(3).standard_normal(sample_rate // 2).astype(np.float32)
    _, decoded = through(codec, 2 * noise, sample_rate)
    assert np.isfinite(decoded).all()


@every_codec
def test_bad_waves_are_refused(codec: Any) -> None:
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
def test_foreign_streams_are_refused(codec: Any, synthetic: Callable[[int], Wave]) -> None:
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
def test_unknown_options_are_refused(point: Point) -> None:
    with pytest.raises(UsageError, match="no option 'bitrate_pbs'"):
        synbench_codecs.load(point.name, bitrate_pbs=1, **point.options)
