"""What a training run writes down: curves as CSV, one line for the terminal, a plot."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synbench_codecs.errors import UsageError

__all__ = ["Journal", "plot_curves", "read_curves"]

HEADER = ("step", "name", "value")


class Journal:
    """Means since the last line, appended to ``curves.csv`` as (step, name, value)."""

    def __init__(self, path: Path, steps: int, *, keep_to: int) -> None:
        self.path, self.steps = path, steps
        kept = [row for row in read_curves(path) if row[0] <= keep_to]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(kept)
        self._clear()

    def _clear(self) -> None:
        self.sums: dict[str, Any] = defaultdict(float)
        self.counts: dict[str, int] = defaultdict(int)
        self.count, self.data, self.audio = 0, 0.0, 0.0
        self.since = time.perf_counter()

    def add(self, terms: Mapping[str, Any], *, data: float, audio: float) -> None:
        """Note one step: its terms, the seconds it waited for data, its seconds of audio.

        The terms may be scalar tensors: they are summed where they are, and nobody waits for a GPU.
        """
        for name, value in terms.items():
            self.sums[name] += value
            self.counts[name] += 1
        self.count += 1
        self.data += data
        self.audio += audio

    def write(self, step: int) -> str:
        """Append the means and return them as a line."""
        # Reading the sums waits for the device, so the clock is read behind it.
        means = {name: float(value) / self.counts[name] for name, value in self.sums.items()}
        elapsed = time.perf_counter() - self.since
        means["steps_per_second"] = self.count / elapsed
        means["audio_seconds_per_second"] = self.audio / elapsed
        means["data_share"] = self.data / elapsed
        self._append(step, means)
        left = (self.steps - step) * elapsed / self.count
        terms = "  ".join(
            f"{name} {value:.4g}" for name, value in means.items() if name in self.sums
        )
        line = (
            f"step {step}/{self.steps}  {means['steps_per_second']:.2f} steps/s  "
            f"{means['audio_seconds_per_second']:.1f} s of audio per s  "
            f"data {100 * means['data_share']:.1f} %  left {_duration(left)}  {terms}"
        )
        self._clear()
        return line

    def write_scores(self, step: int, scores: Mapping[str, float]) -> str:
        """Append validation scores and return them as a line."""
        self._append(step, {f"validation_{name}": value for name, value in scores.items()})
        self.since = time.perf_counter()
        return f"step {step} validation  " + "  ".join(f"{k} {v:.4g}" for k, v in scores.items())

    def _append(self, step: int, values: Mapping[str, float]) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(
                (step, name, f"{value:.8g}") for name, value in values.items()
            )


def read_curves(path: Path) -> list[tuple[int, str, float]]:
    """All rows (step, name, value); a half-written last line is left out."""
    if not path.exists():
        return []
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            if len(row) == len(HEADER) and row[0].isdigit():
                rows.append((int(row[0]), row[1], float(row[2])))
    return rows


def plot_curves(curves: Path, out: Path) -> None:
    """One small plot for each name, into a PNG, SVG or PDF by the suffix of ``out``.

    Raises:
        UsageError: no curves are there yet.
    """
    from matplotlib.figure import Figure

    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for step, name, value in read_curves(curves):
        series[name].append((step, value))
    if not series:
        raise UsageError(
            f"{curves} holds no curves yet; the first are written after as many steps as the "
            f"configuration's log_every, or at the last step"
        )
    columns = 4
    rows = -(-len(series) // columns)
    figure = Figure(figsize=(3 * columns, 2 * rows), layout="constrained")
    for index, (name, points) in enumerate(sorted(series.items())):
        axes = figure.add_subplot(rows, columns, index + 1)
        axes.plot(*zip(*points, strict=True), color="#0072b2", linewidth=1)
        axes.set_title(name.replace("_", " "), fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    figure.savefig(out, dpi=150)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
