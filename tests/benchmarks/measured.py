"""What one run of ``make benchmark`` measures: written as a page, and held against the last time.

A figure has a row and a column in a table of the page. All of them come out of one run: a page
never mixes machines or days. A ratio of two times that were measured in turn hardly depends on the
machine: one that falls by more than a third fails the benchmark.
"""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "speed.md"
LARGEST_FALL = 1 / 3
# By title and text, in the order of the page.
TABLES = {
    "rows": (
        "Tables of stored scores",
        "CPU seconds of whole commands, their start included. Every cell has a score, 20 codecs by "
        "10 metrics, in 200 files.",
    ),
    "items": (
        "Planning",
        "CPU seconds for a corpus whose files were read before: one codec, one metric. The plan, "
        "the list of items that a start writes, and a whole `synbench run` that finds nothing to "
        "do.",
    ),
    "shards": (
        "Files of rows",
        "CPU seconds to read the scores of a run that was killed after so many units, before and "
        "after its rows were put into one file.",
    ),
    "ratios": (
        "Against the packages that users would call",
        "How many times as fast. Both sides score or code the same audio, are measured in turn, "
        "and must agree on the result. A plain eager network is the same one written line by line "
        "from its paper.",
    ),
    "metrics": (
        "Metrics",
        "CPU seconds per second of audio on one thread, of all columns that run on this machine "
        "without a download; columns of one model share its work when they are asked for together.",
    ),
    "codecs": (
        "Codecs",
        "CPU seconds per second of audio on one thread, and the largest memory of the process in "
        "GB. Networks have their published size and random weights, which cost the same.",
    ),
    "memory": (
        "Memory",
        "Largest resident memory in GB of a whole command, and its CPU seconds.",
    ),
}
HEAD = """\
---
order: 60
---

# Speed and scale

`make benchmark` measures all of this in one run and writes the page. Times are CPU seconds, so that
other work on the machine counts little; ratios are of times measured in turn. A ratio that falls by
more than a third fails the benchmark. PESQ is the `pesq` package as its authors wrote it: a notice
in its code forbids to alter it; the set-up only compiles it better ([scores](scores.md)).
"""

__all__ = ["Measured"]


class Measured:
    """The figures of this run, and the ratios of the last one.

    Args:
        file: where they are kept.
    """

    def __init__(self, file: Path = FILE) -> None:
        self._file = file
        self._started = time.monotonic()
        self._load = os.getloadavg()[0]
        self.tables: dict[str, dict[str, dict[str, float]]] = {}
        self.absent: dict[str, str] = {}
        kept: dict[str, Any] = {}
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
        self.ratios: dict[str, float] = kept.get("ratios", {})

    def add(self, table: str, row: str, **columns: float) -> None:
        """Put figures into a row of one of :data:`TABLES`, and print them."""
        assert table in TABLES
        rounded = {name: float(f"{value:.3g}") for name, value in columns.items()}
        self.tables.setdefault(table, {}).setdefault(row, {}).update(rounded)
        shown = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in rounded.items())
        minutes = (time.monotonic() - self._started) / 60
        print(f"\n[{minutes:4.1f} min] {row}: {shown}", flush=True)

    def add_ratio(self, row: str, ratio: float) -> None:
        """Likewise a ratio.

        Raises:
            AssertionError: it fell by more than a third since it was kept.
        """
        self.add("ratios", row, ratio=ratio)
        before = self.ratios.get(row, 0.0)
        assert ratio >= before * (1 - LARGEST_FALL), f"{row}: {ratio:.2f}, it was {before:.2f}"
        self.ratios[row] = float(f"{ratio:.3g}")

    def save(self, page: Path = PAGE) -> None:
        """Keep the figures and write the page."""
        content = {"machine": self._machine(), "ratios": self.ratios, "tables": self.tables}
        self._file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        written = [_written(table, self.tables[table]) for table in TABLES if table in self.tables]
        page.write_text(f"{HEAD}\n{self._machine()}\n{''.join(written)}{self._left_out()}")

    def _machine(self) -> str:
        minutes = (time.monotonic() - self._started) / 60
        return (
            f"Measured in {minutes:.0f} minutes on {platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}; load {self._load:.1f} at the start, "
            f"{os.getloadavg()[0]:.1f} at the end."
        )

    def _left_out(self) -> str:
        if not self.absent:
            return ""
        lines = [f"- `{name}`: {reason}" for name, reason in sorted(self.absent.items())]
        return "\n## Not in this run\n\n" + "\n".join(lines) + "\n"


def _written(table: str, rows: dict[str, dict[str, float]]) -> str:
    title, text = TABLES[table]
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [
        ["", *(name.replace("_", " ") for name in columns)],
        ["---"] + ["---:"] * len(columns),
        *(
            [name, *(f"{row[column]:g}" if column in row else "" for column in columns)]
            for name, row in rows.items()
        ),
    ]
    grid = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"\n## {title}\n\n{text}\n\n{grid}\n"
