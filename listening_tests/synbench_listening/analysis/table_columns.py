"""Columns of the tables of an analysis, by the name of the table; rows are made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synbench_listening.analysis.result_table import ResultColumn, ResultTable

__all__ = ["COLUMNS", "make_table"]


def _text(name: str, label: str) -> ResultColumn:
    return ResultColumn(name=name, label=label)


def _number(name: str, label: str, decimals: int = 0) -> ResultColumn:
    return ResultColumn(name=name, label=label, decimals=decimals)


def _p(name: str, label: str) -> ResultColumn:
    return ResultColumn(name=name, label=label, p=True)


SYSTEMS = (_text("first", "First"), _text("second", "Second"))
MEAN = (_number("mean", "Mean", 2), _number("low", "Low", 2), _number("high", "High", 2))
COUNTS = (
    *SYSTEMS,
    _number("n_first", "n first"),
    _number("n_none", "n none"),
    _number("n_second", "n second"),
    _number("percent_first", "First %", 2),
    _number("percent_none", "None %", 2),
    _number("percent_second", "Second %", 2),
    _number("t_judgements", "t judgements", 4),
    _p("p_judgements", "p judgements"),
)

COLUMNS: dict[str, tuple[ResultColumn, ...]] = {
    "exclusions": (
        _text("listener", "Listener"),
        _text("rule", "Rule"),
        _number("failed", "Failed"),
        _number("of", "Of"),
        _text("items", "Items"),
    ),
    "conditions": (
        _text("condition", "Condition"),
        ResultColumn(name="test", label="Test", file_only=True),
        ResultColumn(name="role", label="Role", file_only=True),
        *MEAN,
        _number("half_width", "±", 2),
        _number("median", "Median", 1),
        _number("q1", "Q1", 1),
        _number("q3", "Q3", 1),
        _number("sd", "SD", 1),
        _number("bimodality", "Bimod.", 2),
        _number("listeners", "Listeners"),
        _number("ratings", "Ratings"),
    ),
    "conditions_by_item_condition": (
        _text("item_condition", "Heard under"),
        _text("condition", "Condition"),
        ResultColumn(name="test", label="Test", file_only=True),
        ResultColumn(name="role", label="Role", file_only=True),
        *MEAN,
        ResultColumn(name="q1", label="Q1", decimals=1, file_only=True),
        _number("median", "Median", 1),
        ResultColumn(name="q3", label="Q3", decimals=1, file_only=True),
        _number("sd", "SD", 1),
        _number("listeners", "Listeners"),
        _number("ratings", "Ratings"),
    ),
    "cost_of_conditions": (
        _text("item_condition", "Heard under"),
        _text("condition", "Condition"),
        _number("difference", "Diff. to clean", 2),
        _number("low", "Low", 2),
        _number("high", "High", 2),
        _number("t", "t", 2),
        _p("p", "p"),
        _p("p_corrected", "p corr."),
        _number("listeners", "Listeners"),
    ),
    "intelligibility": (
        _text("condition", "Condition"),
        _number("percent", "Words %", 2),
        _number("low", "Low", 2),
        _number("high", "High", 2),
        _number("low_items", "Low over items", 2),
        _number("high_items", "High over items", 2),
        _number("wer", "WER %", 2),
        _number("words", "Words"),
        _number("sentences", "Sentences"),
        _number("nothing", "Nothing understood"),
        _number("listeners", "Listeners"),
        _number("items", "Items"),
    ),
    "items": (
        _text("item", "Item"),
        _text("condition", "Condition"),
        *MEAN,
        _number("median", "Median", 1),
        _number("listeners", "Listeners"),
    ),
    "overall": (
        _text("test", "Test"),
        _number("statistic", "Statistic", 3),
        _text("df", "df"),
        _p("p", "p"),
        _text("effect", "Size"),
    ),
    "pairs": (
        *SYSTEMS,
        _number("difference", "Diff.", 2),
        _number("low", "Low", 2),
        _number("high", "High", 2),
        _number("t", "t", 2),
        _p("p", "p"),
        _p("p_corrected", "p corr."),
        _number("effect", "d", 2),
        _p("p_wilcoxon_corrected", "Wilcoxon corr."),
        _p("p_sign_flip_corrected", "Sign flip corr."),
        _text("ties", "Ties"),
        _number("listeners", "n"),
        _p("p_wilcoxon", "Wilcoxon"),
        _p("p_sign_flip", "Sign flip"),
    ),
    "median_test": (
        *SYSTEMS,
        _number("difference", "|Diff.|", 1),
        _p("p", "p"),
        _p("p_corrected", "p corr."),
    ),
    "mixed_pairs": (
        *SYSTEMS,
        _number("estimate", "Diff.", 2),
        _number("standard_error", "SE", 3),
        _number("df", "df", 1),
        _number("t", "t", 3),
        _p("p", "p"),
        _p("p_corrected", "p corr."),
    ),
    "comparisons": (
        *SYSTEMS,
        _number("mean", "CMOS", 2),
        _number("low", "Low", 2),
        _number("high", "High", 2),
        _number("t_listeners", "t", 2),
        _p("p_listeners", "p"),
        _p("p_corrected", "p corr."),
        _number("listeners", "Listeners"),
        _number("ratings", "Ratings"),
    ),
    "reliability": (
        _text("listener", "Listener"),
        _number("pairs", "Rated twice"),
        _number("concordance", "Lin's CCC", 3),
        _number("spread", "SD within", 2),
    ),
    "outliers": (
        _text("listener", "Listener"),
        _text("item", "Item"),
        _text("condition", "Condition"),
        _number("score", "Score", 1),
        _number("low", "Low", 1),
        _number("high", "High", 1),
    ),
    "abx": (
        _text("treatment", "Treatment"),
        _number("correct", "Correct"),
        _number("n", "Of"),
        _number("rate", "Rate", 3),
        _number("low", "Low", 4),
        _number("high", "High", 4),
        _p("p", "p binomial"),
        _p("p_corrected", "p corr."),
        _number("chi2", "χ²", 3),
        _number("t_listeners", "t listeners", 3),
        _p("p_listeners", "p listeners"),
        _p("p_listeners_corrected", "p listeners corr."),
        _number("detecting", "Detecting"),
        _number("listeners", "Listeners"),
        _number("undecided", "Undecided"),
    ),
    "abx_listeners": (
        _text("treatment", "Treatment"),
        _text("listener", "Listener"),
        _number("correct", "Correct"),
        _number("n", "Of"),
        _number("low", "Low", 3),
        _number("high", "High", 3),
        _p("p", "p"),
    ),
    "abx_pairs": (*SYSTEMS, _number("chi2", "χ²", 3), _p("p", "p"), _p("p_corrected", "p corr.")),
    "preference": (
        *COUNTS,
        _number("difference", "Diff. %", 2),
        _number("low", "Low", 2),
        _number("high", "High", 2),
        _number("t_listeners", "t listeners", 3),
        _p("p_listeners", "p listeners"),
        _p("p_corrected", "p corr."),
        _p("p_sign_flip", "Sign flip"),
        _number("listeners", "Listeners"),
    ),
    "preference_other_views": (
        *SYSTEMS,
        _p("p_sign", "Sign test, ties dropped"),
        _p("p_sign_split", "ties split"),
        _p("p_wilcoxon", "Wilcoxon, listeners"),
        _number("low_items", "Low over items", 2),
        _number("high_items", "High over items", 2),
    ),
    "preference_counts": COUNTS,
    "bradley_terry": (
        _text("name", "System"),
        _number("strength", "Strength", 3),
        _number("low", "Low", 3),
        _number("high", "High", 3),
    ),
}


def make_table(
    name: str,
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *notes: str,
    detail: bool = False,
    columns_of: str = "",
    more: Sequence[ResultColumn] = (),
) -> ResultTable:
    """A table of rows that name their columns.

    Args:
        columns_of: the table whose columns it has, if not those of its own name.
        more: columns behind them.
    """
    return ResultTable(
        name=name,
        title=title,
        columns=(*COLUMNS[columns_of or name], *more),
        rows=tuple(rows),
        notes=notes,
        detail=detail,
    )
