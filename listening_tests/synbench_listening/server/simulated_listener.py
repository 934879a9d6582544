"""A made-up listener: hears a page's clips, and answers by how far each is from the reference.

For trying out a study before anybody is invited, and for tests. It knows no more than a browser
does: clips under opaque ids. Distances are of log mel-like spectra; bias and noise differ by
listener. Whatever it answers says nothing about how codecs sound.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_listening.design.session_plan import REFERENCE, Clip, PlanPage
from synbench_listening.design.study_folder import PublicStudy

Spectrum = NDArray[np.float64]
BANDS = 40
FRAME_SECONDS = 0.032
# Distance in dB at which a stimulus gets about a third of the scale.
HALF = 7.0

__all__ = ["SimulatedListener", "spectrum"]


def spectrum(wav: bytes) -> Spectrum:
    """Levels in dB, shape ``(frame, band)``, of a WAV file; at most 60 dB below the loudest."""
    import soundfile

    wave, rate = soundfile.read(io.BytesIO(wav), dtype="float64", always_2d=True)
    mono = wave.mean(axis=1)
    length = round(FRAME_SECONDS * rate)
    frames = max(1, len(mono) // length)
    mono = np.pad(mono, (0, max(0, frames * length - len(mono))))[: frames * length]
    power = np.abs(np.fft.rfft(mono.reshape(frames, length) * np.hanning(length))) ** 2
    edges = np.unique(np.geomspace(2, power.shape[1], BANDS + 1).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    levels: Spectrum = 10 * np.log10(np.maximum(bands, bands.max() * 1e-6 + 1e-12))
    return levels


class SimulatedListener:
    """Answers pages; ``hear`` gives the WAV of a clip."""

    def __init__(
        self, seed: int, public: PublicStudy, hear: Callable[[Clip], bytes], *, sample_rate: int
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.public = public
        self.sample_rate = sample_rate
        self.bias = float(self.random.normal(0, 0.06))
        self.noise = float(self.random.uniform(0.03, 0.09))
        self._hear = hear

    def answer(self, page: PlanPage) -> dict[str, Any]:
        """An answer of the page's kind, as JSON."""
        levels = [spectrum(self._hear(clip)) for clip in page.stimuli]
        reference = spectrum(self._hear(page.reference)) if page.reference else None
        rated = {"mushra", "bs1116", "acr", "dcr", "ccr"}
        if page.kind in rated:
            return {"ratings": self._ratings(page, levels, reference), **self._heard(page)}
        if page.kind == "abx":
            first, second = (distance(levels[2], levels[place]) for place in (0, 1))
            gap = (first - second) / HALF + float(self.random.normal(0, 4 * self.noise))
            return {"choice": int(gap > 0), **self._heard(page)}
        if page.kind == "ab":
            return {"choice": self._preferred(levels, reference), **self._heard(page)}
        if page.kind == "questionnaire":
            return {"values": {q.name: self._value(q) for q in self.public.questionnaire}}
        if page.kind == "headphones":
            trials = self.public.headphones.trials
            return {"choices": [int(self.random.integers(3)) for _ in range(trials)], "attempt": 1}
        if page.kind == "volume":
            return {"gain_db": -20.0}
        return {"count": int(self.random.integers(2, 6))} if page.kind == "attention" else {}

    def _ratings(
        self, page: PlanPage, levels: Sequence[Spectrum], reference: Spectrum | None
    ) -> list[dict[str, Any]]:
        low, high = self.public.scale
        if page.kind == "ccr":
            worse = distance(levels[0], levels[1]) / HALF
            shares = [0.5 - 0.4 * min(1.0, worse) + float(self.random.normal(0, self.noise))]
            positions = [1]
        else:
            aim = reference if reference is not None else max(levels, key=brightness)
            shares = [self._share(distance(level, aim)) for level in levels]
            positions = list(range(len(levels)))
        best = max(range(len(shares)), key=lambda place: shares[place])
        if page.kind in ("mushra", "bs1116"):
            shares[best] = 1.0
        ratings = []
        for position, share in zip(positions, shares, strict=True):
            steps = round(min(1.0, max(0.0, share)) * (high - low) / self.public.scale_step)
            score = round(low + steps * self.public.scale_step, 6)
            touch = 1000 * (position + 1)
            ratings.append({"position": position, "score": score, "first_touch_ms": touch})
        return ratings

    def _share(self, found: float) -> float:
        if found < 0.01:
            return float(1 - abs(self.random.normal(0, 0.02)))
        judged = float(np.exp(-found / HALF)) + self.bias + float(self.random.normal(0, self.noise))
        return min(0.98, judged)

    def _preferred(self, levels: Sequence[Spectrum], reference: Spectrum | None) -> int | None:
        aim = reference if reference is not None else max(levels, key=brightness)
        gap = (distance(levels[0], aim) - distance(levels[1], aim)) / HALF
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


def brightness(levels: Spectrum) -> float:
    """Mean level of the upper half of the bands: stands in where there is no reference."""
    return float(levels[:, levels.shape[1] // 2 :].mean())
