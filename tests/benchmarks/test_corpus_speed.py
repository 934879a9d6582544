"""How much faster a corpus is loaded when its files are known."""

from __future__ import annotations

import os
import time
import wave
from pathlib import Path

import pytest

from synbench import corpora


@pytest.mark.benchmark
def test_the_second_load_of_two_thousand_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(2000):
        path = folder / f"{number:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(number.to_bytes(2, "little") * 32000)
        os.utime(path, (1_600_000_000, 1_600_000_000))  # what was just written is not trusted
    loaded, seconds = [], []
    for _ in range(2):
        start = time.process_time()
        loaded.append(corpora.load(f"folder:path={folder}"))
        seconds.append(time.process_time() - start)
    with capsys.disabled():
        print(
            f"\n2000 files of 2 s, CPU seconds: first {seconds[0]:.2f}, again {seconds[1]:.2f}, "
            f"ratio {seconds[0] / seconds[1]:.1f}"
        )
    assert loaded[0] == loaded[1]
    assert seconds[0] > 3 * seconds[1]
