"""What is scored is what was planned: no replaced recording, program or reconstruction."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faulty
import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from synbench.audio import audio_bytes
from synbench.execution import decoding
from synbench.execution.execute import execute
from synbench.execution.executors import Serial
from synbench.execution.manifest import describe_run, item_rows
from synbench.execution.plan import Plan, make_plan
from synbench.execution.sealed import is_sealed, sealed
from synbench.results.store import RunFolder
from synbench.suite import load_suite
from synbench_base.weights import file_sha256

RATE = 16000
Write = Callable[..., Path]


def noise(seed: int) -> Any:
    return 0.1 * np.random.default_rng(seed).standard_normal(RATE).clip(-3, 3)


def flac(wave: Any) -> bytes:
    return bytes(audio_bytes(wave, sample_rate=RATE, suffix=".flac"))


def put(path: Path, seed: int) -> None:
    """A file of equal size; its old times are put back."""
    before = path.stat() if path.exists() else None
    soundfile.write(path, noise(seed), RATE, subtype="PCM_16")
    if before is not None:
        assert path.stat().st_size == before.st_size
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


class Session:
    """A suite over three clips in this process."""

    def __init__(self, tmp_path: Path, write_suite: Write) -> None:
        self.folder, self.write = tmp_path / "speech", write_suite
        self.run = RunFolder(tmp_path / "run")
        self.folder.mkdir()
        for seed, name in enumerate("abc"):
            put(self.folder / f"{name}.wav", seed)

    def plan(self, codec: Any = "lowpass-3k5", metrics: tuple[str, ...] = ("si_sdr",)) -> Plan:
        decoding._codec.cache_clear()
        suite = load_suite(self.write(self.folder, codecs=[codec], metrics=list(metrics)))
        plan = make_plan(suite, self.run)
        self.run.begin(describe_run(plan), item_rows(plan))
        return plan

    def work(self, plan: Plan) -> dict[tuple[str, str], dict[str, Any]]:
        if not plan.complete:
            execute(plan, self.run, Serial(), lambda *_: None)
        rows = [
            row
            for file in (self.run.path / "scores").glob("*.parquet")
            for row in pyarrow.parquet.read_table(file).to_pylist()
        ]
        rows.sort(key=lambda row: (row["attempt"], row["written"]))
        return {(row["item"], row["metric"]): row for row in rows}


@pytest.fixture
def session(tmp_path: Path, write_suite: Write, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    return Session(tmp_path, write_suite)


def test_a_recording_replaced_after_planning_is_not_scored_as_the_old_one(
    session: Session,
) -> None:
    plan = session.plan()
    put(session.folder / "b.wav", 77)
    rows = session.work(plan)
    assert rows["a", "si_sdr"]["status"] == "ok"
    assert rows["b", "si_sdr"]["status"] == "failed"
    assert "b.wav changed after the run was planned" in rows["b", "si_sdr"]["reason"]


def test_a_recording_replaced_between_two_stages_is_not_scored(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(wave: Any) -> Any:
        put(session.folder / "b.wav", 78)
        return wave

    faulty.offer(monkeypatch, "replacing", replace)
    rows = session.work(session.plan("replacing"))
    assert rows["b", "si_sdr"]["status"] == "failed"
    assert "changed after" in rows["b", "si_sdr"]["reason"]


@pytest.mark.parametrize("how", ["other speech", "another item's", "a flipped bit", "half", "gone"])
def test_a_damaged_or_replaced_reconstruction_is_made_again(session: Session, how: str) -> None:
    true = session.work(session.plan(metrics=("si_sdr", "log_spectral_distance")))
    for row in (session.run.path / "scores").iterdir():
        row.unlink()
    path = next((session.run.path / "reconstructions").rglob("b.*.flac"))
    whole = path.read_bytes()
    if how == "other speech":
        path.write_bytes(flac(noise(99)))
    elif how == "another item's":
        path.write_bytes(next(path.parent.glob("a.*.flac")).read_bytes())
    elif how == "a flipped bit":
        path.write_bytes(whole[:3000] + bytes([whole[3000] ^ 4]) + whole[3001:])
    elif how == "half":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.unlink()
    again = session.work(session.plan(metrics=("si_sdr", "log_spectral_distance")))
    for key, row in true.items():
        assert (again[key]["status"], again[key]["value"]) == ("ok", row["value"])
    assert path.read_bytes() == whole


def test_a_seal_is_broken_by_every_flipped_bit() -> None:
    data = sealed(flac(noise(1)[:800]), "a/b.flac")
    assert is_sealed(data, "a/b.flac")
    assert not is_sealed(data, "a/c.flac")
    for bit in range(0, 8 * len(data), 5):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not is_sealed(bytes(damaged), "a/b.flac"), bit
    for length in range(0, len(data), 50):
        assert not is_sealed(data[:length], "a/b.flac")


def test_players_read_what_is_sealed(tmp_path: Path) -> None:
    plain = flac(noise(1))
    for name, data in (("plain", plain), ("sealed", sealed(plain, "x"))):
        (tmp_path / f"{name}.flac").write_bytes(data)
    waves = [soundfile.read(tmp_path / f"{name}.flac")[0] for name in ("plain", "sealed")]
    np.testing.assert_array_equal(*waves)


SCRIPT = """#!{python}
import sys
data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(data[:44] + bytes({change} for byte in data[44:]))
"""


def program(path: Path, change: str) -> Path:
    """An encoder or decoder that changes every byte of the samples."""
    path.write_text(SCRIPT.format(python=sys.executable, change=change))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def commands(tmp_path: Path) -> dict[str, Any]:
    return {
        "codec": "command",
        "options": {
            "encoder": f"{tmp_path / 'enc'} {{input}} {{output}}",
            "decoder": f"{tmp_path / 'dec'} {{input}} {{output}}",
            "sample_rate": RATE,
        },
    }


def test_a_program_built_anew_at_its_path_is_another_codec(
    session: Session, tmp_path: Path
) -> None:
    program(tmp_path / "enc", "byte")
    program(tmp_path / "dec", "byte & 0xF0")
    first = session.plan(commands(tmp_path))
    session.work(first)
    before = (tmp_path / "dec").stat()
    program(tmp_path / "dec", "byte & 0xFE")
    os.utime(tmp_path / "dec", ns=(before.st_atime_ns, before.st_mtime_ns))
    second = session.plan(commands(tmp_path))
    assert second.codecs[0].point.codec_id != first.codecs[0].point.codec_id
    assert second.missing_scores == 3


def test_a_program_built_anew_in_mid_run_is_not_the_planned_codec(
    session: Session, tmp_path: Path
) -> None:
    program(tmp_path / "enc", "byte")
    program(tmp_path / "dec", "byte & 0xF0")
    plan = session.plan(commands(tmp_path))
    program(tmp_path / "dec", "byte & 0xFE")
    rows = session.work(plan)
    assert {row["status"] for row in rows.values()} == {"failed"}
    assert "changed after the run was planned" in rows["a", "si_sdr"]["reason"]


def test_a_program_installed_later_heals_the_next_start(session: Session, tmp_path: Path) -> None:
    program(tmp_path / "enc", "byte")
    failed = session.work(session.plan(commands(tmp_path)))
    assert failed["a", "si_sdr"]["reason"].startswith("no such program: dec")
    program(tmp_path / "dec", "byte & 0xF0")
    healed = session.work(session.plan(commands(tmp_path)))
    assert {row["status"] for row in healed.values()} == {"ok"}


def test_a_script_without_a_first_line_costs_its_clips(session: Session, tmp_path: Path) -> None:
    program(tmp_path / "enc", "byte")
    (tmp_path / "dec").write_bytes(b"\x00 no program")
    (tmp_path / "dec").chmod(0o755)
    rows = session.work(session.plan(commands(tmp_path)))
    assert "dec cannot be started: Exec format error" in rows["a", "si_sdr"]["reason"]


def test_a_decoded_file_replaced_after_planning_is_not_scored(
    session: Session, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for seed, name in enumerate("abc"):
        put(mine / f"{name}.wav", 10 + seed)
    plan = session.plan({"codec": "recordings", "options": {"folder": str(mine), "label": "Mine"}})
    decoding._codec(plan.codecs[0].point)
    put(mine / "b.wav", 55)
    rows = session.work(plan)
    assert [rows[item, "si_sdr"]["status"] for item in "abc"] == ["ok", "failed", "ok"]
    assert "b.wav of Mine changed" in rows["b", "si_sdr"]["reason"]


def test_a_file_of_equal_size_and_time_has_its_own_digest(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first, status = file_sha256(path), path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file_sha256(path) != first
