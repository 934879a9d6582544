"""Pairs of hours: read from the disk by stretches, they get the scores of those read whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import pairs
from synbench.audio import read_audio
from synbench.doubt import MEASURES
from synbench_base import long_wave, sound_files
from synbench_base.errors import ItemError
from synbench_base.long_wave import LongWave

COLUMNS = ("si_sdr", "stoi", "estoi", "log_spectral_distance", "mel_distance", "mrstft_distance")
RATE = 16000


def written(folder: Path, name: str, wave: np.ndarray, rate: int = RATE) -> Path:
    path = folder / name
    soundfile.write(path, wave, rate)
    return path


@pytest.fixture
def waves() -> tuple[np.ndarray, np.ndarray]:
    """Seven seconds of noise in syllables, and a louder one with more noise."""
    generator = np.random.default_rng(5)
    time = np.arange(7 * RATE) / RATE
    wave = 0.2 * generator.standard_normal(time.size) * (np.sin(3 * time) ** 2 + 0.02)
    return wave.clip(-1, 1), (1.1 * wave + 0.02 * generator.standard_normal(time.size)).clip(-1, 1)


@pytest.mark.parametrize("case", ["equal", "shorter", "longer", "other rate", "stereo"])
def test_a_long_pair_has_the_scores_of_one_that_is_read_whole(
    case: str, waves: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, degraded = waves
    rate = RATE
    if case == "shorter":
        degraded = degraded[:-4321]
    elif case == "longer":
        degraded = np.concatenate([degraded, degraded[:999]])
    elif case == "other rate":
        degraded, rate = degraded[::2], RATE // 2
    elif case == "stereo":
        reference = np.stack([reference, 0.5 * reference[::-1]], axis=1)
    pair = pairs.SoundPair(
        "one",
        written(tmp_path, "reference.wav", reference),
        written(tmp_path, "degraded.wav", degraded, rate),
    )
    (whole,) = pairs.score_chunk([pair], COLUMNS)
    monkeypatch.setattr(sound_files, "LONG_SAMPLES", 1000)
    monkeypatch.setattr(long_wave, "STRETCH_SAMPLES", 10000)
    (long,) = pairs.score_chunk([pair], COLUMNS)
    for column in COLUMNS:
        assert long.outcomes[column].status == "ok", long.outcomes[column].reason
        tolerance = 1e-6 if case == "other rate" else 1e-12
        assert long.outcomes[column].value == pytest.approx(
            whole.outcomes[column].value, rel=tolerance
        )
    for measure in MEASURES:
        assert long.measures[measure] == pytest.approx(whole.measures[measure], abs=1e-6)
    assert long.lag_profile == whole.lag_profile


def test_what_needs_the_whole_gets_it(
    waves: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pesq")
    pair = pairs.SoundPair(
        "one", *(written(tmp_path, f"{n}.wav", wave) for n, wave in enumerate(waves))
    )
    (whole,) = pairs.score_chunk([pair], ["pesq_wb"])
    monkeypatch.setattr(sound_files, "LONG_SAMPLES", 1000)
    assert pairs.score_chunk([pair], ["pesq_wb"]) == [whole]


def test_a_long_file_that_is_cut_off_or_of_other_channels_is_refused(
    waves: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_files, "LONG_SAMPLES", 1000)
    path = written(tmp_path, "cut.wav", waves[0])
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ItemError, match="truncated"):
        read_audio(path, by_stretches=True)
    stereo = written(tmp_path, "stereo.wav", np.stack(waves, axis=1))
    with pytest.raises(ItemError, match="different channels"):
        sound_files.read_decoded(stereo)


def test_a_long_wave_reads_like_an_array() -> None:
    wave = np.random.default_rng(0).standard_normal(1000)
    long = LongWave([wave[:300], wave[300:]])
    assert (long.size, long.shape, len(long)) == (1000, (1000,), 1000)
    for chosen in (slice(None), slice(10, 20), slice(-5, None), slice(990, 2000), slice(5, 2)):
        np.testing.assert_array_equal(long[chosen], wave[chosen])
    np.testing.assert_array_equal(long[np.array([7, 3, 3])], wave[[7, 3, 3]])
    np.testing.assert_array_equal(np.asarray(long), wave)
    with pytest.raises(IndexError):
        long[::2]


@pytest.fixture
def two_hours(tmp_path: Path) -> list[Path]:
    """Folders of a reference of 2.2 hours and of what was made of it."""
    generator = np.random.default_rng(0)
    minute = 0.1 * generator.standard_normal(60 * RATE).clip(-3, 3)
    minute *= np.abs(np.sin(np.arange(minute.size) * 3 / RATE)) + 0.02
    folders = [tmp_path / "reference", tmp_path / "degraded"]
    for folder, level in zip(folders, (0.0, 0.02), strict=True):
        folder.mkdir()
        with soundfile.SoundFile(folder / "one.wav", "w", RATE, 1) as file:
            for _ in range(132):
                file.write((minute + level * generator.standard_normal(minute.size)).clip(-1, 1))
    return folders


def peak_bytes(*words: str | Path) -> int:
    """The largest memory of a command, whose parent is a small process of its own."""
    command = [sys.executable, "-m", "synbench", *map(str, words)]
    program = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], check=True, capture_output=True, text=True
    )
    return int(done.stdout) * 1024


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "column", ["si_sdr", "stoi", "estoi", "log_spectral_distance", "mrstft_distance", "periodicity"]
)
def test_two_hours_take_less_than_a_gigabyte(column: str, two_hours: list[Path]) -> None:
    reference, degraded = two_hours
    words = ["score", "--metrics", column, "--reference", reference, "--degraded", degraded]
    assert peak_bytes(*words) < 1e9


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_of_two_hours_takes_less_than_a_gigabyte(
    two_hours: list[Path], write_suite: Callable[..., Path], tmp_path: Path
) -> None:
    reference, degraded = two_hours
    codec = f"recordings:folder={degraded}"
    suite = write_suite(reference, codecs=[codec], metrics=["si_sdr", "mel_distance"])
    assert peak_bytes("run", suite, "--workers", "0", "--out", tmp_path / "run") < 1e9
