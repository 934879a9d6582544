"""Bars of listening tests, from small tables: MUSHRA means with intervals, ABX preferences.

Tables are CSV, as the analysis of a listening test writes them, or any other program
    MUSHRA  condition, mean, low, high; optional group (a sub-plot of its own)
    ABX     first, second, n_first, n_none, n_second: two systems, judgements for the first, for
            none, for the second; optional p_judgements
A column ``simulated`` with ``true`` in it says that no humans answered; the figure says so too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synbench.errors import UsageError
from synbench_base.text_table import read_table
from synbench_reports.figures.style import COLOURS, HATCHES, WIDTHS, new_figure, styled
from synbench_reports.papers.specification import AbxPair, PublishedFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# More bars than this in a sub-plot need smaller letters.
FEW_BARS = 6
SIMULATED = "MEASURED VALUES ARE OF SIMULATED LISTENERS: no human gave them"

Bar = tuple[float, float, float]  # mean, low, high
Groups = Mapping[str, Mapping[str, Bar]]

__all__ = [
    "abx_bars",
    "is_simulated",
    "mushra_bars",
    "published_figure",
    "read_abx",
    "read_mushra",
    "table_figure",
]


@styled
def mushra_bars(groups: Groups, *, width: float = WIDTHS["double"], note: str = "") -> Figure:
    """A sub-plot per group: a bar per condition with its 95 % interval, the scale from 0 to 100.

    Args:
        groups: name to condition to mean and both ends of the interval, 0 to 100.
        note: small print above, such as that the values are a draft's.
    """
    figure, found = new_figure(width, 0.45 * width + 0.4, columns=max(1, len(groups)))
    every = [found] if len(groups) <= 1 else list(found)
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    for axes, (title, bars) in zip(every, groups.items(), strict=True):
        for place, (name, (mean, low, high)) in enumerate(bars.items()):
            # A system looks the same in every group.
            look = names.index(name)
            axes.bar(
                place,
                mean,
                yerr=[[mean - low], [high - mean]],
                color=COLOURS[look % len(COLOURS)],
                hatch=HATCHES[look % len(HATCHES)],
                edgecolor="white" if look % len(HATCHES) else "black",
                linewidth=0.6,
                capsize=2,
                error_kw={"linewidth": 1},
            )
            axes.annotate(
                f"{mean:.1f}",
                (place, high),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=6 if len(bars) > FEW_BARS else 7,
            )
        steep = len(bars) > FEW_BARS
        axes.set_xticks(range(len(bars)), list(bars), rotation=60 if steep else 30, ha="right")
        axes.set_ylim(0, 108)
        axes.set_yticks(range(0, 101, 20))
        axes.grid(axis="x", visible=False)
        axes.set_title(title, fontsize=8)
        axes.set_ylabel("MUSHRA score")
    if note:
        figure.suptitle(note, fontsize=7, x=0.99, ha="right")
    return figure


@styled
def abx_bars(
    subject: str, pairs: Sequence[AbxPair], *, width: float = WIDTHS["double"], note: str = ""
) -> Figure:
    """A row per pair: shares for the subject, for none and for the other, with the p-value."""
    figure, axes = new_figure(width, 0.7 + 0.42 * len(pairs))
    parts = (subject, "no preference", "the other")
    colours, hatches = (COLOURS[0], "#dddddd", COLOURS[4]), ("", "", "///")
    for row, pair in enumerate(pairs):
        total, left = sum(pair.counts), 0.0
        for place, count in enumerate(pair.counts):
            share = 100 * count / total if total else 0.0
            axes.barh(
                row,
                share,
                left=left,
                height=0.62,
                color=colours[place],
                hatch=hatches[place],
                edgecolor="white",
                linewidth=0.8,
                label=parts[place] if row == 0 else None,
            )
            dark = place == 0
            box = None if dark else {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            if share > 6:
                axes.text(
                    left + share / 2,
                    row,
                    f"{share:.2f} %",
                    ha="center",
                    va="center",
                    color="white" if dark else "black",
                    bbox=box,
                    fontsize=7,
                )
            left += share
        if pair.p is not None:
            axes.text(101, row, f"$p$ = {pair.p:.4f}", va="center", fontsize=7)
    axes.set_yticks(range(len(pairs)), [pair.other for pair in pairs])
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of the judgements (%)")
    figure.legend(loc="outside upper center", ncols=3, fontsize=7)
    if note:
        figure.supxlabel(note, fontsize=6)
    return figure


def published_figure(figure: PublishedFigure, ratings: Path | None) -> Figure:
    """A paper's figure from its published values, beside those of a listening test where given."""
    note = f"{figure.paper}: {figure.status}"
    if ratings is not None and is_simulated(ratings):
        note += f"\n{SIMULATED}"
    if figure.kind == "abx":
        pairs = list(figure.pairs)
        if ratings is not None:
            pairs += [
                AbxPair(other=f"{pair.other} (measured)", counts=pair.counts, p=pair.p)
                for pair in read_abx(ratings, figure.subject)
            ]
        return abx_bars(figure.subject, pairs, note=note)
    groups: dict[str, Mapping[str, Bar]] = {
        group: {name: (mean, mean - half, mean + half) for name, (mean, half) in bars.items()}
        for group, bars in figure.groups.items()
    }
    if ratings is not None:
        for group, bars in read_mushra(ratings).items():
            groups[f"measured: {group}" if group else "measured"] = bars
    return mushra_bars(groups, note=note)


