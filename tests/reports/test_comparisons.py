"""``synbench compare``: pairs of a run, their intervals, and equality as something to be shown."""

from __future__ import annotations

import copy
import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench.statistics.means import Estimates, estimate_means
from synbench_reports.commands.compare import compare
from synbench_reports.commands.merge import merge
from synbench_reports.commands.power import power
from synbench_reports.tables.build_report import build_report, read_selection


@pytest.fixture
def close_run(empty_run: Any) -> Any:
    """On forty items alpha and beta differ by 0.02 on average, the reference by far more."""
    names = [f"i{number}" for number in range(40)]
    empty_run.items = {"speech": dict.fromkeys(names, 1.0)}
    noise = np.random.default_rng(2).normal(0, 0.05, 40)
    for number, name in enumerate(names):
        level = 3 + number % 5 / 5
        empty_run.score("alpha", name, "mos", level)
        empty_run.score("beta", name, "mos", level - 0.02 + noise[number] - noise.mean())
        empty_run.score("reference", name, "mos", 5.0)
    empty_run.begin()
    empty_run.save()
    return empty_run


def compared(*arguments: object) -> list[dict[str, str]]:
    texts = [*map(str, arguments), "--format", "csv"]
    done = CliRunner().invoke(compare, texts, catch_exceptions=False)
    return list(csv.DictReader(io.StringIO(done.output)))


def test_a_pair_has_its_interval_and_its_p(close_run: Any) -> None:
    (line,) = compared(close_run.folder, "--metrics", "mos")
    assert (line["first"], line["second"], line["items"]) == ("Alpha", "Beta", "40")
    assert float(line["difference"]) == pytest.approx(0.02)
    assert float(line["low"]) < 0.02 < float(line["high"])
    noise = np.random.default_rng(2).normal(0, 0.05, 40)
    gaps = 0.02 - noise + noise.mean()
    # Hardly skewed, so that the default is near the plain t-test; it agrees with its interval.
    plain = scipy.stats.ttest_1samp(gaps, 0).pvalue
    assert float(line["p_holm"]) == pytest.approx(plain, rel=0.15)
    assert (float(line["p_holm"]) < 0.05) == (float(line["low"]) > 0)
    for test, expected in (("t", plain), ("wilcoxon", scipy.stats.wilcoxon(gaps).pvalue)):
        (line,) = compared(close_run.folder, "--metrics", "mos", "--test", test)
        assert float(line["p_holm"]) == pytest.approx(expected, rel=1e-6)


def test_equality_needs_a_margin_that_holds(close_run: Any) -> None:
    def verdict(*margin: str) -> str:
        (line,) = compared(close_run.folder, "--metrics", "mos", *margin)
        return line["verdict"]

    assert verdict() in ("differs", "not told apart")
    assert "margin" in verdict("--margin", "mos=0.1")
    assert "margin" not in verdict("--margin", "mos=0.001")


