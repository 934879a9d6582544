"""Items of hours in a run: read by stretches, they get the rows of those that are read whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from synbench.audio import audio_bytes
from synbench.execution import decoding, longest
from synbench.execution.execute import execute
from synbench.execution.executors import Serial
from synbench.execution.manifest import describe_run, item_rows
from synbench.execution.plan import make_plan
from synbench.execution.sealed import read_sealed, sealed, write_sealed
from synbench.results.store import RunFolder
from synbench.suite import load_suite
from synbench_base import long_wave, sound_files
from synbench_base.errors import ItemError
from synbench_base.long_wave import LongWave

RATE = 16000
METRICS = ["si_sdr", "stoi", "estoi", "mel_distance", "periodicity", "f0_semitone_autocorrelation"]

Write = Callable[..., Path]


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on every file is long, and its stretches short."""

    def from_now_on() -> None:
        monkeypatch.setattr(sound_files, "LONG_SAMPLES", 1000)
        monkeypatch.setattr(long_wave, "STRETCH_SAMPLES", 9000)

    return from_now_on


@pytest.fixture
def voices(speech_folder: Path) -> Path:
    """The folder of short waves, with something voiced in each."""
    for number, path in enumerate(sorted(speech_folder.iterdir())):
        wave = soundfile.read(path)[0]
        phase = 2 * np.pi * (110 + 20 * number) * np.arange(wave.size) / RATE
        voice = sum(np.sin(order * phase) / order for order in range(1, 9))
        soundfile.write(path, 0.1 * wave + 0.1 * voice * (np.sin(phase / 60) > 0), RATE)
    return speech_folder


@pytest.fixture
def decoded(voices: Path, tmp_path: Path) -> Path:
    """Decoded files: one of another rate, one late and too long, one too loud and stereo."""
    folder = tmp_path / "decoded"
    folder.mkdir()
    a, b, c = (soundfile.read(voices / f"{name}.wav")[0] for name in "abc")
    soundfile.write(folder / "a.wav", a[::2], RATE // 2)
    soundfile.write(folder / "b.flac", np.r_[np.zeros(40), b.round(2), b[:99]], RATE)
    loud = 1.2 * c / np.abs(c).max()
    soundfile.write(folder / "c.wav", np.stack([loud, loud], axis=1), RATE, subtype="FLOAT")
    return folder


def work(suite: Path, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of a run in this process: of decoding, and of scoring."""
    decoding._codec.cache_clear()
    run = RunFolder(folder)
    plan = make_plan(load_suite(suite), run)
    run.begin(describe_run(plan), item_rows(plan))
    execute(plan, run, Serial(), lambda *_: None)
    stages = []
    for stage in ("decodes", "scores"):
        files = sorted((folder / stage).glob("*.parquet"))
        rows = [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]
        stages.append(sorted(rows, key=lambda row: (row["item"], row.get("metric", ""))))
    return stages[0], stages[1]


@pytest.mark.parametrize("codec", ["recordings", "g722"])
def test_a_run_of_long_items_has_the_rows_of_one_that_reads_them_whole(
    codec: str,
    long: Callable[[], None],
    voices: Path,
    decoded: Path,
    write_suite: Write,
    tmp_path: Path,
) -> None:
    if codec == "recordings":
        codec = f"recordings:folder={decoded},delay_samples=40"
    else:
        pytest.importorskip("av")
    suite = write_suite(voices, codecs=[codec], metrics=METRICS)
    whole_decodes, whole_scores = work(suite, tmp_path / "whole")
    long()
    decodes, scores = work(suite, tmp_path / "long")
    assert len(scores) == 3 * len(METRICS)
    for before, after in zip(whole_decodes + whole_scores, decodes + scores, strict=True):
        assert after["status"] == "ok", after["reason"]
        for name, value in before.items():
            if name == "written" or name.endswith(("cpu_seconds", "wall_seconds")):
                continue
            if isinstance(value, float):
                assert after[name] == pytest.approx(value, rel=1e-5, abs=1e-5), name
            else:
                assert after[name] == value, name


def test_a_long_file_is_written_and_sealed_as_a_short_one(
    long: Callable[[], None], tmp_path: Path
) -> None:
    wave = np.random.default_rng(0).uniform(-1, 1, 50000)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, RATE, format="FLAC", subtype="PCM_24")
    assert bytes(audio_bytes(wave, sample_rate=RATE, suffix=".flac")) == buffer.getvalue()
    long()
    path = tmp_path / "a.flac"
    stored = LongWave([wave[:30000], wave[30000:]])
    write_sealed(path, stored, sample_rate=RATE, name="a")  # type: ignore[arg-type]
    assert path.read_bytes() == sealed(buffer.getvalue(), "a")
    read, rate = read_sealed(path, name="a")
    assert (type(read), rate) == (LongWave, RATE)
    np.testing.assert_allclose(np.asarray(read), wave, atol=2**-23)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ItemError, match="not the file that was written"):
        read_sealed(path, name="a")


def test_what_is_longer_than_a_codec_takes_is_said_before_and_left_out(
    speech_folder: Path,
    write_suite: Write,
    synbench: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(longest, "LONGEST_SECONDS", 1.5)
    soundfile.write(speech_folder / "d.wav", np.random.default_rng(0).uniform(-1, 1, 32000), RATE)
    suite = write_suite(speech_folder)
    planned = " ".join(synbench("plan", suite).stdout.split())
    assert "Anchor 3.5 kHz takes at most" in planned
    assert "1 of 4 items are longer and will not be coded" in planned
    _, scores = work(suite, tmp_path / "run")
    statuses = {row["item"]: row["status"] for row in scores}
    assert statuses == {"a": "ok", "b": "ok", "c": "ok", "d": "not_applicable"}
    (reason,) = {row["reason"] for row in scores if row["item"] == "d"}
    assert reason == "Anchor 3.5 kHz takes at most 1.5 s, got 2 s: cut the item into shorter ones"
