"""What every codec has to keep, tried on one codec: yours, from a file, or one by name.

Each trial is a function that takes a :class:`_Tried` and returns what it found, or raises
:class:`Broken` with what was expected, what came, and where. The waves are those that codecs
stumble over; none needs a file.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import synbench_codecs
from synbench.coding import loaded
from synbench.execution.decoding import check_length, output_rate
from synbench_base.errors import BitstreamError, EncodeError, SynbenchError, UsageError
from synbench_codecs import Codec, CodecInfo, Encoded, Options, Recording, Wave

ANY_RATE = 16000
# A lag below this is not heard, and a parametric codec has no waveform to measure it on.
LARGEST_LAG_SECONDS = 0.005
SURE_CORRELATION = 0.5
DECODE_SECONDS = 120
DECODE = """
import sys
import numpy, synbench_codecs
from synbench.codec_contract import makers
encoded = synbench_codecs.read_stream(open(sys.argv[2], "rb").read())
codec = makers(sys.argv[1])[int(sys.argv[4])][1]()
numpy.save(sys.argv[3], synbench_codecs.decode(codec, encoded))
"""

Maker = Callable[[], Codec]

__all__ = ["Broken", "KeptRule", "check_codec", "makers"]


class Broken(Exception):
    """A trial that failed; the message says what was expected and what came."""


@dataclass(frozen=True, kw_only=True)
class KeptRule:
    """One line of the table.

    Attributes:
        rule: what has to hold.
        holds: whether it does.
        detail: what was measured, or what came in its place.
    """

    rule: str
    holds: bool
    detail: str


class _Tried:
    """A codec under trial, and what several trials need of it."""

    def __init__(self, make: Maker, *, source: str, number: int) -> None:
        self.make = make
        self.source, self.number = source, number
        self.codec = make()
        self.info: CodecInfo = self.codec.info
        self.rate = self.info.sample_rate or ANY_RATE
        self.speech = _speech(self.rate)

    def through(self, wave: Wave, codec: Codec | None = None) -> tuple[Encoded, Wave]:
        """A wave through the bytes of a file and back."""
        one = codec or self.codec
        encoded = synbench_codecs.encode(one, wave, self.rate)
        stored = synbench_codecs.read_stream(synbench_codecs.write_stream(encoded))
        return encoded, synbench_codecs.decode(one, stored)


def makers(source: str) -> list[tuple[str, Maker]]:
    """The codecs that ``source`` names, each with a function that makes it.

    Args:
        source: a codec's name with options, or a Python file that defines ``CODECS``; of a file,
            every codec with the options of its ``points``.

    Raises:
        UsageError: neither, or the file defines no codec.
    """
    name = source.partition(":")[0]
    if not source.endswith(".py") or name in synbench_codecs.names():
        return [(source, lambda: _no_recording(synbench_codecs.load(source), source))]
    path = Path(source).expanduser()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"there is no file {source}; to begin one: synbench new codec NAME")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    # As if it were run there: what lies beside it can be imported.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{source} does not run: {type(error).__name__}: {error}") from error
    classes = getattr(module, "CODECS", None)
    if not isinstance(classes, dict) or not classes:
        raise UsageError(
            f'{source} defines no CODECS; at its end: CODECS = {{"mycodec": MyCodec}}, '
            "name to class"
        )
    return [
        (synbench_codecs.format_spec(name, options), _maker(codec, options))
        for name, codec in classes.items()
        for options in _points(codec)
    ]


def _points(codec: Any) -> Sequence[Options]:
    return getattr(codec, "points", ()) or ({},)


def _maker(codec: Any, options: Any) -> Maker:
    return lambda: codec(**options)


def _no_recording(codec: Codec | Recording, source: str) -> Codec:
    if isinstance(codec, Recording):
        raise UsageError(f"{source} is a folder of finished recordings: there is nothing to code")
    return codec


def check_codec(make: Maker, *, source: str, number: int = 0) -> Iterator[KeptRule]:
    """Try every rule on a codec; a rule that is broken does not stop the others.

    Args:
        make: gives a new codec at every call.
        source, number: how another process comes by it, as :func:`makers` counts.
    """
    try:
        tried = _Tried(make, source=source, number=number)
        problem = _not_a_codec(tried.codec)
    except SynbenchError:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
        problem = f"{type(error).__name__}: {error}"
    if problem:
        yield KeptRule(rule="it is a codec", holds=False, detail=problem)
        return
    for rule, trial in TRIALS.items():
        try:
            kept = KeptRule(rule=rule, holds=True, detail=trial(tried))
        except (Broken, SynbenchError) as error:
            kept = KeptRule(rule=rule, holds=False, detail=str(error))
        except Exception as error:  # noqa: BLE001 - likewise
            said = f"{type(error).__name__}: {error}"
            kept = KeptRule(rule=rule, holds=False, detail=said)
        yield kept


def _not_a_codec(codec: Any) -> str:
    absent = [name for name in ("info", "encode", "decode") if not hasattr(codec, name)]
    if absent:
        return f"{type(codec).__name__} has no {', '.join(absent)}"
    if not isinstance(codec.info, CodecInfo):
        return f"info is a {type(codec.info).__name__}, expected synbench_codecs.CodecInfo"
    return ""


def _described(tried: _Tried) -> str:
    info = tried.info
    absent = [
        name for name in ("spec", "label", "implementation", "source") if not _text(info, name)
    ]
    if absent:
        raise Broken(f"info lacks {', '.join(absent)}")
    if not hasattr(type(tried.codec), "points"):
        raise Broken("the class has no points: ({},) where there is one operating point")
    return f"{info.label}, {info.spec}"


def _text(info: CodecInfo, name: str) -> str:
    return str(getattr(info, name)).strip()


def _waves_come_back(tried: _Tried) -> str:
    hop = tried.info.hop_length or ANY_RATE // 50
    waves = {
        "speech": tried.speech,
        "silence": np.zeros_like(tried.speech),
        "one sample": tried.speech[:1],
        f"{hop - 1} samples": tried.speech[5000 : 5000 + hop - 1],
        f"{hop + 1} samples": tried.speech[5000 : 5000 + hop + 1],
        "full scale": np.sign(tried.speech).astype(np.float32),
    }
    for name, wave in waves.items():
        if not wave.size:
            continue
        encoded, decoded = tried.through(wave)
        if (encoded.n_samples, encoded.sample_rate) != (wave.size, tried.rate):
            raise Broken(
                f"{name}: the stream says {encoded.n_samples} samples at {encoded.sample_rate} Hz, "
                f"expected {wave.size} at {tried.rate}"
            )
        if not np.isfinite(decoded).all():
            raise Broken(f"{name}: decode gave NaN or infinity")
        check_length(
            tried.info, decoded, wave.size, tried.rate, output_rate(tried.info, tried.rate)
        )
    return ", ".join(waves)


def _same_again(tried: _Tried) -> str:
    encoded, decoded = tried.through(tried.speech)
    for name, codec in (("the same codec", tried.codec), ("a new one", tried.make())):
        again, wave = tried.through(tried.speech, codec)
        if again != encoded:
            raise Broken(f"{name} wrote other bytes for the same wave; seed what is random")
        if not np.array_equal(wave, decoded):
            raise Broken(f"{name} decoded another wave from the same bytes; seed what is random")
    return "bytes and wave, twice and in a new codec"


def _bytes_alone(tried: _Tried) -> str:
    encoded, decoded = tried.through(tried.speech)
    with tempfile.TemporaryDirectory() as folder:
        stream, wave = Path(folder, "one.syn"), Path(folder, "one.npy")
        stream.write_bytes(synbench_codecs.write_stream(encoded))
        command = [sys.executable, "-c", DECODE, tried.source, str(stream), str(wave)]
        done = subprocess.run(
            [*command, str(tried.number)],
            capture_output=True,
            text=True,
            timeout=DECODE_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Broken((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
        elsewhere = np.load(wave)
    if not np.array_equal(elsewhere, decoded):
        raise Broken("a process that coded nothing decodes another wave: something is carried over")
    return "a process that coded nothing gives the same wave"


def _bits(tried: _Tried) -> str:
    encoded, _ = tried.through(tried.speech)
    if not 0 <= 8 * len(encoded.payload) - encoded.payload_bits < 8:
        raise Broken(f"{encoded.payload_bits} bits counted in {len(encoded.payload)} bytes")
    seconds = tried.speech.size / tried.rate
    # What is sent once per wave is no rate.
    measured = (encoded.payload_bits - encoded.side_bits) / seconds
    nominal = tried.info.nominal_bitrate_bps
    side = f", {encoded.side_bits} bits of side information" if encoded.side_bits else ""
    if nominal is None:
        return f"{measured:.0f} bit/s counted, none declared{side}"
    delay = tried.info.output_delay_samples / output_rate(tried.info, tried.rate)
    spare = float(nominal) * (delay + 2 * (tried.info.hop_length or 0) / tried.rate) / seconds
    if abs(measured - float(nominal)) > spare + 8 / seconds:
        raise Broken(f"{measured:.0f} bit/s counted, {float(nominal):g} declared")
    return f"{measured:.0f} bit/s counted, {float(nominal):g} declared{side}"


def _left_alone(tried: _Tried) -> str:
    wave = tried.speech.copy()
    wave.flags.writeable = False
    tried.through(wave)
    return "a wave that cannot be written is taken"


def _refused(tried: _Tried) -> str:
    wave, rate = tried.speech, tried.rate
    strange = {
        "an empty wave": (wave[:0], rate),
        "NaN": (np.full_like(wave, np.nan), rate),
        "two channels": (np.stack([wave, wave]), rate),
    }
    if tried.info.sample_rate is not None:
        strange["another rate"] = (wave, rate + 1)
    for name, (one, at) in strange.items():
        try:
            synbench_codecs.encode(tried.codec, one, at)
        except EncodeError:
            continue
        except Exception as error:
            raise Broken(
                f"{name}: {type(error).__name__} in place of EncodeError; "
                "check_wave(wave, sample_rate, info=self.info) says it for you"
            ) from error
        raise Broken(f"{name} was coded; expected EncodeError")
    return ", ".join(strange)


def _foreign_streams(tried: _Tried) -> str:
    encoded, _ = tried.through(tried.speech)
    foreign = {
        "another version's": dataclasses.replace(encoded, model_digest=b"\xff" * 8),
        "another codec's": dataclasses.replace(encoded, spec="another-codec"),
        "a cut one": dataclasses.replace(
            encoded,
            payload=encoded.payload[:1],
            payload_bits=min(encoded.payload_bits, 8),
            side_bits=0,
        ),
    }
    for name, stream in foreign.items():
        try:
            synbench_codecs.decode(tried.codec, stream)
        except BitstreamError:
            continue
        except Exception as error:
            raise Broken(f"{name}: {type(error).__name__} in place of BitstreamError") from error
        if name == "a cut one" and len(encoded.payload) <= 1:
            continue
        raise Broken(
            f"{name} was decoded; expected BitstreamError, as check_encoded(encoded, "
            "info=self.info) raises it"
        )
    return ", ".join(foreign)


def _delay(tried: _Tried) -> str:
    result = loaded(tried.codec, tried.info.spec).reconstruct(tried.speech, sample_rate=tried.rate)
    lag, similarity = _best_lag(result.wave, tried.speech)
    declared = tried.info.output_delay_samples
    if not similarity >= SURE_CORRELATION:
        return f"{declared} samples declared; no waveform to measure it on (r = {similarity:.2f})"
    if abs(lag) > LARGEST_LAG_SECONDS * tried.rate:
        more = round(lag / tried.rate * output_rate(tried.info, tried.rate))
        raise Broken(
            f"{declared} samples declared, {more} more measured: "
            f"output_delay_samples={declared + more}"
        )
    return f"{declared} samples declared, {1e3 * lag / tried.rate:+.1f} ms left"


def _best_lag(wave: NDArray[np.float64], reference: Wave) -> tuple[int, float]:
    """By how many samples a wave is late, and the correlation there."""
    from scipy.signal import correlate

    products = correlate(wave, reference.astype(np.float64))
    best = int(products.argmax())
    level = np.sqrt(np.square(wave).sum() * np.square(reference, dtype=np.float64).sum())
    return best - (reference.size - 1), float(products[best] / level) if level else 0.0


def _speech(rate: int) -> Wave:
    """A second and a half of gliding harmonics in syllables; float32, within ±.3."""
    time = np.arange(int(1.5 * rate)) / rate
    pitch = 140 + 40 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase + k * k) / k for k in range(1, 25))
    level = np.clip(np.sin(2 * np.pi * 3.3 * time) + 0.4, 0, None)
    noise = 0.02 * np.random.default_rng(5).standard_normal(time.size)
    wave = np.asarray(voice) * level + noise
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


TRIALS: dict[str, Callable[[_Tried], str]] = {
    "info says what it is": _described,
    "waves come back": _waves_come_back,
    "the same again": _same_again,
    "decoded from the bytes alone": _bytes_alone,
    "the bits are counted": _bits,
    "the input stays as it was": _left_alone,
    "what is no speech is refused": _refused,
    "foreign streams are refused": _foreign_streams,
    "the delay is the declared one": _delay,
}
