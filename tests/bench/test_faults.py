"""A fault costs the cell it happened in, is said with its reason, and is tried again."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faulty
import numpy as np
import pyarrow.parquet
import pytest
import soundfile

import synbench_metrics
from synbench.execution.execute import execute
from synbench.execution.executors import Serial
from synbench.execution.manifest import describe_run, item_rows
from synbench.execution.plan import make_plan
from synbench.execution.worker import published_reason
from synbench.results.outcomes import MOST_ATTEMPTS
from synbench.results.store import RunFolder
from synbench.suite import load_suite

RATE = 16000
Write = Callable[..., Path]
Start = Callable[..., dict[str, tuple[str, str]]]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three clips; the one called b has 12000 samples."""
    folder = tmp_path / "speech"
    folder.mkdir()
    for seed, (name, samples) in enumerate({"a": RATE, "b": 12000, "c": RATE}.items()):
        wave = 0.1 * np.random.default_rng(seed).standard_normal(samples).clip(-3, 3)
        soundfile.write(folder / f"{name}.wav", wave, RATE, subtype="PCM_16")
    return folder


@pytest.fixture
def start(tmp_path: Path, write_suite: Write, clips: Path, monkeypatch: Any) -> Start:
    """Runs a suite in this process; item to (status, reason) of SI-SDR."""
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))

    def run(codec: Any, *, metrics: tuple[str, ...] = ("si_sdr",), **options: Any) -> Any:
        folder = RunFolder(tmp_path / "run")
        suite = load_suite(write_suite(clips, codecs=[codec], metrics=list(metrics)))
        plan = make_plan(suite, folder, **options)
        folder.begin(describe_run(plan), item_rows(plan))
        if not plan.complete:
            execute(plan, folder, Serial(), lambda *_: None)
        return counted(folder.path, metrics[-1])

    return run


def counted(run: Path, metric: str) -> dict[str, tuple[str, str]]:
    """Of several rows of a cell the highest attempt."""
    rows = [
        row
        for file in sorted((run / "scores").glob("*.parquet"))
        for row in pyarrow.parquet.read_table(file).to_pylist()
        if row["metric"] == metric
    ]
    rows.sort(key=lambda row: row["attempt"])
    return {row["item"]: (row["status"], row["reason"]) for row in rows}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/tmp/somebody/x"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        SystemExit(3),
        KeyboardInterrupt(),
        MemoryError(),
        RuntimeError("two\nlines \x1b[31mred"),
        GeneratorExit(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_codec_raises_costs_one_clip(
    error: BaseException, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = faulty.offer(monkeypatch, "raises", faulty.raising(error))
    by_item = start(name)
    assert [by_item[item][0] for item in "abc"] == ["ok", "failed", "ok"]
    reason = by_item["b"][1]
    assert type(error).__name__ in reason or reason == "out of memory"
    assert reason.isprintable()
    assert "somebody" not in reason


def test_whatever_a_metric_raises_costs_one_score(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = synbench_metrics.load("si_sdr")
    compute = metric.compute

    def ends(*, reference: Any, degraded: Any, **more: Any) -> Any:
        if reference.size == 12000:
            raise SystemExit("a library's idea")
        return compute(reference=reference, degraded=degraded, **more)

    monkeypatch.setattr(type(metric), "compute", property(lambda _: ends), raising=False)
    by_item = start("lowpass-3k5")
    assert [by_item[item][0] for item in "abc"] == ["ok", "failed", "ok"]
    assert "SystemExit" in by_item["b"][1]


def test_a_failure_heals_at_the_next_start(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty.offer(monkeypatch, "mended", faulty.raising(OSError("folder is full")))
    assert start("mended")["b"][0] == "failed"
    faulty.offer(monkeypatch, "mended", lambda wave: wave)
    assert start("mended")["b"] == ("ok", "")


def test_failures_are_tried_so_often_and_then_when_asked(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def act(wave: Any) -> Any:
        tries.append(wave.size)
        return faulty.raising(RuntimeError("always"))(wave)

    faulty.offer(monkeypatch, "hopeless", act)
    for _ in range(MOST_ATTEMPTS + 2):
        start("hopeless")
    assert tries.count(12000) == MOST_ATTEMPTS
    assert tries.count(RATE) == 2, "what succeeded is not done again"
    faulty.offer(monkeypatch, "hopeless", lambda wave: wave)
    assert start("hopeless")["b"][0] == "failed"
    assert start("hopeless", retry=True)["b"] == ("ok", "")


def test_what_a_metric_finds_wrong_with_the_waves_stays(start: Start, clips: Path) -> None:
    soundfile.write(clips / "b.wav", np.zeros(12000), RATE)
    assert start("lowpass-3k5")["b"][0] == "failed"
    suite_again = start("lowpass-3k5")
    assert suite_again["b"][0] == "failed"
    assert MOST_ATTEMPTS > 1


def test_a_hung_codec_is_named_and_the_run_goes_on(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(wave: Any) -> Any:
        return faulty.sleepy(wave) if wave.size == 12000 else wave

    faulty.offer(monkeypatch, "hangs", act)
    by_item = start("hangs", cell_seconds=0.5)
    assert [by_item[item][0] for item in "abc"] == ["ok", "failed", "ok"]
    assert by_item["b"][1] == "took longer than 0.5 s"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda wave: wave[:100], "failed"),
        (lambda wave: np.tile(wave, 20), "failed"),
        (lambda wave: wave[:0], "failed"),
        (lambda wave: np.pad(wave, (0, 900)), "ok"),
        (lambda wave: wave[:-900], "ok"),
        (lambda wave: np.pad(wave, (0, 4000)), "failed"),
    ],
    ids=["100 samples", "20 times", "nothing", "a frame more", "a frame less", "more than that"],
)
def test_the_length_of_what_a_codec_returns(
    change: Any, status: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.offer(monkeypatch, "lengths", change)
    by_item = start("lengths")
    assert {outcome for outcome, _ in by_item.values()} == {status}
    if status == "failed":
        assert "samples, expected" in by_item["a"][1]


def test_a_codec_may_declare_that_it_returns_more(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.offer(monkeypatch, "long", lambda wave: np.pad(wave, (0, 4000)), surplus_samples=4000)
    assert {outcome for outcome, _ in start("long").values()} == {"ok"}


@pytest.mark.parametrize(
    ("reason", "published"),
    [
        ("no such file: /home/jane/speech/s1/a.wav", "no such file: a.wav"),
        ("cannot read ~jane/x/y.bin or /mnt/jane/z", "cannot read y.bin or z"),
        ("/run/of/jane/reconstructions/a/b.flac is bad", "reconstructions/a/b.flac is bad"),
        ("OSError: [Errno 28] No space: '/tmp/jane/x'", "OSError: [Errno 28] No space: 'x'"),
        ("exited with 3: no / licence and/or key", "exited with 3: no / licence and/or key"),
        ("see https://example.org/a/b for more", "see https://example.org/a/b for more"),
        ("bad\x1b[31m\nthing\x07", "bad [31m thing"),
    ],
)
def test_reasons_name_no_folder(reason: str, published: str) -> None:
    item: Any = type("Work", (), {"path": "/home/jane/speech/s1/a.wav"})
    assert published_reason(reason, run="/run/of/jane", item=item) == published
