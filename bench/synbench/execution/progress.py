"""What a user sees while a run works: one live table, or one plain line per minute."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from synbench.execution.forecast import Forecast
from synbench.execution.plan import Plan
from synbench.execution.units import DecodeUnit, ScoreUnit
from synbench.execution.worker import UnitReport
from synbench.metric_names import notes_on_families
from synbench.training_overlap import overlaps_of

SECONDS_BETWEEN_LINES = 60.0
MANY_FILES = 200

__all__ = [
    "Progress",
    "Reading",
    "corpus_lines",
    "duration",
    "note_lines",
    "print_lines",
    "skipped_lines",
]


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``42 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def print_lines(lines: Iterable[str], console: Console) -> None:
    """Print lines of markup, each on one line however long it is."""
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def skipped_lines(plan: Plan) -> Iterator[str]:
    """Which codecs and metrics of the suite cannot run here, and why, as markup."""
    for skipped in plan.skipped:
        name, reason = escape(skipped.name), escape(skipped.reason)
        yield f"[yellow]skipped {skipped.kind} {name}:[/] {reason}"


def note_lines(plan: Plan) -> Iterator[str]:
    """What a reader of any score must know of the corpora, and who has heard them before."""
    notes: dict[str, None] = dict.fromkeys(notes_on_families(plan.suite.metrics))
    codecs = {codec.label: codec.info.training_data for codec in plan.codecs}
    metrics = {metric.info.label: metric.info.training_data for metric in plan.metrics}
    for corpus in plan.corpora:
        if corpus.note:
            notes[f"{corpus.name}: {corpus.note}"] = None
    for name in {group.clean.name: None for group in plan.groups}:
        for label, text in overlaps_of(codecs, metrics, name):
            notes[f"{label}: {text}"] = None
    for note in notes:
        yield f"[yellow]{escape(f'! {note}')}[/]"


def corpus_lines(plan: Plan) -> Iterator[str]:
    """How large every corpus is."""
    for corpus in plan.corpora:
        yield escape(
            f"{corpus.name}: {len(corpus.items)} utterance{'s' * (len(corpus.items) != 1)}, "
            f"{corpus.seconds / 60:.1f} minutes, licence {corpus.licence}"
        )


class Reading:
    """Listens to the reading of a corpus and says once that a large one takes a while."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = False

    def __call__(self, done: int, total: int) -> None:
        """Take note that ``done`` of ``total`` files are read."""
        if not self._said and total - done > MANY_FILES:
            self._said = True
            self._console.print(f"reading {total - done} audio files for their digests ...")


class Progress:
    """Counts finished cells and draws them; use as a context manager around a run."""

    def __init__(self, plan: Plan, *, workers: int, console: Console) -> None:
        self._plan, self._console = plan, console
        self._started = time.monotonic()
        self._last_line = self._started
        self._forecast = Forecast(plan, workers=workers)
        self._decoded = Counter(
            {
                codec.point.codec_id: len(plan.items) - len(plan.decodes.get(codec.point, ()))
                for codec in plan.codecs
            }
        )
        self._scored = _present_scores(plan)
        self._failed: Counter[str] = Counter()
        self._inapplicable: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def hear(self, unit: DecodeUnit | ScoreUnit, report: UnitReport) -> None:
        """Take note of a finished unit."""
        counts = self._decoded if isinstance(unit, DecodeUnit) else self._scored
        for (codec_id, status), count in report.statuses.items():
            counts[codec_id] += count
            if status == "failed" and isinstance(unit, ScoreUnit):
                self._failed[codec_id] += count
            elif status == "not_applicable":
                self._inapplicable[codec_id] += count
        self._reasons.update(report.reasons)
        self._forecast.hear(unit, report)
        if not self._console.is_terminal:
            self._line()

    def _summary(self) -> str:
        plan = self._plan
        return (
            f"decoded {self._decoded.total()}/{plan.total_decodes}, "
            f"scored {self._scored.total()}/{plan.total_scores}, "
            f"failed {self._failed.total()}, "
            f"{duration(time.monotonic() - self._started)} elapsed, "
            f"about {duration(self._forecast.seconds_left)} left"
        )

    def _line(self) -> None:
        now = time.monotonic()
        if now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._console.print(self._summary(), highlight=False)

    def _draw(self) -> RenderableType:
        items = len(self._plan.items)
        scores = self._plan.scores_per_codec
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("codec", overflow="ellipsis", no_wrap=True)
        for heading in ("decoded", "scored", "failed", "not applicable"):
            table.add_column(heading, justify="right")
        for codec in self._plan.codecs:
            key = codec.point.codec_id
            failed = self._failed[key]
            table.add_row(
                codec.label,
                f"{self._decoded[key]}/{items}",
                f"{self._scored[key]}/{scores}",
                Text(str(failed), style="red" if failed else "dim"),
                Text(str(self._inapplicable[key]), style="dim"),
            )
        reasons = [
            Text(f"{count} x {reason}", style="red", overflow="ellipsis", no_wrap=True)
            for reason, count in self._reasons.most_common(3)
        ]
        return Group(table, *reasons, Text(self._summary(), style="cyan"))


def _present_scores(plan: Plan) -> Counter[str]:
    missing: dict[str, int] = defaultdict(int)
    for (_, codec), metrics in plan.scores.items():
        missing[codec.codec_id] += len(metrics)
    everything = plan.scores_per_codec
    return Counter(
        {codec.point.codec_id: everything - missing[codec.point.codec_id] for codec in plan.codecs}
    )
