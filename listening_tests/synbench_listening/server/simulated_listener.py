"""A made-up listener: hears a page's clips, and answers by how far each is from the reference.

For trying out a study before anybody is invited, and for tests. It knows no more than a browser
does: clips under opaque ids. Distances are of log mel-like spectra; where there is no reference,
quality is how far speech rises above what is heard between its syllables, over all bands. Bias and
noise differ by listener. What is said in a clip it has to be told; of that it understands the more
words, the further speech stands out. Whatever it answers says nothing about how codecs sound.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_listening.design.check_sounds import BEEP_HZ
from synbench_listening.design.known_answers import TRAP_TESTS
from synbench_listening.design.session_plan import REFERENCE, Clip, PlanPage
from synbench_listening.design.study_folder import PublicStudy

Spectrum = NDArray[np.float64]
MEL_BANDS = 40
FRAME_SECONDS = 0.032
# Distance in dB at which a stimulus gets about a third of the scale.
THIRD_OF_SCALE_DB = 7.0
# Range in dB between speech and the pauses, over all bands: of noise, and of a clean recording.
NOISE_RANGE_DB, CLEAN_RANGE_DB = 6.0, 34.0
# Stretches in which the beeps and tones of checks are looked for.
CHECK_SECONDS = 0.05
# Stretches in which a faint noise is looked for.
HISS_SECONDS = 0.001

__all__ = ["SimulatedListener", "spectrum"]


def spectrum(wav: bytes) -> Spectrum:
    """Levels in dB, shape ``(frame, band)``, of a WAV file; at most 60 dB below the loudest."""
    wave, rate = _read(wav)
    mono = wave.mean(axis=1)
    length = round(FRAME_SECONDS * rate)
    frames = max(1, len(mono) // length)
    mono = np.pad(mono, (0, max(0, frames * length - len(mono))))[: frames * length]
    power = np.abs(np.fft.rfft(mono.reshape(frames, length) * np.hanning(length))) ** 2
    edges = np.unique(np.geomspace(2, power.shape[1], MEL_BANDS + 1).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    levels: Spectrum = 10 * np.log10(np.maximum(bands, bands.max() * 1e-6 + 1e-12))
    return levels


class SimulatedListener:
    """Answers pages; ``hear`` gives the WAV of a clip, ``said`` the words in it by its SHA-256."""

    def __init__(
        self,
        seed: int,
        public: PublicStudy,
        hear: Callable[[Clip], bytes],
        *,
        sample_rate: int,
        said: Mapping[str, str] | None = None,
    ) -> None:
        self.said = said or {}
        self.random = np.random.default_rng(seed)
        self.public = public
        self.sample_rate = sample_rate
        self.bias = float(self.random.normal(0, 0.06))
        self.noise = float(self.random.uniform(0.03, 0.09))
        self.strictness = float(self.random.uniform(0.7, 1.0))
        self._hear = hear

    def answer(self, page: PlanPage) -> dict[str, Any]:
        """An answer of the page's kind, as JSON."""
        if page.kind == "headphones":
            return {"choices": [self._quietest(self._hear(clip)) for clip in page.stimuli]}
        if page.kind == "environment":
            sounds = [self._hear(clip) for clip in page.stimuli]
            pairs = zip(sounds[::2], sounds[1::2], strict=True)
            return {"choices": [int(_hiss(one) > _hiss(other)) for one, other in pairs]}
        if page.kind == "digits":
            known = (hashlib.sha256(self._hear(clip)).hexdigest() for clip in page.stimuli)
            return {"written": [self.said.get(name, "") for name in known]}
        if page.kind == "attention":
            return {"count": len(bursts(self._hear(page.stimuli[0])))}
        levels = [spectrum(self._hear(clip)) for clip in page.stimuli]
        reference = spectrum(self._hear(page.reference)) if page.reference else None
        rated = {"mushra", "mushra1s", "bs1116", "acr", "dcr", "ccr", "effort"}
        if page.kind in TRAP_TESTS and (count := beeps(self._hear(page.stimuli[0]))):
            rating = {"position": 0, "score": count, "first_touch_ms": 1000}
            return {"ratings": [rating], **self._heard(page)}
        if page.kind == "transcription":
            return {"text": self._understood(self._hear(page.stimuli[0])), **self._heard(page)}
        if page.kind in rated:
            return {"ratings": self._ratings(page, levels, reference), **self._heard(page)}
        if page.kind == "abx":
            first, second = (distance(levels[2], levels[index]) for index in (0, 1))
            gap = (first - second) / THIRD_OF_SCALE_DB + float(
                self.random.normal(0, 4 * self.noise)
            )
            return {"choice": int(gap > 0), **self._heard(page)}
        if page.kind == "ab":
            return {"choice": self._preferred(levels, reference), **self._heard(page)}
        if page.kind == "questionnaire":
            return {"values": {q.name: self._value(q) for q in self.public.questionnaire}}
        return {"gain_db": -20.0} if page.kind == "volume" else {}

    def _ratings(
        self, page: PlanPage, levels: Sequence[Spectrum], reference: Spectrum | None
    ) -> list[dict[str, Any]]:
        low, high = self.public.scale
        if page.kind == "ccr":
            shares, positions = [self._compared(levels[0], levels[1])], [1]
        elif reference is None:
            shares = [self._alone(level) for level in levels]
            positions = list(range(len(levels)))
        else:
            shares = [self._share(distance(level, reference)) for level in levels]
            positions = list(range(len(levels)))
        best = max(range(len(shares)), key=lambda index: shares[index])
        if page.kind in ("mushra", "bs1116"):
            shares[best] = 1.0
        ratings = []
        for position, share in zip(positions, shares, strict=True):
            steps = round(min(1.0, max(0.0, share)) * (high - low) / self.public.scale_step)
            score = round(low + steps * self.public.scale_step, 6)
            touch = 1000 * (position + 1)
            ratings.append({"position": position, "score": score, "first_touch_ms": touch})
        return ratings

    def _share(self, distance: float) -> float:
        if distance < 0.01:
            return float(1 - abs(self.random.normal(0, 0.02)))
        judged = (
            float(np.exp(-distance / THIRD_OF_SCALE_DB))
            + self.bias
            + float(self.random.normal(0, self.noise))
        )
        return min(0.98, judged)

    def _alone(self, level: Spectrum) -> float:
        """Of the scale, without anything to compare with: strict to nobody's knowledge, inexact."""
        return self.strictness * naturalness(level) + float(self.random.normal(0, 3 * self.noise))

    def _compared(self, first: Spectrum, second: Spectrum) -> float:
        """Of the scale, its middle for no difference; below it where the second is worse."""
        size = 1 - float(np.exp(-distance(first, second) / THIRD_OF_SCALE_DB))
        better = naturalness(second) - naturalness(first)
        return float(0.5 + 0.5 * np.sign(better) * size + self.random.normal(0, self.noise))

    def _understood(self, wav: bytes) -> str:
        """The words that get through; one at a time may be lost."""
        words = self.said.get(hashlib.sha256(wav).hexdigest(), "").split()
        clear = 1 - (1 - naturalness(spectrum(wav))) ** 2 + float(self.random.normal(0, self.noise))
        return " ".join(word for word in words if self.random.random() < clear)

    def _quietest(self, wav: bytes) -> int:
        """Which of three tones; through headphones, as channels are heard apart."""
        wave, _ = _read(wav)
        levels = [float((wave[start:stop] ** 2).mean()) for start, stop in bursts(wav)]
        return int(np.argmin(levels[:3])) if levels else 0

    def _preferred(self, levels: Sequence[Spectrum], reference: Spectrum | None) -> int | None:
        if reference is None:
            gap = naturalness(levels[1]) - naturalness(levels[0])
        else:
            gap = (
                distance(levels[0], reference) - distance(levels[1], reference)
            ) / THIRD_OF_SCALE_DB
        felt = gap + float(self.random.normal(0, 3 * self.noise))
        if self.public.no_preference and abs(felt) < 0.08:
            return None
        return int(felt > 0)

    def _heard(self, page: PlanPage) -> dict[str, Any]:
        clips = dict(enumerate(page.stimuli))
        if page.reference is not None:
            clips[REFERENCE] = page.reference
        heard = [
            {"position": position, "plays": 1, "seconds": clip.samples / self.sample_rate}
            for position, clip in sorted(clips.items())
        ]
        return {"heard": heard}

    def _value(self, question: Any) -> Any:
        if question.type == "choice":
            return float(self.random.integers(len(question.choices)))
        if question.type == "number":
            low = question.minimum if question.minimum is not None else 18
            high = question.maximum if question.maximum is not None else low + 50
            return float(np.floor(self.random.uniform(low, high)))
        return "simulated"


