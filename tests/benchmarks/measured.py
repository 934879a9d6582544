"""What benchmarks measured: kept beside them, written as a page, and held against the last time.

A figure has a row and a column in a table of the page. A ratio of two times that were measured in
turn hardly depends on the machine: one that falls by more than a third fails the benchmark.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "speed.md"
LARGEST_FALL = 1 / 3
TABLES = {
    "rows": (
        "Tables of stored scores",
        "CPU seconds beyond those that the command needs to start; every cell has a score, 20 "
        "codecs by 10 metrics.",
    ),
    "items": (
        "Planning",
        "CPU seconds of a corpus whose files were read before: one codec, one metric.",
    ),
    "shards": (
        "Files of rows",
        "CPU seconds to read the scores of a run that was killed after so many units, before and "
        "after its rows were put into one file.",
    ),
    "ratios": (
        "Against the packages that users would call",
        "How many times as fast, both measured in turn in one run.",
    ),
    "costs": ("Codecs and metrics", "CPU seconds per second of audio, on one thread."),
    "memory": ("Memory", "Largest resident memory in GB."),
}
HEAD = """\
---
order: 60
---

# Speed and scale

`make benchmark` measures all of this and writes the page. Times are CPU seconds, so that other work
on the machine counts little; ratios are of times measured in turn. A ratio that falls by more than
a third fails the benchmark. PESQ is the `pesq` package as its authors wrote it: a notice in its
code forbids to alter it; the set-up only compiles it better ([scores](scores.md)).
"""

__all__ = ["Measured"]


class Measured:
    """The figures of all benchmarks, those of earlier runs among them.

    Args:
        file: where they are kept.
    """

    def __init__(self, file: Path = FILE) -> None:
        self._file = file
        self.tables: dict[str, dict[str, dict[str, float]]] = {}
        self.machine: dict[str, str] = {}
        self._added: list[tuple[str, str, dict[str, float]]] = []
        self._read()

    def _read(self) -> None:
        if self._file.exists():
            kept: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
            self.tables, self.machine = kept["tables"], kept["machine"] | self.machine

    def add(self, table: str, row: str, **columns: float) -> None:
        """Put figures into a row of one of :data:`TABLES`."""
        assert table in TABLES
        rounded = {name: float(f"{value:.3g}") for name, value in columns.items()}
        self._added.append((table, row, rounded))
        self.machine[table] = (
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"load {os.getloadavg()[0]:.1f} at the end"
        )

    def add_ratio(self, row: str, ratio: float) -> None:
        """Likewise a ratio, unless it fell.

        Raises:
            AssertionError: by more than a third since it was kept.
        """
        before = self.tables.get("ratios", {}).get(row, {}).get("ratio", 0.0)
        assert ratio >= before * (1 - LARGEST_FALL), f"{row}: {ratio:.2f}, it was {before:.2f}"
        self.add("ratios", row, ratio=ratio)

    def save(self, page: Path = PAGE) -> None:
        """Keep the figures and write the page."""
        self._read()  # other benchmarks may have ended meanwhile
        for table, row, columns in self._added:
            self.tables.setdefault(table, {}).setdefault(row, {}).update(columns)
        content = {"machine": self.machine, "tables": self.tables}
        self._file.write_text(json.dumps(content, indent=1) + "\n")
        page.write_text(HEAD + "".join(self._written(table) for table in TABLES), encoding="utf-8")

    def _written(self, table: str) -> str:
        rows = self.tables.get(table)
        if not rows:
            return ""
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
        return f"\n## {title}\n\n{text}\n\n{grid}\n\nMeasured on: {self.machine[table]}.\n"
