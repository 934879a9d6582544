"""What the tests on real clusters ask of a run folder, and how they wait."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet

ITEMS = 10
CODECS = ["lowpass-3k5", "slow"]
METRICS = ["si_sdr", "log_spectral_distance"]
# What says when and how fast, and nothing else.
CLOCKS = (
    "written",
    "cpu_seconds",
    *(f"{stage}_{kind}_seconds" for stage in ("encode", "decode") for kind in ("cpu", "wall")),
)

__all__ = ["CODECS", "ITEMS", "METRICS", "end", "files", "rows", "same", "until"]


def rows(run: Path, stage: str) -> list[dict[str, Any]]:
    """All rows without their times, in a fixed order."""
    content = [
        {name: value for name, value in row.items() if name not in CLOCKS}
        for file in (run / stage).glob("*.parquet")
        for row in pyarrow.parquet.read_table(file).to_pylist()
    ]
    return sorted(content, key=repr)


def files(run: Path) -> dict[str, bytes]:
    """Everything that was coded and decoded."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for tree in ("bitstreams", "reconstructions")
        for path in (run / tree).rglob("*")
        if path.is_file()
    }


def until(condition: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def end(process: subprocess.Popen[str], seconds: float = 400) -> str:
    """What a run that must succeed said."""
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == 0, said
    return said


def same(run: Path, other: Path) -> None:
    for stage, cells in (("decodes", 2), ("scores", 4)):
        assert rows(run, stage) == rows(other, stage)
        assert len(rows(run, stage)) == cells * ITEMS
        assert len(list((run / stage).glob("*.parquet"))) == 1
    assert not list(run.rglob("*.tmp")), "half a file is left"
    stored, expected = files(run), files(other)
    assert stored.keys() == expected.keys()
    assert [name for name in stored if stored[name] != expected[name]] == []
    assert not (run / "bundles").exists()
