"""How long a codec keeps speech back: what it declares, and what its bytes and waves show.

Measured by changing the input from one sample on and looking where the output changes first. Output
times are those of the input: the declared delay of the wave is taken off. Then

    algorithmic delay    the longest time by which an output sample has to wait for the input that
                         it depends on: frame, look-ahead and what the decoder adds
    encoder, decoder     the same for bytes after input, and for output after bytes

A change that reaches back to the start of a wave of any length means that the codec needs the whole
file. No weights are needed: a network's reach does not depend on them. What far ends of its filters
do is lost in rounding and in the choice of codes; networks of convolutions and recurrences are
therefore traced (:mod:`synbench_codecs._reach`), which is exact.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from synbench_codecs._delays import ANY_RATE, delays_of
from synbench_codecs._framing import payload_frames
from synbench_codecs._interface import CodecInfo, Wave
from synbench_codecs.errors import BitstreamError

# A reach of more than half of the wave in both lengths is that of the whole file.
SHORT_SECONDS, LONG_SECONDS = 2.0, 8.0
CLICK_SAMPLES = 8
SEVERAL_FRAMES = 3
QUIET = 1e-3

__all__ = ["Latency", "declared_latency", "measure_latency"]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Delays of one codec in seconds; ``None`` where the codec needs the whole file.

    Attributes:
        spec, label: of the codec.
        frame_seconds: duration of a frame; 0 where it declares none.
        declared_seconds: frame and look-ahead as declared.
        measured_seconds: algorithmic delay as measured.
        by: how: ``trace`` of the network's connections, or ``changes`` of the input.
        encoder_seconds: by which bytes wait for input, of ``measured_seconds``; NaN where the
            payload has no frames to look at.
        decoder_seconds: by which output waits for bytes, beyond the frame itself; NaN likewise.
    """

    spec: str
    label: str
    frame_seconds: float
    declared_seconds: float | None
    measured_seconds: float | None
    encoder_seconds: float | None
    decoder_seconds: float | None
    by: Literal["trace", "changes"] = "changes"

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; what could not be measured is null."""
        record = dataclasses.asdict(self)
        for name, value in record.items():
            if isinstance(value, float) and math.isnan(value):
                record[name] = None
        return record | {"whole_file": self.measured_seconds is None}


def declared_latency(info: CodecInfo) -> float | None:
    """Frame and look-ahead in seconds as a codec declares them; ``None``: the whole file."""
    return delays_of(vars(info)).total


def measure_latency(codec: Any) -> Latency:
    """Measure a codec by some 20 codings of 2 seconds, or of 8 for networks that reach far.

    What is found is what certainly has to be waited for: a codec whose windows fade out at the end
    of a frame depends on its last samples so little that no bit shows it.

    Args:
        codec: with ``info``, ``encode`` and ``decode``.
    """
    info: CodecInfo = codec.info
    sample_rate = info.sample_rate or ANY_RATE
    reach = _traced(codec)
    if reach is not None:
        measured, encoder = reach
    else:
        measured = _longest_wait(codec, _first_sample(codec), seconds=SHORT_SECONDS)
        if measured is None or measured > SHORT_SECONDS / 8:
            measured = _longest_wait(codec, _first_sample(codec), seconds=LONG_SECONDS)
        encoder = None if measured is None else _encoder_wait(codec)
    return Latency(
        spec=info.spec,
        label=info.label,
        frame_seconds=(info.hop_length or 0) / sample_rate,
        declared_seconds=declared_latency(info),
        measured_seconds=measured,
        encoder_seconds=encoder,
        decoder_seconds=None if measured is None or encoder is None else measured - encoder,
        by="changes" if reach is None else "trace",
    )


def _traced(codec: Any) -> tuple[float | None, float | None] | None:
    """Delay of codec and encoder by the network's connections, where they can be followed."""
    if codec.info.kind != "neural" or not hasattr(codec, "tokenise"):
        return None
    from synbench_codecs._reach import structural_reach

    reach = structural_reach(codec)
    if reach is None:
        return None
    return (None, None) if math.isinf(reach.total) else (reach.total, reach.encoder)


def _encoder_wait(codec: Any) -> float | None:
    try:
        return _longest_wait(codec, _first_frame(codec), seconds=SHORT_SECONDS)
    except BitstreamError:
        return math.nan


