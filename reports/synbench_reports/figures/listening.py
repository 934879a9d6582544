"""Figures of listening tests, from small tables: scores, identification, preference.

Tables are CSV, as the analysis of a listening test writes them, or any other program
    scores          condition, mean, low, high; optional test (its scale; mushra if absent), role
                    (reference, system or anchor), q1, median and q3, group (a sub-plot of its own),
                    item_condition (a panel of its own, such as noise)
    preference      first, second, n_first, n_none, n_second: two systems, judgements for the first,
                    for none, for the second; optional p_listeners, p_judgements
    identification  treatment, rate, low, high; optional p_listeners
    comparisons     first, second, mean, low, high; optional p_listeners
    intelligibility condition, percent, low, high; optional role
A column ``simulated`` with ``true`` in it says that no humans answered; the figure says so too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synbench.errors import UsageError
from synbench_base.decimals import fixed
from synbench_base.text_table import read_table
from synbench_reports.figures.listening_scores import (
    Role,
    Score,
    identification_figure,
    p_text,
    paired_figure,
    score_figure,
    score_panels,
)
from synbench_reports.figures.style import (
    COLOURS,
    HATCHES,
    NARROW_INCHES,
    WIDTHS,
    is_slide,
    new_figure,
    row_inches,
    sized,
    styled,
)
from synbench_reports.papers.specification import AbxPair, PublishedFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# More bars than this in a sub-plot need smaller letters.
MOST_LARGE_BARS = 6
SIMULATED_NOTE = "MEASURED VALUES ARE OF SIMULATED LISTENERS: no human gave them"

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
    figure, axes_of_groups = new_figure(width, 0.45 * width + 0.4, columns=max(1, len(groups)))
    every = [axes_of_groups] if len(groups) <= 1 else list(axes_of_groups)
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    for axes, (title, bars) in zip(every, groups.items(), strict=True):
        for index, (name, (mean, low, high)) in enumerate(bars.items()):
            # A system looks the same in every group.
            look = names.index(name)
            axes.bar(
                index,
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
                fixed(mean, 1),
                (index, high),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=sized(6 if len(bars) > MOST_LARGE_BARS else 7),
            )
        steep = len(bars) > MOST_LARGE_BARS
        axes.set_xticks(range(len(bars)), list(bars), rotation=60 if steep else 30, ha="right")
        axes.set_ylim(0, 108)
        axes.set_yticks(range(0, 101, 20))
        axes.grid(axis="x", visible=False)
        axes.set_title(title, fontsize=sized(8))
        axes.set_ylabel("MUSHRA score")
    if note:
        figure.suptitle(note, fontsize=sized(7), x=0.99, ha="right")
    return figure


@styled
def abx_bars(
    subject: str, pairs: Sequence[AbxPair], *, width: float = WIDTHS["double"], note: str = ""
) -> Figure:
    """A row per pair: shares for the subject, for none and for the other, with the p-value.

    Two decimals, as papers print them; none where letters are large for the width.
    """
    lines = len(note.splitlines())
    tight = width < NARROW_INCHES or is_slide()
    decimals, smallest_share = (0, 12) if tight else (2, 6)
    height = 1.0 + row_inches(0.38) * len(pairs) + sized(8.6) / 72 * lines
    figure, axes = new_figure(width, height)
    parts = (subject, "no preference", "the other")
    colours, hatches = (COLOURS[0], "#dddddd", COLOURS[4]), ("", "", "///")
    for row, pair in enumerate(pairs):
        total, left = sum(pair.counts), 0.0
        for index, count in enumerate(pair.counts):
            share = 100 * count / total if total else 0.0
            axes.barh(
                row,
                share,
                left=left,
                height=0.62,
                color=colours[index],
                hatch=hatches[index],
                edgecolor="white",
                linewidth=0.8,
                label=parts[index] if row == 0 else None,
            )
            dark = index == 0
            box = None if dark else {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            if share > smallest_share:
                axes.text(
                    left + share / 2,
                    row,
                    f"{fixed(share, decimals)} %",
                    ha="center",
                    va="center",
                    color="white" if dark else "black",
                    bbox=box,
                    fontsize=sized(7),
                )
            left += share
        if pair.p is not None:
            axes.text(103, row, p_text(pair.p), va="center", fontsize=sized(7))
    between = " :\n" if width < NARROW_INCHES else " : "
    names = [pair.other.replace(" : ", between) for pair in pairs]
    axes.set_yticks(range(len(pairs)), names)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of the judgements (%)")
    figure.legend(loc="outside upper center", ncols=3, fontsize=sized(7))
    if note:
        figure.supxlabel(note, fontsize=sized(6))
    return figure


def published_figure(figure: PublishedFigure, ratings: Path | None) -> Figure:
    """A paper's figure from its published values, beside those of a listening test where given."""
    note = f"{figure.paper}: {figure.status}"
    if ratings is not None and is_simulated(ratings):
        note += f"\n{SIMULATED_NOTE}"
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
        UsageError: it has the columns of no kind.
    """
    note = SIMULATED_NOTE if is_simulated(path) else ""
    columns = set(_rows(path, ())[0]) if _rows(path, ()) else set()
    if {"treatment", "rate", "low", "high"} <= columns:
        return "identification", identification_figure(_rates(path), width=width, note=note)
    if {"first", "second", "mean", "low", "high"} <= columns:
        return "comparisons", paired_figure(_comparisons(path), width=width, note=note)
    if {"condition", "percent", "low", "high"} <= columns:
        words = _scores(path, mean="percent")
        return "transcription", score_figure("transcription", words, width=width, note=note)
    if {"condition", "mean", "low", "high"} <= columns:
        kind = _rows(path, ())[0].get("test") or "mushra"
        if "item_condition" in columns:
            return kind, score_panels(kind, _panels(path), width=width, note=note)
        groups = read_mushra(path)
        if len(groups) > 1:
            return "mushra", mushra_bars(groups, width=width, note=note)
        return kind, score_figure(kind, _scores(path), width=width, note=note)
    pairs = read_abx(path)
    rows = _rows(path, ("first", "second"))
    shown = [
        AbxPair(other=f"{row['first']} : {pair.other}", counts=pair.counts, p=pair.p)
        for row, pair in zip(rows, pairs, strict=True)
    ]
    if any(row.get("p_listeners") for row in rows):
        note = "\n".join(filter(None, (note, "p: paired t-test over listeners")))
    elif any(row.get("p_judgements") for row in rows):
        note = "\n".join(filter(None, (note, "p: judgements as if independent")))
    return "abx", abx_bars("the first", shown, width=width, note=note)


def _panels(path: Path) -> dict[str, list[Score]]:
    panels: dict[str, list[Score]] = {}
    for row, score in zip(_rows(path, ("item_condition",)), _scores(path), strict=True):
        panels.setdefault(row["item_condition"] or "clean", []).append(score)
    return panels


def _scores(path: Path, mean: str = "mean") -> list[Score]:
    scores = []
    for row in _rows(path, ("condition", mean, "low", "high")):
        middle, low, high = _interval(path, row, mean)
        quartiles = tuple(_number(path, row, name) for name in ("q1", "median", "q3"))
        first, median, third = quartiles
        box = None if first is None or median is None or third is None else (first, median, third)
        scores.append(
            Score(name=row["condition"], mean=middle, low=low, high=high, role=_role(row), box=box)
        )
    return scores


def _role(row: Mapping[str, str]) -> Role:
    """As the table says; without that, by the usual names."""
    given = row.get("role") or ""
    if given == "reference" or (not given and row["condition"].lower() == "reference"):
        return "reference"
    anchors = ("anchor", "mnru")
    named = given or ("anchor" if row["condition"].lower().startswith(anchors) else "system")
    return "anchor" if named == "anchor" else "system"


def _rates(path: Path) -> list[tuple[str, float, float, float, float | None]]:
    return [
        (row["treatment"], *_interval(path, row, "rate"), _number(path, row, "p_listeners"))
        for row in _rows(path, ("treatment", "rate", "low", "high"))
    ]


def _comparisons(path: Path) -> list[tuple[str, str, float, float, float, float | None]]:
    return [
        (
            row["first"],
            row["second"],
            *_interval(path, row, "mean"),
            _number(path, row, "p_listeners"),
        )
        for row in _rows(path, ("first", "second", "mean", "low", "high"))
    ]


def _interval(path: Path, row: Mapping[str, str], name: str) -> tuple[float, float, float]:
    middle, low, high = (_number(path, row, column) for column in (name, "low", "high"))
    if middle is None or low is None or high is None or not low <= middle <= high:
        raise UsageError(f"{path}: expected low <= {name} <= high, got {low}, {middle}, {high}")
    return middle, low, high


def _number(path: Path, row: Mapping[str, str], name: str) -> float | None:
    text = row.get(name)
    try:
        return float(text) if text else None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


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
            # Judgements of one listener are not independent: theirs is the p to trust.
            trusted = row.get("p_listeners") or row.get("p_judgements")
            p = float(trusted) if trusted else None
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
