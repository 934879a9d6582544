"""The wave that a codec gets under a condition, made once for all codecs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench import policy
from synbench.conditions import distortion, noise, room
from synbench.conditions.condition import (
    BABBLE_NOISE,
    INPUT_STEPS,
    Condition,
    content_digest,
    recordings_in,
)
from synbench.errors import ItemError

Wave = NDArray[np.float64]

__all__ = ["Damaged", "damaged_input"]


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """An item's wave under a condition.

    Attributes:
        wave: as long as the recording, within full scale.
        clipped_samples: how many had to be cut off at full scale; clipping that was asked for is
            not among them.
    """

    wave: Wave
    clipped_samples: int


def damaged_input(
    speech: Wave,
    condition: Condition,
    *,
    sample_rate: int,
    corpus: str,
    item: str,
    voices: Sequence[Wave] = (),
) -> Damaged:
    """Apply what a condition does to the speech before any codec.

    Args:
        speech: the recording, shape ``(samples,)``, at ``sample_rate`` in Hz.
        corpus, item: whose random numbers are drawn.
        voices: of other speakers, for babble; each of shape ``(samples,)`` at ``sample_rate``.

    Raises:
        ItemError: speech or noise is silent, or nothing is left of the wave.
        UsageError: a setting does not fit the rate.
    """
    wave = speech
    for step in INPUT_STEPS:
        if step in condition.settings:
            seed = condition.seed(corpus=corpus, item=item, step=step)
            draw = np.random.default_rng(seed)
            wave = _stepped(step, wave, condition, sample_rate, draw, voices)
    if np.any(speech) and not np.any(wave):
        raise ItemError(f"nothing is left of the wave after {condition.label}")
    clipped = int(np.count_nonzero(np.abs(wave) > 1.0))
    return Damaged(wave=np.clip(wave, -1.0, 1.0), clipped_samples=clipped)


def _stepped(
    step: str,
    wave: Wave,
    condition: Condition,
    sample_rate: int,
    draw: np.random.Generator,
    voices: Sequence[Wave],
) -> Wave:
    setting = condition.settings[step]
    if step == "lowpass_hz":
        return distortion.lowpass(wave, sample_rate=sample_rate, cutoff_hz=setting)
    if step == "resampled_from":
        return distortion.through_lower_rate(wave, sample_rate=sample_rate, lower_rate=setting)
    if step == "reverb":
        response = _response(condition, setting, sample_rate=sample_rate, draw=draw)
        return room.reverberate(wave, response)
    if step == "noise":
        added = _noise(condition, wave, sample_rate=sample_rate, draw=draw, voices=voices)
        snr_db = condition.settings["snr_db"]
        return noise.add_noise(wave, added, sample_rate=sample_rate, snr_db=snr_db)
    if step == "level_db":
        return distortion.change_level(wave, level_db=setting)
    return distortion.clip_peaks(wave, share=setting)


def _response(
    condition: Condition, setting: Any, *, sample_rate: int, draw: np.random.Generator
) -> Wave:
    if "rt60" in setting:
        return room.image_response(setting["rt60"], sample_rate=sample_rate, draw=draw)
    return _drawn_recording(condition, "reverb", sample_rate=sample_rate, draw=draw)


def _noise(
    condition: Condition,
    speech: Wave,
    *,
    sample_rate: int,
    draw: np.random.Generator,
    voices: Sequence[Wave],
) -> Wave:
    if "noise" in condition.files:
        recorded = _drawn_recording(condition, "noise", sample_rate=sample_rate, draw=draw)
        return noise.cut_noise(recorded, speech.size, draw=draw)
    name = condition.settings["noise"]
    if name == BABBLE_NOISE:
        return noise.babble(voices, speech.size, draw=draw)
    made = noise.MADE_NOISES[name]
    return made(speech.size, sample_rate=sample_rate, speech=speech, draw=draw)


def _drawn_recording(
    condition: Condition, step: str, *, sample_rate: int, draw: np.random.Generator
) -> Wave:
    path = condition.files[step]
    if content_digest(path) != condition.settings[step]["sha256"]:
        raise ItemError(
            f"the {step} recordings {path.name} changed after the run was planned; type the same "
            "command again"
        )
    files = recordings_in(path)
    chosen = files[int(draw.integers(len(files)))]
    return policy.read_reference(chosen, target_rate=sample_rate)[0]
