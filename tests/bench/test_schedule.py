"""A model is loaded once per worker, a GPU belongs to one worker, and every cell is done once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import soundfile

from synbench.execution.plan import make_plan
from synbench.execution.schedule import Schedule
from synbench.execution.units import DecodeUnit, ScoreUnit
from synbench.execution.worker import UnitReport
from synbench.results.store import RunFolder
from synbench.suite import load_suite

ITEMS = 8
NEURAL = ["heavy:seed=1", "heavy:seed=2"]
OTHERS = ["light", "lowpass-3k5"]
METRICS = ["si_sdr", "log_spectral_distance"]

MODULE = """
    import os
    import numpy as np
    from synbench_codecs import CodecInfo, Encoded

    def note(event, spec):
        line = f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES', '-')} {event} {spec}\\n"
        with open(os.environ["NOTES"], "a") as file:
            file.write(line)

    class Light:
        points = ({},)
        kind = "classical"

        def __init__(self, *, seed: int = 0):
            spec = f"heavy:seed={seed}" if self.kind == "neural" else "light"
            note("load", spec)
            self.info = CodecInfo(
                spec=spec, label=spec, kind=self.kind, adapter_version=1, implementation="test",
                sample_rate=None, output_sample_rate=None, nominal_bitrate_bps=None)

        def encode(self, wave, sample_rate):
            note("encode", self.info.spec)
            payload = np.asarray(wave, "<f4").tobytes()
            return Encoded(spec=self.info.spec, payload=payload, payload_bits=8 * len(payload),
                           n_samples=wave.size, sample_rate=sample_rate)

        def decode(self, encoded):
            return np.frombuffer(encoded.payload, "<f4") * np.float32(0.5) + np.float32(1e-3)

    class Heavy(Light):
        kind = "neural"
"""


@pytest.fixture
def many(speech_folder: Path) -> Path:
    wave, rate = soundfile.read(speech_folder / "a.wav")
    for number in range(ITEMS - 3):
        soundfile.write(speech_folder / f"more{number}.wav", wave[number * 100 :], rate)
    return speech_folder


@pytest.fixture
def noted(
    many: Path,
    write_suite: Callable[..., Path],
    install: Callable[..., Path],
    synbench: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., list[tuple[str, str, str, str]]]:
    """Runs a suite of noisy codecs; gives (pid, device, event, spec) of what workers did."""

    def run(*, workers: int, gpus: int = 0) -> list[tuple[str, str, str, str]]:
        outside = install(MODULE, {"synbench.codecs": {"heavy": "Heavy", "light": "Light"}})
        if gpus:  # a torch that sees them, since a device that is not there is refused
            counting = f"class cuda:\n    device_count = staticmethod(lambda: {gpus})\n"
            (outside / "torch.py").write_text(counting)
        notes = tmp_path / "notes"
        monkeypatch.setenv("NOTES", str(notes))
        suite = write_suite(many, codecs=[*NEURAL, *OTHERS], metrics=METRICS)
        done = synbench(
            "run", suite, "--out", tmp_path / "run", "--workers", str(workers), paths=(outside,)
        )
        assert done.returncode == 0, done.stderr
        rows = [
            row
            for file in (tmp_path / "run" / "scores").glob("*.parquet")
            for row in pyarrow.parquet.read_table(file).to_pylist()
        ]
        cells = Counter((row["item"], row["codec"], row["metric"]) for row in rows)
        assert len(cells) == ITEMS * (len(NEURAL) + len(OTHERS)) * len(METRICS)
        assert set(cells.values()) == {1}
        lines = [tuple(line.split(" ", 3)) for line in notes.read_text().splitlines()]
        workers_of = {pid for pid, _, event, _ in lines if event == "encode"}
        return [line for line in lines if line[0] in workers_of]

    return run


def test_a_worker_loads_a_model_once(
    noted: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    lines = noted(workers=2)
    assert sum(event == "encode" for _, _, event, _ in lines) == ITEMS * 3
    loads = Counter((pid, spec) for pid, _, event, spec in lines if event == "load")
    assert max(count for (_, spec), count in loads.items() if spec in NEURAL) == 1


def test_each_gpu_has_one_worker_and_only_neural_codecs_go_there(
    noted: Callable[..., list[tuple[str, str, str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_DEVICE", "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    devices = defaultdict(set)
    for pid, device, event, spec in noted(workers=1, gpus=2):
        if event == "encode":
            devices[spec in NEURAL].add((pid, device))
    assert {device for _, device in devices[True]} <= {"3", "5"}
    assert len(devices[True]) == len({pid for pid, _ in devices[True]})
    assert not {pid for pid, _ in devices[True]} & {pid for pid, _ in devices[False]}


@pytest.mark.parametrize("idle", [False, True])
def test_units_cover_the_plan_once(
    idle: bool,
    many: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    codecs = ["passthrough", "lowpass-3k5"]
    suite = load_suite(write_suite(many, codecs=codecs, metrics=METRICS))
    plan = make_plan(suite, RunFolder(tmp_path / "run"))
    schedule = Schedule(plan, "run", workers=1, unit_seconds=(0.01, 0.02))
    decoded, scored = Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    waiting = []
    while True:
        task = schedule.next("everything")
        if task is not None:
            waiting.append(task)
            if idle:  # as many workers as there is work: all of them start before one ends
                continue
        if not waiting:
            break
        task = waiting.pop()
        unit = task.unit
        if isinstance(unit, DecodeUnit):
            decoded.update((unit.codec.spec, item.item) for item in unit.items)
        else:
            assert isinstance(unit, ScoreUnit)
            for item, cells in unit.items:
                for cell in cells:
                    assert decoded[cell.codec.spec, item.item], "scored before it was decoded"
                    scored.update((cell.codec.spec, item.item, m.column) for m in cell.metrics)
        schedule.finish(task, UnitReport())
    assert len(decoded) == ITEMS * len(codecs)
    assert len(scored) == ITEMS * len(codecs) * len(METRICS)
    assert set(decoded.values()) == set(scored.values()) == {1}