def test_letters_and_text(close_run: Any) -> None:
    done = CliRunner().invoke(compare, [str(close_run.folder), "--metrics", "mos"])
    assert "Alpha - Beta" in done.output
    assert "Same letter, not told apart: Alpha a" in done.output
    assert "Reference" not in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--margin", "mos"), "METRIC=VALUE"),
        (("--margin", "mos=-1"), "above 0"),
        (("--margin", "moos=1"), "no metric 'moos'"),
        (("--against", "Gamma"), "no codec 'Gamma'"),
    ],
)
def test_mistakes_are_explained(close_run: Any, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compared(close_run.folder, *arguments)


def test_a_run_without_scores_has_no_pairs(empty_run: Any) -> None:
    assert compared(empty_run.folder) == []
    assert CliRunner().invoke(compare, [str(empty_run.folder)]).exit_code == 0


def needs(run: Any, *arguments: str) -> list[dict[str, str]]:
    texts = [str(run.folder), "--metrics", "mos", *arguments, "--format", "csv"]
    done = CliRunner().invoke(power, texts, catch_exceptions=False)
    return list(csv.DictReader(io.StringIO(done.output)))


def test_how_many_items_it_takes(close_run: Any) -> None:
    """A little more than Student's t takes, and as many as the test of `compare` does need."""
    from statsmodels.stats.power import TTestPower

    (line,) = needs(close_run, "--difference", "mos=0.05", "--margin", "mos=0.02")
    noise = np.random.default_rng(2).normal(0, 0.05, 40)
    spread = noise.std(ddof=1)
    assert (line["unit"], line["now"]) == ("items", "40")
    assert float(line["sd"]) == pytest.approx(spread)
    solved = math.ceil(TTestPower().solve_power(0.05 / spread, None, 0.05, 0.8))
    detected = TTestPower().solve_power(None, 40, 0.05, 0.8) * spread
    assert solved <= int(line["needed_for_difference"]) <= 1.15 * solved + 1
    assert detected < float(line["detectable"]) < 1.05 * detected
    generator = np.random.default_rng(3)

    def sampled(count: int, confidence: float) -> Estimates:
        return estimate_means(generator.normal(0, spread, (count, 10_000)), confidence=confidence)

    def told(count: int, difference: float) -> float:
        estimates = sampled(count, 0.95)
        low, high = estimates.low + difference, estimates.high + difference
        return float(np.mean((low > 0) | (high < 0)))

    def called_equal(count: int) -> float:
        estimates = sampled(count, 0.9)
        return float(np.mean((estimates.low > -0.02) & (estimates.high < 0.02)))

    needed = int(line["needed_for_difference"])
    assert told(needed, 0.05) > 0.79 and told(needed - 1, 0.05) < 0.81
    assert told(40, float(line["detectable"])) == pytest.approx(0.8, abs=0.015)
    needed = int(line["needed_for_equality"])
    assert called_equal(needed) > 0.79 and called_equal(needed - 2) < 0.81


def test_power_as_a_table_and_what_it_refuses(close_run: Any, empty_run: Any) -> None:
    arguments = [str(close_run.folder), "--difference", "mos=0.05"]
    out = CliRunner().invoke(power, arguments, catch_exceptions=False).output
    assert "Alpha - Beta" in out
    assert "for 0.05" in out
    assert "power 80%" in out
    for wrong in (["--difference", "mos=0"], ["--margin", "moos=1"], ["--against", "Gamma"]):
        with pytest.raises(UsageError):
            CliRunner().invoke(power, [str(close_run.folder), *wrong], catch_exceptions=False)


def run_of_arms(run: Any, comparisons: list[dict[str, Any]]) -> Any:
    """Six speakers of two items; gamma gains 0.4 over alpha, beta half of that, and noise."""
    names = [f"s{speaker}-i{number}" for speaker in range(6) for number in range(2)]
    run.items = {"speech": dict.fromkeys(names, 1.0)}
    noise = np.random.default_rng(3).normal(0, 0.02, (12, 2))
    for number, name in enumerate(names):
        level = 2 + number / 12
        run.score("alpha", name, "mos", level)
        run.score("beta", name, "mos", level + 0.2 + noise[number, 0])
        run.score("reference", name, "mos", level + 0.4 + noise[number, 1])
    run.suite = {"name": "made", "comparisons": comparisons}
    run.begin()
    run.save()
    return run


def fixed(run: Any, *arguments: str) -> str:
    return (
        CliRunner()
        .invoke(compare, [str(run.folder), "--fixed", *arguments], catch_exceptions=False)
        .output
    )


def arms(first: str, second: str, asks: str = "", *share_of: str) -> dict[str, Any]:
    return {"first": first, "second": second, "asks": asks, "share_of": list(share_of)}


def test_the_comparisons_of_the_suite_are_a_family_of_their_own(empty_run: Any) -> None:
    """In the suite's order, anchors included; half of the possible gain is 50 %."""
    run = run_of_arms(
        empty_run,
        [
            arms("Beta", "Alpha", "does it help?", "Reference", "Alpha"),
            arms("Gamma", "Alpha", "is it there?"),
            arms("Beta", "Reference"),
        ],
    )
    text = fixed(run)
    lines = [line for line in text.splitlines() if " - " in line or "in this run" in line]
    assert lines[0].startswith("Beta - Alpha")
    assert lines[0].endswith("does it help?")
    assert "differs" in lines[0]
    assert lines[1].split("%")[0].strip().startswith("of Reference - Alpha: ")
    assert 40 < int(lines[1].split("%")[0].split()[-1]) < 60
    assert lines[2] == "is it there?: not in this run: Gamma"
    assert lines[3].startswith("Beta - Reference")


def test_no_share_of_a_difference_that_may_be_nothing(empty_run: Any) -> None:
    run = run_of_arms(empty_run, [arms("Beta", "Alpha", "", "Alpha", "Alpha")])
    assert "no share, that difference is not told apart from zero" in fixed(run)


def test_a_suite_without_comparisons_says_so(close_run: Any) -> None:
    with pytest.raises(UsageError, match="fixed no comparisons"):
        fixed(close_run)


def test_a_merged_run_keeps_what_its_parts_fixed(empty_run: Any, tmp_path: Path) -> None:
    run = run_of_arms(empty_run, [arms("Beta", "Alpha", "does it help?")])
    other = copy.deepcopy(run)
    other.folder, other.suite = tmp_path / "other", {"name": "made"}
    other.begin()
    folders = [str(run.folder), str(other.folder), "--out", str(tmp_path / "both")]
    done = CliRunner().invoke(merge, folders, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    run.folder = tmp_path / "both"
    assert "does it help?" in fixed(run)


def test_means_that_few_items_carry_are_remarked_upon(empty_run: Any) -> None:
    """One item of twenty, very bad: of the table's mean and of the difference."""
    names = [f"i{number}" for number in range(20)]
    empty_run.items = {"speech": dict.fromkeys(names, 1.0)}
    noise = np.random.default_rng(4).normal(0, 0.05, (20, 2))
    for number, name in enumerate(names):
        empty_run.score("alpha", name, "mos", 3 + noise[number, 0])
        empty_run.score("beta", name, "mos", 3 + noise[number, 1] - (2 if number == 7 else 0))
    empty_run.begin()
    empty_run.save()
    done = CliRunner().invoke(compare, [str(empty_run.folder), "--metrics", "mos"])
    assert "few carry the difference" in done.output
    (table,) = build_report(read_selection(empty_run.folder)).tables
    (note,) = (note for note in table.notes if note.subject == "Long tails")
    assert "of Beta. " in note.text
