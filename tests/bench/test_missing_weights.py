"""A codec whose weights are absent: listed, skipped with a reason in every cell, or a stop."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONTENT = b"seven" * 100
MODULE = f'''
    from synbench_codecs import Checkpoint, CodecInfo, Encoded, WeightsSource, find_weights
    import dataclasses
    import numpy as np
    from fractions import Fraction

    GAINS = Checkpoint(
        name="gains",
        files=(WeightsSource(
            repository="huggingface.co/some/body", revision="1", file="gains.bin",
            sha256="{hashlib.sha256(CONTENT).hexdigest()}", bytes={len(CONTENT)}),),
        licence="MIT")

    class Learned:
        points = ({{}},)
        checkpoints = (GAINS,)

        def __init__(self, *, weights: str = ""):
            self.info = self.described()
            (file,) = find_weights(GAINS, weights)
            self.info = dataclasses.replace(self.info, weights=(file.source,))

        @classmethod
        def described(cls):
            return CodecInfo(
                spec="learned", label="Learned 1 kbps", kind="neural", adapter_version=1,
                implementation="test", sample_rate=None, output_sample_rate=None,
                nominal_bitrate_bps=Fraction(1000), source="tests", weights=GAINS.files)

        def encode(self, wave, sample_rate):
            payload = np.asarray(wave, "<f4").tobytes()
            return Encoded(spec="learned", payload=payload, payload_bits=8 * len(payload),
                           n_samples=wave.size, sample_rate=sample_rate,
                           model_digest=self.info.model_digest)

        def decode(self, encoded):
            return np.frombuffer(encoded.payload, "<f4") * np.float32(0.5) + np.float32(1e-3)
'''
NEXT_COMMAND = "synbench weights fetch gains"


@pytest.fixture
def learned(
    install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, Any]:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    return {"paths": (install(MODULE, {"synbench.codecs": {"learned": "Learned"}}),)}


def suite_of(write_suite: Callable[..., Path], folder: Path, unavailable: str) -> Path:
    return write_suite(
        folder,
        codecs=["passthrough", "learned"],
        metrics=["si_sdr", "stoi"],
        unavailable=unavailable,
    )


def test_it_is_listed_with_its_rate_and_the_next_command(
    learned: dict[str, Any], synbench: Callable[..., Any]
) -> None:
    listed = json.loads(synbench("codecs", "--json", **learned).stdout)
    (fact,) = [fact for fact in listed if fact["spec"] == "learned"]
    assert fact["nominal_bitrate_bps"] == "1000"
    assert "missing weights" in fact["unavailable"]
    assert NEXT_COMMAND in fact["unavailable"]


def test_a_suite_that_says_stop_stops(
    learned: dict[str, Any],
    synbench: Callable[..., Any],
    write_suite: Callable[..., Path],
    speech_folder: Path,
    tmp_path: Path,
) -> None:
    suite = suite_of(write_suite, speech_folder, "stop")
    done = synbench("run", suite, "--out", tmp_path / "run", **learned)
    assert done.returncode == 3
    assert NEXT_COMMAND in done.stderr
    assert "write into the suite: unavailable: skip" in done.stderr
    planned = synbench("plan", suite, "--out", tmp_path / "run", **learned)
    assert planned.returncode == 0
    assert NEXT_COMMAND in " ".join(planned.stdout.split())
    assert "the run stops at that" in planned.stdout
    assert "6 of 6 scores to compute" in planned.stdout


def test_a_metric_that_cannot_run_keeps_its_column(
    learned: dict[str, Any],
    synbench: Callable[..., Any],
    write_suite: Callable[..., Path],
    speech_folder: Path,
    tmp_path: Path,
) -> None:
    suite = write_suite(
        speech_folder,
        codecs=["passthrough"],
        metrics=["si_sdr", "scoreq_natural"],
        unavailable="skip",
    )
    run = tmp_path / "run"
    done = synbench("run", suite, "--out", run, "--workers", "1", **learned)
    assert done.returncode == 0
    assert "SCOREQ" in done.stdout
    assert "(0/3)" in done.stdout
    assert "3 of 6 planned, because a metric could not run" in " ".join(done.stdout.split())
    rows = exported(synbench, run, tmp_path, learned)
    reasons = {row["reason"] for row in rows if row["metric"] == "scoreq_natural"}
    assert len(reasons) == 1
    assert "missing weights" in reasons.pop()


def test_a_suite_that_says_skip_counts_every_cell_and_goes_on_once_they_are_here(
    learned: dict[str, Any],
    synbench: Callable[..., Any],
    write_suite: Callable[..., Path],
    speech_folder: Path,
    tmp_path: Path,
) -> None:
    suite, run = suite_of(write_suite, speech_folder, "skip"), tmp_path / "run"
    done = synbench("run", suite, "--out", run, "--workers", "1", **learned)
    assert "skipped codec Learned 1 kbps: missing weights" in " ".join(done.stderr.split())
    shown = " ".join(done.stdout.split())
    assert "Learned 1 kbps" in shown
    assert "6 of 12 planned, because a codec could not run" in shown
    rows = exported(synbench, run, tmp_path, learned)
    missing = [row for row in rows if row["codec"] == "Learned 1 kbps"]
    assert len(missing) == 6
    assert {row["status"] for row in missing} == {"missing"}
    assert all(row["reason"].startswith("missing weights (gains.bin)") for row in missing)

    (tmp_path / "gains.bin").write_bytes(CONTENT)
    synbench("weights", "fetch", "learned", "--from", tmp_path / "gains.bin", **learned)
    synbench("run", suite, "--out", run, "--workers", "1", **learned)
    rows = exported(synbench, run, tmp_path, learned)
    statuses = [row["status"] for row in rows if row["codec"] == "Learned 1 kbps"]
    assert statuses == ["ok"] * 6


def exported(
    synbench: Callable[..., Any], run: Path, folder: Path, learned: dict[str, Any]
) -> list[dict[str, Any]]:
    target = folder / "rows.csv"
    synbench("export", run, "--format", "csv", "--rows", "--out", target, **learned)
    with target.open(newline="") as file:
        return list(csv.DictReader(file))