def distance(first: Spectrum, second: Spectrum) -> float:
    """Root mean square difference in dB."""
    return float(np.sqrt(((first - second) ** 2).mean()))


def naturalness(levels: Spectrum) -> float:
    """0 for steady noise to 1 for a clean recording: how far speech stands out, over all bands."""
    loud, quiet = np.percentile(levels, [95, 10], axis=0)
    stands_out = float((loud - quiet).mean())
    share = (stands_out - NOISE_RANGE_DB) / (CLEAN_RANGE_DB - NOISE_RANGE_DB)
    return min(1.0, max(0.0, share))


def bursts(wav: bytes) -> list[tuple[int, int]]:
    """First and last sample of every stretch that sounds, between silences: beeps and tones."""
    wave, rate = _read(wav)
    step = max(1, round(CHECK_SECONDS * rate))
    frames = len(wave) // step
    power = (wave[: frames * step] ** 2).reshape(frames, -1).mean(axis=1)
    sounds = np.concatenate([[False], power > 0.01 * max(power.max(), 1e-12), [False]])
    edges = np.flatnonzero(sounds[1:] != sounds[:-1])
    return [(int(a) * step, int(b) * step) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _hiss(wav: bytes) -> float:
    """Level of the quietest stretches, in dB."""
    wave, rate = _read(wav)
    step = max(1, round(HISS_SECONDS * rate))
    frames = max(1, len(wave) // step)
    power = (wave[: frames * step] ** 2).reshape(frames, -1).mean(axis=1)
    return float(10 * np.log10(np.percentile(power, 0.5) + 1e-14))


def beeps(wav: bytes) -> int:
    """Beeps in a recording: stretches of which nearly all is one pure tone."""
    wave, rate = _read(wav)
    step = round(CHECK_SECONDS * rate)
    frames = len(wave) // step
    parts = wave[: frames * step, 0].reshape(frames, step) * np.hanning(step)
    power = np.abs(np.fft.rfft(parts, axis=1)) ** 2
    near = np.abs(np.fft.rfftfreq(step, 1 / rate) - BEEP_HZ) <= 2 / CHECK_SECONDS
    total = power.sum(axis=1)
    pure = (power[:, near].sum(axis=1) > 0.95 * total) & (total > 0.01 * total.max())
    return int(np.count_nonzero(pure[1:] & ~pure[:-1]) + int(pure[0]))


def _read(wav: bytes) -> tuple[NDArray[np.float64], int]:
    import soundfile

    wave, rate = soundfile.read(io.BytesIO(wav), dtype="float64", always_2d=True)
    return wave, int(rate)