def table_figure(path: Path, *, width: float = WIDTHS["double"]) -> tuple[str, Figure]:
    """The kind and the figure of a table that the analysis of a listening test wrote.

    Raises:
        UsageError: it has the columns of neither kind.
    """
    note = SIMULATED if is_simulated(path) else ""
    with contextlib.suppress(UsageError):
        return "mushra", mushra_bars(read_mushra(path), width=width, note=note)
    pairs = read_abx(path)
    rows = _rows(path, ("first", "second"))
    shown = [
        AbxPair(other=f"{row['first']} : {pair.other}", counts=pair.counts, p=pair.p)
        for row, pair in zip(rows, pairs, strict=True)
    ]
    return "abx", abx_bars("the first", shown, width=width, note=note)


def read_mushra(path: Path) -> dict[str, dict[str, Bar]]:
    """By group and condition: mean and both ends of the interval.

    Raises:
        UsageError: the file cannot be read, lacks a column, or holds no number where one is due.
    """
    groups: dict[str, dict[str, Bar]] = {}
    for row in _rows(path, ("condition", "mean", "low", "high")):
        try:
            bar = (float(row["mean"]), float(row["low"]), float(row["high"]))
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from error
        if not bar[1] <= bar[0] <= bar[2]:
            raise UsageError(f"{path}: expected low <= mean <= high, got {bar}")
        groups.setdefault(row.get("group") or "", {})[row["condition"]] = bar
    return groups


def read_abx(path: Path, subject: str = "") -> list[AbxPair]:
    """One pair per row.

    Args:
        subject: the system whose preferences come first, whichever side of the row it is on; the
            first of each row where it is on neither.

    Raises:
        UsageError: the file cannot be read, lacks a column, or holds no count where one is due.
    """
    pairs = []
    for row in _rows(path, ("first", "second", "n_first", "n_none", "n_second")):
        try:
            counts = (int(row["n_first"]), int(row["n_none"]), int(row["n_second"]))
            p = float(row["p_judgements"]) if row.get("p_judgements") else None
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from error
        if min(counts) < 0 or not sum(counts):
            raise UsageError(f"{path}: expected counts of judgements, got {counts}")
        other = row["second"]
        if subject and row["second"] == subject:
            other, counts = row["first"], counts[::-1]
        pairs.append(AbxPair(other=other, counts=counts, p=p))
    return pairs


def is_simulated(path: Path) -> bool:
    """Whether a table says that answers of made-up listeners went into it."""
    return any(row.get("simulated") == "true" for row in _rows(path, ()))


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    rows = [row.cells for row in read_table(path).whole()]
    absent = [column for column in columns if not rows or column not in rows[0]]
    if absent:
        raise UsageError(f"{path}: expected the columns {', '.join(columns)}; absent: {absent}")
    return rows
