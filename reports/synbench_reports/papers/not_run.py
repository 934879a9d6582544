"""Why a published value has no measured one beside it: the first thing that is missing.

Looked for in this order: a run, the codec, its bit rate, material at the sample rate, the metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from synbench.results.planned import PlannedCodec, read_planned
from synbench_reports.papers.specification import PublishedColumn, PublishedTable
from synbench_reports.tables.table import Report, Row, Table

# Names of codecs, metrics and suites, each with its reason.
Absent = Sequence[tuple[str, str]]
RATE_SLACK = 0.01
# Scores that no metric computes.
LISTENING = frozenset({"mushra"})

__all__ = ["Absent", "absent_of", "no_codec_matches", "plain", "same_rate", "why_not_run"]


def plain(name: str) -> str:
    """A codec's name as it is compared: letters and digits, small."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def same_rate(codec: PlannedCodec, column: PublishedColumn) -> bool:
    """Whether a codec runs at a column's bit rate; a column without one takes each codec's own."""
    rate = codec.nominal_bps
    if not column.bitrate_bps:
        return True
    return rate is not None and abs(rate - column.bitrate_bps) <= RATE_SLACK * column.bitrate_bps


def absent_of(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """What the runs themselves could not run, and why."""
    return [
        (skipped.name, skipped.reason)
        for report in reports
        for skipped in read_planned(report.folder).skipped
    ]


def no_codec_matches(tables: Iterable[PublishedTable], reports: Sequence[Report]) -> str:
    """What to say where the runs have no codec of a paper's tables at all; empty where they do."""
    wanted = dict.fromkeys(
        column.codec.format(row=row)
        for table in tables
        for column in table.columns
        for row in table.rows
    )
    there = dict.fromkeys(
        row.codec.label for report in reports for table in report.tables for row in table.rows
    )
    if not there or {plain(name) for name in wanted} & {plain(label) for label in there}:
        return ""
    return (
        f"no codec of the paper is in the runs: it has {', '.join(wanted)}; they have "
        f"{', '.join(there)}. Give yours the paper's name by `label:` in the suite"
    )


def why_not_run(
    name: str,
    column: PublishedColumn,
    reports: Sequence[Report],
    sample_rates: Mapping[Path, Mapping[str, int]],
    absent: Absent,
) -> str:
    """The reason, in words.

    Args:
        name: label of the codec.
        sample_rates: by run folder and corpus, in Hz.
        absent: what could not be run at all, and why.
    """
    if not column.sample_rate:
        return "not counted here: no codec of that name that can run"
    rows = [
        (report, table, row)
        for report in reports
        for table in report.tables
        for row in table.rows
        if plain(row.codec.label) == plain(name)
    ]
    hertz = f"{column.sample_rate / 1000:g} kHz"
    at_rate = [
        (report, table)
        for report in reports
        for table in report.tables
        if sample_rates[report.folder].get(table.corpus.name) == column.sample_rate
    ]
    if not at_rate:
        suites = [reason for label, reason in absent if label.startswith("suite ")]
        unread = "no run was read (--run)" if not reports else f"no run has material at {hertz}"
        return suites[0] if suites else unread
    if not rows:
        return dict(absent).get(name) or f"no run has a codec that is called {name}"
    rows = [entry for entry in rows if (entry[0], entry[1]) in at_rate]
    if not rows:
        return f"{name} was not run on material at {hertz}"
    fitting = [entry for entry in rows if same_rate(entry[2].codec, column)]
    if not fitting:
        rates = dict.fromkeys(_kilobits(row.codec.nominal_bps) for _, _, row in rows)
        return f"run at {', '.join(rates)}; published at {_kilobits(column.bitrate_bps)}"
    missing = [row.codec.missing for _, _, row in fitting if row.codec.missing]
    if missing:  # the run knows the codec, and the machine lacked its weights
        return missing[0]
    if not any(_cells(fitting, column)):
        if column.metric in LISTENING:
            return f"no run has {column.label} scores: they take listeners (--ratings)"
        return dict(absent).get(column.metric) or f"no run has the column {column.metric}"
    return "no item was scored"


def _kilobits(bps: float | None) -> str:
    return "an unknown rate" if bps is None else f"{bps / 1000:g} kbit/s"


def _cells(rows: Sequence[tuple[Report, Table, Row]], column: PublishedColumn) -> Iterator[bool]:
    for _, table, _ in rows:
        yield any(measured.name == column.metric for measured in table.columns)