def _longest_wait(
    codec: Any, first_change: Callable[[Wave, Wave], float], *, seconds: float
) -> float | None:
    """Longest time from an output to the input that it depends on; ``None``: the whole file.

    A frame waits longest for its last samples, so the input is changed just before the ends of
    frames, and at some places between, because look-ahead shifts those ends.
    """
    info: CodecInfo = codec.info
    sample_rate = info.sample_rate or ANY_RATE
    # Before a quiet wave a coder of waveforms has small steps, which the ends of its windows show.
    levels = (1.0,) if info.kind == "neural" else (1.0, QUIET)
    waves = [level * _speech_like(seconds, sample_rate) for level in levels]
    waits = [_wait_of(codec, first_change, wave.astype(np.float32)) for wave in waves]
    longest = max(waits)
    return None if longest > 0.4 * seconds else max(longest, 0.0)


def _wait_of(codec: Any, first_change: Callable[[Wave, Wave], float], wave: Wave) -> float:
    """The longest wait in seconds that changes of one wave show."""
    info: CodecInfo = codec.info
    sample_rate = info.sample_rate or ANY_RATE
    hop = info.hop_length or 1
    # A network shows every change; where few bits are left for it, one frame may hide it.
    count = 1 if info.kind == "neural" else SEVERAL_FRAMES
    half = wave.size // 2 // hop
    starts = set()
    for boundary in (hop * (half + 5 * number) for number in range(count)):
        starts |= {boundary - before for before in (1, 2, 4, 8, 16)}
        starts |= {boundary - round(share * hop / 8) for share in range(1, 8)}

    def first_of(start: int) -> float:
        return first_change(wave, _changed(wave, start))

    firsts = {start: first_of(start) for start in sorted(starts)}
    low = max(firsts, key=lambda start: start - firsts[start])
    # Between two places the wait grows sample by sample, up to the one where a frame ends.
    first, high = firsts[low], low + hop // 8 + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if first_of(middle) <= first else (low, middle)
    # The first output sample that changed knows of the input sample itself.
    return (low - first + 1) / sample_rate


def _first_sample(codec: Any) -> Callable[[Wave, Wave], float]:
    """When the output of two waves differs first, in samples of the input, delay taken off."""
    info: CodecInfo = codec.info
    sample_rate = info.sample_rate or ANY_RATE
    output_rate = info.output_sample_rate or sample_rate
    whole: dict[bytes, Wave] = {}

    def first_change(wave: Wave, other: Wave) -> float:
        key = wave.tobytes()
        if key not in whole:
            whole[key] = codec.decode(codec.encode(wave, sample_rate))
        changed = codec.decode(codec.encode(other, sample_rate))
        first = _first_difference(whole[key], changed)
        return (first - info.output_delay_samples) * sample_rate / output_rate

    return first_change


def _first_frame(codec: Any) -> Callable[[Wave, Wave], float]:
    """Where the first frame begins whose bits differ, in samples of the input."""
    info: CodecInfo = codec.info
    sample_rate = info.sample_rate or ANY_RATE

    def first_change(wave: Wave, other: Wave) -> float:
        if info.hop_length is None:
            raise BitstreamError(f"{info.spec} declares no frames")
        one, two = (
            payload_frames(codec.encode(each, sample_rate), info=info) for each in (wave, other)
        )
        different = np.flatnonzero(np.any(one != two, axis=1))
        return float(different[0] * info.hop_length) if different.size else float(wave.size)

    return first_change


def _first_difference(one: Wave, two: Wave) -> int:
    size = min(one.size, two.size)
    different = one[:size] != two[:size]
    return int(np.argmax(different)) if different.any() else size


def _changed(wave: Wave, start: int) -> Wave:
    """The wave with a click at full scale at ``start`` and another voice behind it.

    The click is what a codec of few bits notices even in the last sample of a frame.
    """
    other = wave.copy()
    other[start:] = -0.9 * other[start:][::-1]
    click = other[start : start + CLICK_SAMPLES]
    click[:] = np.where(wave[start] > 0, -1, 1) * (-1.0) ** np.arange(click.size)
    return other


def _speech_like(seconds: float, sample_rate: int) -> Wave:
    """Gliding harmonics with breath, the same at each call."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(140 + 40 * np.sin(2 * np.pi * 0.8 * time)) / sample_rate
    voice = sum(np.sin(k * phase + k * k) / k for k in range(1, 24))
    breath = np.random.default_rng(5).standard_normal(time.size)
    wave = voice * (1 + 0.5 * np.sin(2 * np.pi * 2.7 * time)) + 0.1 * breath
    return np.asarray(0.5 * wave / np.max(np.abs(wave)), dtype=np.float32)
