"""Both rules of BS.1534-3 by whole numbers, and the outlier flags."""

from __future__ import annotations

import csv
import json
import statistics
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synbench.errors import UsageError
from synbench_listening.analysis.screen import (
    excluded,
    flag_outliers,
    screen,
    standard_quartiles,
    waived,
)
from synbench_listening.answers.ratings import Rating
from synbench_listening.importers.read_any import read_any

SHARED = Path(__file__).resolve().parents[3] / "shared" / "listening"


def panel(
    references: dict[str, list[float]], anchors: dict[str, list[float]] | None = None
) -> list[Rating]:
    """Ratings of reference and mid anchor by listener, one per item."""
    named = {"reference": references, "anchor70": anchors or {}}
    return [
        Rating(session=who, listener=who, test="mushra", item=f"i{n}", condition=name, score=score)
        for name, people in named.items()
        for who, scores in people.items()
        for n, score in enumerate(scores)
    ]


class TestRules:
    def test_smallest_excluding_count(self) -> None:
        smallest = {n: next(k for k in range(n + 1) if excluded(k, n)) for n in range(1, 27)}
        wanted = dict.fromkeys(range(1, 7), 1) | dict.fromkeys(range(7, 14), 2)
        wanted |= dict.fromkeys(range(14, 20), 3) | dict.fromkeys(range(20, 27), 4)
        assert smallest == wanted

    def test_three_of_twenty_is_exactly_15_percent_and_stays(self) -> None:
        for failed, out in ((3, False), (4, True)):
            scores = [89.0] * failed + [90.0] * (20 - failed)
            assert bool(screen(panel({"L": scores})).exclusions) is out

    def test_ninety_is_neither_below_nor_above(self) -> None:
        people = {name: [90.0] for name in "ABCDE"}
        assert screen(panel(people, people)).exclusions == ()

    def test_an_anchor_that_a_quarter_calls_good_still_counts(self) -> None:
        # One of four is exactly 25 %: not more, so the item stays. Two of four waive it.
        references = {name: [100.0] for name in "ABCD"}
        one = {"A": [95.0], "B": [50.0], "C": [50.0], "D": [50.0]}
        screened = screen(panel(references, one))
        assert (screened.excluded_listeners, screened.waived_items) == (("A",), ())
        screened = screen(panel(references, one | {"B": [91.0]}))
        assert (screened.excluded_listeners, screened.waived_items) == ((), ("i0",))

    def test_whether_waived_items_leave_the_number(self) -> None:
        # Seven items, one waived. One failure of six excludes, one of seven does not.
        references = {name: [100.0] * 7 for name in "ABC"}
        anchors = {"A": [95.0, 95, 0, 0, 0, 0, 0], "B": [95.0, 0, 0, 0, 0, 0, 0], "C": [0.0] * 7}
        anchors |= {name: [0.0] * 7 for name in "DEFG"}
        ratings = panel(references, anchors)
        screened = screen(ratings)
        assert screened.waived_items == ("i0",)
        assert [(e.listener, e.failed, e.of, e.items) for e in screened.exclusions] == [
            ("A", 1, 6, ("i1",))
        ]
        assert screen(ratings, waived_items_count=True).exclusions == ()

    def test_without_a_mid_anchor_its_rule_is_not_applied(self) -> None:
        assert screen(panel({"A": [100.0]})).applied == ("hidden_reference",)

    def test_what_cannot_be_screened(self) -> None:
        with pytest.raises(UsageError, match="no condition 'x'"):
            screen(panel({"A": [100.0]}), reference="x")
        with pytest.raises(UsageError, match="no ratings of kind mushra"):
            screen([])

    @given(st.integers(0, 300), st.integers(1, 300))
    def test_shares_are_compared_exactly(self, k: int, n: int) -> None:
        from fractions import Fraction

        assert excluded(k, n) == (Fraction(k, n) > Fraction(15, 100))
        assert waived(k, n) == (Fraction(k, n) > Fraction(1, 4))


class TestOutliers:
    def test_quartiles_hold_the_median_in_both_halves(self) -> None:
        assert standard_quartiles([1, 2, 3, 4, 5]) == (2, 4)
        assert standard_quartiles([1, 2, 3, 4]) == (1.5, 3.5)
        assert standard_quartiles([7]) == (7, 7)

    def test_outliers_are_flagged_and_stay(self) -> None:
        people = {str(n): [float(score)] for n, score in enumerate([50, 51, 52, 53, 54, 90])}
        ratings = panel(people)
        (outlier,) = flag_outliers(ratings)
        assert (outlier.rating.score, outlier.low, outlier.high) == (90, 46.5, 58.5)


@pytest.mark.shared("listening")
class TestRecorded:
    def test_the_panel(self) -> None:
        expected = json.loads((SHARED / "expected.json").read_text())["panel_fixture"]
        ratings = read_any(SHARED / expected["file"]).ratings
        screened = screen(ratings)
        by_rule = {rule: [e.listener for e in screened.exclusions if e.rule == rule]
                   for rule in screened.applied}  # fmt: skip
        assert by_rule["hidden_reference"] == expected["excluded_hidden_reference"]
        assert by_rule["mid_anchor"] == expected["excluded_mid_anchor"]
        assert sorted({r.listener for r in screened.kept}) == expected["kept"]
        assert screened.waived_items == ()
        for rows, when in ((ratings, "before"), (screened.kept, "after")):
            for name, numbers in expected[when].items():
                scores = [r.score for r in rows if r.condition == name]
                assert len(scores) == numbers["n"]
                assert round(statistics.fmean(scores), 3) == numbers["mean"]
                assert statistics.median(scores) == numbers["median"]

    def test_the_published_exclusion_row_for_row(self) -> None:
        expected = json.loads((SHARED / "expected.json").read_text())["stahl2024"]
        raw = read_any(SHARED / expected["file_raw"]).ratings
        assert (len(raw), len({r.listener for r in raw})) == (1512, 21)
        screened = screen(raw)
        wanted = {str(number) for number in expected["excluded_listeners"]}
        assert set(screened.excluded_listeners) == wanted
        below = Counter(r.listener for r in raw if r.condition == "Reference" and r.score < 90)
        assert below == expected["hidden_reference_below_90_of_8"]
        with (SHARED / expected["file_long"]).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert Counter(
            (r.item, r.condition, r.listener, r.score) for r in screened.kept
        ) == Counter((row["item"], row["cond"], row["who"], float(row["score"])) for row in rows)
        for name, numbers in expected["raw"].items():
            scores = [r.score for r in raw if r.condition == name]
            assert statistics.fmean(scores) == pytest.approx(numbers["mean"], abs=5e-5)
            assert statistics.median(scores) == numbers["median"]
