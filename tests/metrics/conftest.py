"""Waves that the metric tests share: real speech where it is at hand, and a synthetic twin."""

import csv
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import synbench_metrics
from synbench_metrics.errors import Unavailable

Wave = NDArray[np.float64]
SHARED = Path(__file__).resolve().parents[3] / "shared"


@dataclass(frozen=True)
class Pair:
    """A reference and what became of it."""

    reference: Wave
    degraded: Wave
    sample_rate: int


def speech_like(sample_rate: int, seconds: float) -> Wave:
    """Pulses of a gliding voice through three formants, in syllables, with breath between them."""
    time = np.arange(round(sample_rate * seconds)) / sample_rate
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    voice = np.zeros_like(time)
    for harmonic in range(1, 60):
        frequency = harmonic * pitch
        gain = sum(
            weight / (1 + ((frequency - formant) / 120) ** 2)
            for formant, weight in ((600, 1.0), (1500, 0.5), (2700, 0.3), (5200, 0.1))
        )
        voice += gain * np.sin(harmonic * phase) * (frequency < 0.45 * sample_rate)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time), 0, None) ** 0.5
    breath = np.random.default_rng(1).standard_normal(time.size)
    wave = syllables * voice / np.max(np.abs(voice)) + 0.003 * breath
    wave += 0.05 * np.clip(-np.sin(2 * np.pi * 2.3 * time), 0, None) ** 4 * breath
    return 0.6 * wave / np.max(np.abs(wave))


def with_noise(wave: Wave, decibels: float, seed: int = 2) -> Wave:
    """The wave with white noise at a ratio in dB, within full scale."""
    noise = np.random.default_rng(seed).standard_normal(wave.size)
    noise *= np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    return np.clip(wave + noise, -1, 1)


@pytest.fixture(scope="session")
def synthetic() -> Callable[[int], Pair]:
    """A three-second synthetic pair at any rate."""

    return _synthetic_pair


@functools.cache
def _synthetic_pair(sample_rate: int) -> Pair:
    wave = speech_like(sample_rate, 3.0)
    degraded = with_noise(wave, 20)
    for shared in (wave, degraded):
        shared.setflags(write=False)
    return Pair(wave, degraded, sample_rate)


@pytest.fixture
def truth_folder() -> Path:
    """The table of expected values and its audio, beside the repository."""
    folder = SHARED / "truth"
    if not (folder / "metrics_truth.csv").is_file():
        pytest.skip("expected metric values (../shared/truth) are not beside the repository")
    return folder


@pytest.fixture
def real(truth_folder: Path) -> Pair:
    """Three seconds of read speech at 16 kHz, and the same in babble."""
    waves = [
        soundfile.read(truth_folder / "audio" / "pesq" / name, dtype="float64")[0][:48000]
        for name in ("speech.flac", "speech_bab_0dB.flac")
    ]
    return Pair(waves[0], waves[1], 16000)


@pytest.fixture(scope="session")
def decoded_pairs() -> list[Pair]:
    """What two neural codecs made of one utterance in each collection that is at hand."""
    pairs = []
    for reference in sorted((SHARED / "decoded").glob("*/reference")):
        name = min(path.name for path in reference.iterdir())
        systems = sorted(path for path in reference.parent.iterdir() if path != reference)
        wave, rate = soundfile.read(reference / name, dtype="float64")
        for system in systems[:2]:
            degraded, _ = soundfile.read(system / name, dtype="float64")
            shortest = min(wave.size, degraded.size)
            pairs.append(Pair(wave[:shortest], degraded[:shortest], rate))
    if not pairs:
        pytest.skip("decoded speech (../shared/decoded) is not beside the repository")
    return pairs


@pytest.fixture
def available() -> Callable[[str], synbench_metrics.Metric]:
    """Load a metric, or skip the test where its package is absent."""

    def load(column: str) -> synbench_metrics.Metric:
        metric = synbench_metrics.load(column)
        try:
            metric.check()
        except Unavailable as error:
            pytest.skip(str(error))
        return metric

    return load


def truth_rows() -> list[dict[str, str]]:
    """Every row of the table of expected values; none where it is absent."""
    path = SHARED / "truth" / "metrics_truth.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def why_absent(column: str) -> str | None:
    """What a column lacks on this machine."""
    try:
        synbench_metrics.load(column).check()
    except Unavailable as error:
        return str(error)
    return None


def family(column: str) -> str:
    """What columns that are read off one output of one network have in common."""
    column = re.sub("^(cer|dwer|wer)_", "", column)
    return re.sub("^(dnsmos|nisqa|sigmos)_.*", r"\1", column)


def columns(
    which: Callable[[synbench_metrics.Metric], bool] = lambda metric: True,
    *,
    families: bool = False,
) -> list[object]:
    """The columns that can be scored here and of which ``which`` is true.

    With ``families`` the first column of each family is tried at once, the others among the slow
    tests: they run the same network again to read another of its outputs.
    """
    chosen: list[object] = []
    seen: set[str] = set()
    for column in synbench_metrics.names():
        if why_absent(column) is None and which(synbench_metrics.load(column)):
            marks = [pytest.mark.xdist_group(f"column {column}")]
            if families and family(column) in seen:
                marks.append(pytest.mark.slow)
            seen.add(family(column))
            chosen.append(pytest.param(column, marks=marks))
    return chosen


def absent_columns() -> list[object]:
    """One skipped parameter for everything that is lacking, whatever the number of its columns."""
    lacking: dict[str, list[str]] = {}
    for column in synbench_metrics.names():
        reason = why_absent(column)
        if reason is not None:
            lacking.setdefault(reason, []).append(column)
    return [
        pytest.param(
            reason, id=names[0], marks=pytest.mark.skip(reason=f"{', '.join(names)}: {reason}")
        )
        for reason, names in lacking.items()
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``truth_row`` the rows of our columns, and ``column`` the columns that a test is for.

    A test is for every column that can be scored here, unless ``@pytest.mark.columns`` has a
    function that tells of a metric whether the test is for it.
    """
    if "column" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("columns")
        families = metafunc.definition.get_closest_marker("families") is not None
        chosen = columns(*(marker.args if marker else ()), families=families)
        metafunc.parametrize("column", chosen)
    if "lack" in metafunc.fixturenames:
        metafunc.parametrize("lack", absent_columns() or [pytest.param(None, id="nothing")])
    if "truth_row" in metafunc.fixturenames:
        known = {*synbench_metrics.names(), "visqol_speech_exp_unscaled"}
        rows = [
            pytest.param(row, id=row["id"])
            for row in truth_rows()
            if row["metric"] in known
            and row["trust"] != "analytic"
            and (row["metric"] not in synbench_metrics.names() or not why_absent(row["metric"]))
        ]
        # Where the table is absent one test stays, and says so as it is skipped.
        rows = rows or [pytest.param({}, id="absent")]
        metafunc.parametrize("truth_row", rows)
