"""Anchors against the masks of the standard, loudness against BS.1770, alignment, the files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench.errors import ItemError, UsageError
from synbench_listening.design.check_sounds import attention_sounds, headphone_sounds
from synbench_listening.design.loudness import equalise, measure_lufs
from synbench_listening.design.stimuli import anchor
from synbench_listening.design.study_folder import StudyFolder

Build = Callable[..., StudyFolder]
RATES = (16000, 22050, 24000, 32000, 44100, 48000, 96000)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize(
    ("name", "edges"), [("anchor35", (3500, 4000)), ("anchor70", (7000, 8000))]
)
def test_anchors_meet_their_masks_without_delay(
    name: str, edges: tuple[int, int], sample_rate: int
) -> None:
    passband, stopband = edges
    impulse = np.zeros(4001)
    impulse[2000] = 1.0
    response = anchor(name, impulse, sample_rate=sample_rate)
    assert int(np.argmax(np.abs(response))) == 2000 and response.size == impulse.size
    np.testing.assert_allclose(response, response[::-1], atol=1e-12)
    level = 20 * np.log10(np.abs(np.fft.rfft(response, 1 << 17)) + 1e-12)
    frequency = np.fft.rfftfreq(1 << 17, 1 / sample_rate)
    assert np.abs(level[frequency <= passband]).max() <= 0.1
    # BS.1534-3 for the low anchor: 25 dB at 4 kHz, 50 dB at 4.5 kHz.
    assert level[frequency >= stopband].max() <= -25
    assert level[frequency >= stopband * 9 / 8].max(initial=-99) <= -50


def test_an_anchor_needs_room_below_half_the_rate() -> None:
    with pytest.raises(UsageError, match="16000 Hz or more"):
        anchor("anchor70", np.zeros(100), sample_rate=8000)


@pytest.mark.parametrize("sample_rate", [16000, 44100, 48000])
@pytest.mark.parametrize("level_db", [-18.0, -40.0])
def test_loudness_of_the_standards_own_signal(sample_rate: int, level_db: float) -> None:
    # ITU-R BS.1770-4: a 997 Hz sine of 0 dBFS in one front channel reads -3.01 LKFS.
    time = np.arange(5 * sample_rate) / sample_rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * 997 * time)
    assert measure_lufs(wave, sample_rate=sample_rate) == pytest.approx(level_db - 3.01, abs=0.1)


def test_gains_are_constant_and_shared_where_a_peak_would_clip() -> None:
    generator = np.random.default_rng(1)
    quiet, loud = 0.01 * generator.standard_normal(48000), 0.2 * generator.standard_normal(48000)
    spiky = 0.01 * generator.standard_normal(48000)
    spiky[1000] = 0.9
    plain = equalise({"a": quiet, "b": loud}, sample_rate=16000, target_lufs=-23)
    lowered = equalise({"a": quiet, "b": spiky}, sample_rate=16000, target_lufs=-23)
    for levelled in plain.values():
        assert measure_lufs(levelled.wave, sample_rate=16000) == pytest.approx(-23, abs=1e-6)
    assert np.abs(lowered["b"].wave).max() == pytest.approx(10 ** (-0.1 / 20))
    assert lowered["a"].lufs == lowered["b"].lufs < -23
    assert plain["a"].gain_db - lowered["a"].gain_db == pytest.approx(-23 - lowered["a"].lufs)
    with pytest.raises(ItemError, match=r"b: silent"):
        equalise({"a": quiet, "b": np.zeros(48000)}, sample_rate=16000, target_lufs=-23)


def test_files_of_a_trial_differ_in_nothing_but_samples(build: Build) -> None:
    folder = build()
    key = folder.key()
    for page in key.blocks[0].pages:
        if not page.stimuli:
            continue
        names = [*page.stimuli, page.reference or ""]
        files = [folder.clip_path(key.stimuli[name]).read_bytes() for name in names]
        assert len({len(data) for data in files}) == 1
        for data in files:
            assert [chunk for chunk, _ in chunks(data)] == [b"fmt ", b"data"]
        waves = [soundfile.read(folder.clip_path(key.stimuli[name]))[0] for name in names]
        loudness = [measure_lufs(wave, sample_rate=key.sample_rate) for wave in waves]
        assert max(loudness) - min(loudness) < 0.01
        hidden = next(n for n in page.stimuli if key.stimuli[n].role == "hidden_reference")
        np.testing.assert_array_equal(waves[names.index(hidden)], waves[-1])


def chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    offset = 12
    while offset < len(data):
        name, size = struct.unpack_from("<4sI", data, offset)
        yield name, size
        offset += 8 + size + size % 2


def test_a_delay_is_removed_and_said(build: Build, made_run: Callable[..., Path]) -> None:
    run = made_run(
        make=lambda wave, noise, level: np.pad(wave, (100 * (level - 1), 0))[: wave.size]
    )
    folder = build(run)
    key = folder.key()
    removed = {s.condition: s.lag_removed_samples for s in key.stimuli.values() if s.item}
    assert removed == {
        "reference": 0,
        "anchor35": 0,
        "anchor70": 0,
        "Codec-A": 0,
        "Codec-B": 100,
        "Codec-C": 200,
    }
    assert sum("a lag of 200 samples removed" in note for note in key.notes) == 5
    page = key.blocks[0].pages[-2]
    waves = {
        key.stimuli[name].condition: soundfile.read(folder.clip_path(key.stimuli[name]))[0]
        for name in page.stimuli
    }
    np.testing.assert_allclose(waves["Codec-B"][:-100], waves["reference"][:-100], atol=0.02)


def test_the_headphone_check_is_harder_over_loudspeakers() -> None:
    sounds = headphone_sounds(6, sample_rate=16000, seed=3)
    assert sorted(sound.answer for sound in sounds) == [0, 0, 1, 1, 2, 2]
    for sound in sounds:
        tones = [sound.wave[8000 + 24000 * k : 24000 + 24000 * k] for k in range(3)]
        by_ear = [np.square(tone[:, 0]).mean() for tone in tones]
        in_the_room = [np.square(tone.mean(axis=1)).mean() for tone in tones]
        assert int(np.argmin(by_ear)) == sound.answer
        assert min(in_the_room) == 0 and int(np.argmin(in_the_room)) != sound.answer
    for sound in attention_sounds(4, sample_rate=16000, seed=1):
        loud = np.abs(sound.wave[:, 0]) > 0
        assert (
            np.count_nonzero(np.diff(np.convolve(loud, np.ones(200), "same") > 0))
            == 2 * sound.answer
        )


def test_the_bandwidth_check_beeps_near_the_upper_end_of_the_band() -> None:
    from synbench_listening.design.check_sounds import bandwidth_sounds

    for rate, high in ((16000, 6720), (48000, 10_000)):
        for sound in bandwidth_sounds(4, sample_rate=rate, seed=1):
            power = np.abs(np.fft.rfft(sound.wave[:, 0])) ** 2
            hertz = np.fft.rfftfreq(len(sound.wave), 1 / rate)
            near = [power[np.abs(hertz - f) < 50].sum() / power.sum() for f in (1000, high)]
            # Beeps are equally strong, so that their shares tell how many are high.
            assert sum(near) > 0.99 and min(near) >= 0.2
            assert near[0] * sound.answer == pytest.approx(round(near[0] * sound.answer), abs=0.05)
