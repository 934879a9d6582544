"""Bad input that other tools get wrong: a stated outcome and exit code for each case."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

import synbench_metrics
from synbench.errors import EnvironmentFault
from synbench.execution import decoding
from synbench.execution.execute import execute
from synbench.execution.executors import Serial
from synbench.execution.manifest import describe_run, item_rows
from synbench.execution.plan import make_plan
from synbench.results.store import RunFolder
from synbench.suite import load_suite

RATE = 16000
Command = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]


def scores(run: Path) -> list[dict[str, Any]]:
    """All stored score rows."""
    files = sorted((run / "scores").glob("*.parquet"))
    return [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]


def outcomes(run: Path, metric: str = "log_spectral_distance") -> dict[str, tuple[str, str]]:
    """Item to (status, reason) for one metric."""
    return {
        row["item"]: (row["status"], row["reason"])
        for row in scores(run)
        if row["metric"] == metric
    }


def test_garbage_wav_as_second_of_three(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    (speech_folder / "b.wav").write_bytes(b"RIFF but no audio at all")
    done = synbench("run", write_suite(speech_folder), "--out", tmp_path / "run", alone=True)
    assert done.returncode == 1
    by_item = outcomes(tmp_path / "run")
    assert [by_item[item][0] for item in "abc"] == ["ok", "failed", "ok"]
    assert "cannot read" in by_item["b"][1]
    assert "b.wav" in by_item["b"][1]
    assert "2/3" in done.stdout


def test_failure_budget_allows_it(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    (speech_folder / "b.wav").write_bytes(b"")
    suite = write_suite(speech_folder, failure_budget="40%")
    done = synbench("run", suite, "--out", tmp_path / "run")
    assert done.returncode == 0
    assert "2/3" in done.stdout


@pytest.mark.parametrize(
    ("wave", "reason"),
    [
        (np.zeros(RATE), "digitally silent"),
        (np.full(RATE, np.nan), "NaN"),
        (np.full(RATE, 0.1) * 20000, "full scale"),
    ],
)
def test_unusable_references(
    wave: np.ndarray,
    reason: str,
    speech_folder: Path,
    write_suite: Write,
    synbench: Command,
    tmp_path: Path,
) -> None:
    soundfile.write(speech_folder / "b.wav", wave, RATE, subtype="FLOAT")
    done = synbench("run", write_suite(speech_folder), "--out", tmp_path / "run", "--workers", "0")
    assert done.returncode == 1
    by_item = outcomes(tmp_path / "run")
    assert by_item["b"][0] == "failed"
    assert reason in by_item["b"][1] or "scale" in by_item["b"][1]
    assert by_item["a"][0] == by_item["c"][0] == "ok"


def test_names_that_are_no_text_or_too_long(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    odd = b"caf\xe9 a:b,c=d'[x].wav"
    long = ["L" * 240 + ending for ending in ("1", "2")]
    wave = (speech_folder / "a.wav").read_bytes()
    try:
        (speech_folder / os.fsdecode(odd)).write_bytes(wave)
    except OSError:
        pytest.skip("this file system takes only names of valid text")
    for name in long:
        (speech_folder / f"{name}.wav").write_bytes(wave)
    done = synbench("run", write_suite(speech_folder), "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    by_item = outcomes(tmp_path / "run")
    assert by_item.keys() == {"a", "b", "c", "caf%E9 a:b,c=d'[x]", *long}
    assert {status for status, _ in by_item.values()} == {"ok"}
    assert len(list((tmp_path / "run" / "reconstructions").rglob("*.flac"))) == len(by_item)


@pytest.mark.parametrize("command", ["run", "encode"])
def test_a_place_that_cannot_be_written(
    command: str, speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "out"
    if command == "run":
        done = synbench("run", write_suite(speech_folder), "--out", path)
    else:
        done = synbench("encode", "passthrough", speech_folder / "a.wav", path)
    assert done.returncode == 3
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_silent_output(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    decoded = tmp_path / "decoded"
    decoded.mkdir()
    for name in "ac":
        wave, _ = soundfile.read(speech_folder / f"{name}.wav")
        soundfile.write(decoded / f"{name}.wav", wave * 0.9 + 1e-3, RATE)
    soundfile.write(decoded / "b.wav", np.zeros(RATE), RATE)
    codec = {"codec": "recordings", "options": {"folder": str(decoded), "label": "theirs"}}
    suite = write_suite(speech_folder, codecs=[codec], metrics=["log_spectral_distance"])
    done = synbench("run", suite, "--out", tmp_path / "run")
    assert done.returncode == 1
    assert outcomes(tmp_path / "run")["b"] == ("failed", "degraded is digitally silent")
    assert "2/3" in done.stdout


def test_flac_reference_against_wav_output(
    speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    degraded = tmp_path / "degraded"
    degraded.mkdir()
    for path in speech_folder.glob("*.wav"):
        wave, rate = soundfile.read(path)
        soundfile.write(degraded / f"{path.stem}.flac", wave * 0.7 + 1e-3, rate)
    done = synbench(
        "score", "--reference", speech_folder, "--degraded", degraded, "--metrics", "si_sdr"
    )
    assert done.returncode == 0, done.stderr
    assert "3/3" in done.stdout


def test_stereo_is_averaged(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    wave, _ = soundfile.read(speech_folder / "b.wav")
    soundfile.write(speech_folder / "b.wav", np.stack([wave, 0.5 * wave], axis=1), RATE)
    done = synbench("run", write_suite(speech_folder), "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    items = pyarrow.parquet.read_table(tmp_path / "run" / "items.parquet").to_pylist()
    assert {row["item"]: row["channels"] for row in items} == {"a": 1, "b": 2, "c": 1}


def test_clip_of_a_tenth_of_a_second(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    wave, _ = soundfile.read(speech_folder / "b.wav")
    soundfile.write(speech_folder / "b.wav", wave[:1600], RATE)
    suite = write_suite(speech_folder, metrics=["visqol_speech_exp", "si_sdr"])
    done = synbench("run", suite, "--out", tmp_path / "run")
    assert done.returncode == 0, "not applicable is no failure"
    status, reason = outcomes(tmp_path / "run", "visqol_speech_exp")["b"]
    assert status == "not_applicable"
    assert "0.100 s" in reason
    assert outcomes(tmp_path / "run", "si_sdr")["b"][0] == "ok"


def test_another_sample_rate_is_resampled(
    speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    degraded = tmp_path / "degraded"
    degraded.mkdir()
    for path in speech_folder.glob("*.wav"):
        wave, _ = soundfile.read(path)
        soundfile.write(degraded / path.name, wave[::2], RATE // 2)
    done = synbench(
        "score", "--reference", speech_folder, "--degraded", degraded,
        "--metrics", "mel_distance", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"scored": 3' in done.stdout


def test_unequal_lengths_are_filled_as_in_a_run_and_said(
    speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    degraded = tmp_path / "degraded"
    degraded.mkdir()
    for path in speech_folder.glob("*.wav"):
        wave, _ = soundfile.read(path)
        soundfile.write(degraded / path.name, wave[:-7] * 0.7 + 1e-3, RATE)
    arguments = ("score", "--reference", speech_folder, "--degraded", degraded)
    done = synbench(*arguments, "--metrics", "si_sdr")
    assert done.returncode == 0
    assert "3/3" in done.stdout
    assert "filled at the end to the reference's length, by 0.438 ms at most: 3 of 3" in done.stdout
    assert synbench(*arguments, "--metrics", "si_sdr", "--cut").stdout == done.stdout


def test_swapped_arguments_are_impossible(speech_folder: Path, synbench: Command) -> None:
    done = synbench("score", speech_folder, speech_folder, "--metrics", "si_sdr")
    assert done.returncode == 2
    wave = np.ones(10)
    with pytest.raises(TypeError):
        synbench_metrics.score(synbench_metrics.load("si_sdr"), wave, wave, 16000)  # type: ignore[misc]


def test_misspelt_metric(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    suite = write_suite(speech_folder, metrics=["pesqq_wb", "stoi"])
    done = synbench("run", suite, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "pesq_wb" in done.stderr
    assert not (tmp_path / "run" / "scores").exists()


def test_files_without_a_partner_are_named(
    speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    degraded = tmp_path / "degraded"
    degraded.mkdir()
    for name in ("a", "x"):
        wave, _ = soundfile.read(speech_folder / "a.wav")
        soundfile.write(degraded / f"{name}.wav", wave * 0.7 + 1e-3, RATE)
    done = synbench(
        "score", "--reference", speech_folder, "--degraded", degraded, "--metrics", "si_sdr"
    )
    assert done.returncode == 1
    assert "only in reference: b, c" in done.stdout
    assert "only in degraded: x" in done.stdout


def test_metric_added_after_a_finished_run(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert synbench("run", write_suite(speech_folder), "--out", run).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.flac")}
    old = scores(run)
    suite = write_suite(speech_folder, metrics=["si_sdr", "log_spectral_distance", "mel_distance"])
    assert synbench("run", suite, "--out", run).returncode == 0
    new = [row for row in scores(run) if row not in old]
    assert {row["metric"] for row in new} == {"mel_distance"}
    assert len(new) == 3
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.flac")} == before


def test_a_worker_that_dies_costs_only_its_cell(
    speech_folder: Path, write_suite: Write, synbench: Command, plugin: Path, tmp_path: Path
) -> None:
    wave, _ = soundfile.read(speech_folder / "b.wav")
    soundfile.write(speech_folder / "b.wav", wave[:3000], RATE)
    suite = write_suite(speech_folder, codecs=["deadly", "lowpass-3k5"])
    done = synbench("run", suite, "--out", tmp_path / "run", "--workers", "2", paths=(plugin,))
    assert done.returncode == 1, done.stderr
    failed = [row for row in scores(tmp_path / "run") if row["status"] == "failed"]
    assert {(row["codec"], row["item"]) for row in failed} == {("deadly", "b")}
    assert all("worker process died" in row["reason"] for row in failed)
    assert len(scores(tmp_path / "run")) == 3 * 2 * 2


def test_a_bug_in_a_codec_is_a_reason(
    speech_folder: Path, write_suite: Write, synbench: Command, plugin: Path, tmp_path: Path
) -> None:
    suite = write_suite(speech_folder, codecs=["buggy"])
    done = synbench("run", suite, "--out", tmp_path / "run", paths=(plugin,))
    assert done.returncode == 1
    assert outcomes(tmp_path / "run")["a"] == ("failed", "ZeroDivisionError: planted")


def test_full_disk(
    speech_folder: Path, write_suite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    run = RunFolder(tmp_path / "run")
    plan = make_plan(load_suite(write_suite(speech_folder)), run)
    run.begin(describe_run(plan), item_rows(plan))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(decoding, "write_sealed", full)
        with pytest.raises(EnvironmentFault, match="make room, then type the same command again"):
            execute(plan, run, Serial(), lambda *_: None)
    assert not list((tmp_path / "run").glob("*/*.parquet"))
    execute(make_plan(plan.suite, run), run, Serial(), lambda *_: None)
    assert make_plan(plan.suite, run).complete


def test_really_full_disk(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        done = synbench("run", write_suite(speech_folder), "--out", disk / "run", alone=True)
        assert done.returncode == 3
        assert "make room" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(disk.rglob("*.tmp"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_file_deleted_in_mid_run(
    speech_folder: Path, write_suite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    run = RunFolder(tmp_path / "run")
    suite = load_suite(write_suite(speech_folder))
    plan = make_plan(suite, run)
    run.begin(describe_run(plan), item_rows(plan))
    away = (speech_folder / "b.wav").rename(tmp_path / "away.wav")
    execute(plan, run, Serial(), lambda *_: None)
    status, reason = outcomes(run.path)["b"]
    assert status == "failed"
    assert "no such file" in reason
    assert outcomes(run.path)["a"][0] == "ok"
    away.rename(speech_folder / "b.wav")
    again = make_plan(suite, run)
    assert again.missing_scores == 2, "only the two scores of b are tried again"
    execute(again, run, Serial(), lambda *_: None)
    assert make_plan(suite, run).complete


def test_deleted_reconstruction_is_made_again(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert synbench("run", write_suite(speech_folder), "--out", run).returncode == 0
    for path in run.rglob("*.flac"):
        path.unlink()
    suite = write_suite(speech_folder, metrics=["mel_distance"])
    assert synbench("run", suite, "--out", run).returncode == 0
    assert outcomes(run, "mel_distance")["a"][0] == "ok"


def test_two_runs_in_one_folder(
    speech_folder: Path,
    write_suite: Write,
    synbench: Command,
    plugin: Path,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    suite, run = write_suite(speech_folder, codecs=["slow"]), tmp_path / "run"
    first = subprocess.Popen(
        [sys.executable, "-m", "synbench", "run", str(suite), "--out", str(run), "--quiet"],
        env=environment(plugin),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 90
    while not (run / ".lock").is_file() or not (run / ".lock").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = synbench("run", suite, "--out", run, paths=(plugin,))
    assert second.returncode == 2
    assert f"process {first.pid}" in second.stderr
    assert first.wait(60) == 0


def test_a_suite_that_cannot_run_leaves_no_folder(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    suite, run = write_suite(speech_folder, codecs=["no-such-codec"]), tmp_path / "run"
    assert synbench("run", suite, "--out", run).returncode == 2
    assert not run.exists()
    run.mkdir()
    assert synbench("run", suite, "--out", run).returncode == 2
    assert run.exists()
