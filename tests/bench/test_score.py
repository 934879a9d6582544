"""`synbench score`: the rules of a run, and what stands beside the table."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from synbench import policy
from synbench.doubt import MEASURES, doubts, measures_of
from synbench.errors import UsageError
from synbench.pairs import doubts_of, match, score_pairs

RATE = 16000
Command = Callable[..., subprocess.CompletedProcess[str]]
Wave = Any

METRIC = """
    import os
    import numpy as np
    from synbench_metrics import Metric, MetricInfo

    def level(*, reference, degraded, sample_rate):
        if degraded.size == 3000:
            os._exit(9)
        if degraded.size == 3001:
            raise ZeroDivisionError("planted")
        return float(np.abs(degraded).mean())

    LEVEL = Metric(
        MetricInfo(
            column="level", label="Level", unit="", direction="up", minimum=None, maximum=None,
            sample_rates=(), implementation="test", version="1", source="tests",
            cpu_seconds_per_audio_second=100.0),
        level)
"""


def speech(seed: int, n_samples: int = 32000) -> Wave:
    generator = np.random.default_rng(seed)
    t = np.arange(n_samples) / RATE
    phase = 2 * np.pi * np.cumsum(110 + 30 * generator.random() + 15 * np.sin(4.4 * t)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    loud = np.repeat(generator.random(1 + n_samples // 1600), 1600)[:n_samples] ** 2
    return 0.08 * voice * loud + 0.003 * generator.standard_normal(n_samples)


def folders(root: Path, change: Callable[[Wave], Wave], count: int = 3) -> tuple[Path, Path]:
    reference, degraded = root / "ref", root / "deg"
    for folder in (reference, degraded):
        folder.mkdir()
    for seed in range(count):
        wave = speech(seed)
        noise = 0.002 * np.random.default_rng(9).standard_normal(wave.size)
        soundfile.write(reference / f"{seed}.wav", wave, RATE, subtype="FLOAT")
        soundfile.write(degraded / f"{seed}.wav", change(wave + noise), RATE, subtype="FLOAT")
    return reference, degraded


@pytest.mark.parametrize(
    ("change", "said", "serious"),
    [
        (lambda wave: -wave, "inverted polarity in 3 of 3 files", True),
        (lambda wave: wave * 10 ** (-30 / 20), "the level is 30 dB below", True),
        (lambda wave: 0.9 * wave + 0.05, "a constant offset (DC) of", True),
        (lambda wave: np.r_[np.zeros(320), wave[:-320]], "a delay of 20 ms remains", True),
        (lambda wave: np.r_[wave, wave], "longer than the reference by more than a frame", True),
        (lambda wave: wave[: wave.size // 2], "filled with zeros at the end", True),
        (lambda wave: np.r_[wave, np.zeros(3)], "by 0.188 ms at most: 3 of 3 items", False),
        (lambda wave: wave * 1.02 / np.abs(wave).max(), "samples clipped at full scale", False),
    ],
)
def test_what_is_doubtful_is_said(
    change: Callable[[Wave], Wave], said: str, serious: bool, tmp_path: Path
) -> None:
    pairing = match(*folders(tmp_path, change))
    doubts = doubts_of(score_pairs(pairing.pairs, ["si_sdr"], workers=0))
    assert [doubt.serious for doubt in doubts if said in doubt.text] == [serious]


def test_good_files_raise_no_doubt(tmp_path: Path) -> None:
    pairing = match(*folders(tmp_path, lambda wave: 0.8 * wave))
    assert doubts_of(score_pairs(pairing.pairs, ["si_sdr"], workers=0)) == []


def test_a_folder_that_is_paired_wrongly_throughout_is_doubted(tmp_path: Path) -> None:
    reference, degraded = folders(tmp_path, lambda wave: wave, count=5)
    for path in degraded.iterdir():
        path.rename(path.with_name(f"_{(int(path.stem) + 1) % 5}.wav"))
    for path in list(degraded.iterdir()):
        path.rename(path.with_name(path.name[1:]))
    scored = score_pairs(match(reference, degraded).pairs, ["si_sdr"], workers=0)
    assert any("paired wrongly?" in doubt.text for doubt in doubts_of(scored))


def test_measures_of_older_runs_are_not_judged() -> None:
    nothing = {name: np.full(3, np.nan) for name in MEASURES}
    assert list(doubts(nothing, items=3)) == []
    assert list(doubts({}, items=3)) == []


def test_measures_of_a_silent_file_are_numbers() -> None:
    wave = speech(0)
    aligned = policy.align(
        np.zeros(wave.size),
        sample_rate=RATE,
        delay_samples=0,
        reference=wave,
        reference_rate=RATE,
    )
    assert not any(np.isnan(value) for value in measures_of(aligned).values())


def test_score_and_run_give_the_same_numbers(
    speech_folder: Path, write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    """Too loud, too long and of another rate: brought onto the reference in one way."""
    decoded = tmp_path / "decoded"
    decoded.mkdir()
    for path, change in zip(
        sorted(speech_folder.glob("*.wav")),
        (lambda w: w * 1.02 / np.abs(w).max(), lambda w: np.r_[w, w], lambda w: w[:-3]),
        strict=True,
    ):
        wave, rate = soundfile.read(path)
        noisy = wave + 0.01 * np.random.default_rng(0).standard_normal(wave.size)
        soundfile.write(decoded / path.name, change(noisy), rate, subtype="FLOAT")
    codec = {"codec": "recordings", "options": {"folder": str(decoded), "label": "x"}}
    suite = write_suite(speech_folder, codecs=[codec], metrics=["si_sdr", "mel_distance"])
    assert synbench("run", suite, "--out", tmp_path / "run").returncode == 0
    stored = {
        (row["item"], row["metric"]): row["value"]
        for file in (tmp_path / "run" / "scores").glob("*.parquet")
        for row in pyarrow.parquet.read_table(file).to_pylist()
    }
    done = synbench(
        "score", "--reference", speech_folder, "--degraded", decoded,
        "--metrics", "si_sdr,mel_distance", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = {
        (file["name"], column): score["value"]
        for file in json.loads(done.stdout)["files"]
        for column, score in file["scores"].items()
    }
    assert printed == {key: pytest.approx(value, rel=1e-4) for key, value in stored.items()}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_lost_clip_is_said_and_counted(workers: str, synbench: Command, tmp_path: Path) -> None:
    reference, degraded = folders(tmp_path, lambda wave: 0.8 * wave)
    (degraded / "1.wav").unlink()
    (degraded / "1.wav").symlink_to("nowhere.wav")
    (degraded / "2.wav").unlink()
    command = ("score", "--reference", reference, "--degraded", degraded, "--metrics", "si_sdr")
    done = synbench(*command, "--workers", workers)
    assert done.returncode == 1
    assert "1/3" in done.stdout
    assert "is a link to nowhere.wav" in done.stdout
    assert "only in reference: 2" in done.stdout


def test_a_worker_that_dies_costs_its_own_pair(
    synbench: Command, install: Callable[..., Path], tmp_path: Path
) -> None:
    reference, degraded = folders(tmp_path, lambda wave: 0.8 * wave, count=6)
    for name, size in (("2", 3000), ("4", 3001)):
        for folder in (reference, degraded):
            soundfile.write(folder / f"{name}.wav", speech(1, size), RATE)
    package = install(METRIC, {"synbench.metrics": {"level": "LEVEL"}})
    done = synbench(
        "score", "--reference", reference, "--degraded", degraded, "--metrics", "level",
        "--workers", "2", paths=(package,),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "4/6" in done.stdout
    assert "the worker process died twice on this cell (crash or out of memory): 2" in done.stdout
    assert "ZeroDivisionError: planted: 4" in done.stdout
    assert "Traceback" not in done.stderr


def test_reasons_are_grouped_and_a_column_without_a_score_has_one(
    synbench: Command, tmp_path: Path
) -> None:
    reference, degraded = folders(tmp_path, lambda wave: np.stack([wave, -wave], axis=1))
    command = ("score", "--reference", reference, "--degraded", degraded)
    done = synbench(*command, "--metrics", "si_sdr,stoi")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("!")]
    assert len(lines) == 1, "one for all files of one reason, not for each score"
    assert lines[0].startswith("! 3 of 3 failed (si_sdr, stoi): the degraded file: expected mono")
    assert all("(si_sdr, stoi)" in line and "opposite phase" in line for line in lines)
    pytest.importorskip("pocketsphinx", reason="pip install 'synbench[metrics]'")
    words = synbench(
        "score", "--reference", reference, "--degraded", reference,
        "--metrics", "wer_pocketsphinx_english",
    )  # fmt: skip
    assert words.returncode == 0, "a transcript that is absent is no failure"
    assert "! 3 of 3 not applicable" in words.stdout
    assert "NAME.txt beside each reference" in words.stdout


def test_errors_are_pooled_over_all_words_and_shown_in_per_cent(
    synbench: Command, install: Callable[..., Path], tmp_path: Path
) -> None:
    reference, degraded = folders(tmp_path, lambda wave: wave)
    for seed, text in enumerate(("one two three four", "one", "one two three four five")):
        (reference / f"{seed}.txt").write_text(text, encoding="utf-8")
    package = install(
        """
        from synbench_metrics import Measured, Metric, MetricInfo

        def errors(*, degraded, sample_rate, transcript):
            words = len(transcript.split())
            return Measured(value=1 / words, weight=words)

        ERRORS = Metric(
            MetricInfo(
                column="errors", label="Errors", unit="", direction="down", minimum=0.0,
                maximum=None, sample_rates=(), needs=frozenset({"transcript"}),
                implementation="test", version="1", source="tests", pooling="weighted_mean",
                cpu_seconds_per_audio_second=0.1),
            errors)
        """,
        {"synbench.metrics": {"errors": "ERRORS"}},
    )
    done = synbench(
        "score", "--reference", reference, "--degraded", degraded, "--metrics", "errors",
        paths=(package,),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[2:6]}
    assert rows == {"0": "25.00", "1": "100.00", "2": "20.00", "mean": "30.00"}
    assert "(%)" in done.stdout


def test_trees_are_matched_as_recordings_are(tmp_path: Path) -> None:
    for name in ("ref/s1/a.wav", "ref/s2/a.wav", "deg/dev/s1/a.flac", "deg/dev/s2/a.flac"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, speech(0, 1600), RATE)
    pairing = match(tmp_path / "ref", tmp_path / "deg")
    assert [(pair.name, pair.degraded.parent.name) for pair in pairing.pairs] == [
        ("s1/a", "s1"),
        ("s2/a", "s2"),
    ]
    assert (pairing.only_reference, pairing.only_degraded) == ([], [])
    (tmp_path / "deg" / "dev" / "s1").rename(tmp_path / "deg" / "dev" / "s3")
    with pytest.raises(UsageError, match="fit 's1/a' equally well"):
        match(tmp_path / "ref", tmp_path / "deg")


def test_the_table_of_a_run_says_the_same(
    write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    reference, degraded = folders(tmp_path, lambda wave: np.r_[-wave, np.zeros(8000)])
    codec = {"codec": "recordings", "options": {"folder": str(degraded), "label": "theirs"}}
    suite = write_suite(reference, codecs=[codec, "lowpass-3k5"], metrics=["stoi"])
    done = synbench("run", suite, "--out", tmp_path / "run", "--workers", "0")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "! theirs: inverted polarity in 3 of 3 files" in said
    assert "! theirs: longer than the reference by more than a frame (40 ms) in 3 of 3" in said
    assert "Low-pass" not in " ".join(line for line in said.split("!") if "polarity" in line)
