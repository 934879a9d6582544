"""Error rates of a corpus: one number in tables, pairs, figures, exports and diffs of runs."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner

from synbench.results.cells import Store
from synbench.results.planned import read_planned
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench.statistics.means import estimate_differences, estimate_means
from synbench.statistics.paired_tests import compare_all, smallest_p
from synbench.statistics.permutation import swap_rates
from synbench_metrics import NotApplicable
from synbench_metrics.word_errors import count_errors
from synbench_reports.commands.compare import compare
from synbench_reports.commands.diff import diff as diff_command
from synbench_reports.commands.power import power
from synbench_reports.commands.show_and_export import export
from synbench_reports.run_comparison.run_diff import corpus_diffs
from synbench_reports.tables.build_report import build_report, read_selection
from synbench_reports.tables.codec_pairs import pairs

jiwer = pytest.importorskip("jiwer", reason="no jiwer: pip install 'synbench[metrics]'")

# Beta errs in the one short text, alpha now and then in the long ones.
SAID = [
    "she had your dark suit in greasy wash water all year",
    "yes",
    "do not ask me to carry an oily rag like that one",
    "the quick brown fox jumps over the lazy dog near the river bank",
]
HEARD = {
    "alpha": [
        "she had a dark suit in greasy wash water all year",
        "yes",
        "do not ask me to carry oily rag like that",
        "the quick brown fox jumps over the crazy dog near the river bank",
    ],
    "beta": [
        "she had your dark suit in greasy wash water all year",
        "no",
        "do not ask me to carry an oily rag like that one",
        "the quick brown fox jumps over the lazy dog near the river bank",
    ],
}


@pytest.fixture
def rate_run(empty_run: Any) -> Callable[..., Any]:
    """Makes a run whose second metric is an error rate, of items that may have speakers."""

    def make(
        heard: dict[str, list[str]], said: list[str], speakers: list[str] | None = None
    ) -> Any:
        made = empty_run
        made.metrics[1] = dataclasses.replace(
            made.metrics[1], pooling="weighted_mean", maximum=None, label="WER"
        )
        names = [f"i{number}" for number in range(len(said))]
        made.items = {"speech": dict.fromkeys(names, 1.0)}
        for codec, texts in heard.items():
            for name, reference, text in zip(names, said, texts, strict=True):
                try:
                    errors = count_errors(reference=reference, hypothesis=text, unit="words")
                except NotApplicable as error:
                    made.score(codec, name, "error", status="not_applicable", reason=str(error))
                    continue
                made.score(codec, name, "error", errors.value, weight=errors.weight)
        made.begin()
        made.save()
        if speakers:
            items = [
                {
                    "corpus": "speech",
                    "item": name,
                    "item_digest": f"digest {name}",
                    "seconds": 1.0,
                    "speaker": speaker,
                }
                for name, speaker in zip(names, speakers, strict=True)
            ]
            write_table(made.folder / "items.parquet", items, ITEM_COLUMNS)
        return made

    return make


def lines(command: Any, *arguments: object) -> list[dict[str, str]]:
    done = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
    return list(csv.DictReader(io.StringIO(done.output)))


def test_every_output_has_the_rate_that_jiwer_has_of_all_texts(rate_run: Any) -> None:
    """Beta has the smaller mean of rates (1/4 of 0, 1, 0, 0 against alpha's), alpha more errors."""
    said = [*SAID, "", "one more sentence of six words"]
    heard = {name: [*texts, "", said[-1]] for name, texts in HEARD.items()}
    run = rate_run(heard, said)
    kept = [index for index, text in enumerate(said) if text]
    rates = {
        name: jiwer.wer([said[index] for index in kept], [texts[index] for index in kept])
        for name, texts in heard.items()
    }
    items = {
        name: np.mean([jiwer.wer(said[index], texts[index]) for index in kept])
        for name, texts in heard.items()
    }
    assert rates["beta"] < rates["alpha"]
    assert items["beta"] > items["alpha"]  # the other order
    (table,) = build_report(read_selection(run.folder)).tables
    index = [column.name for column in table.columns].index("error")
    cells = {row.codec.label: row.cells[index] for row in table.rows}
    assert cells["Alpha"].mean == pytest.approx(rates["alpha"])
    assert cells["Beta"].mean == pytest.approx(rates["beta"])
    assert cells["Beta"].best
    markdown = CliRunner().invoke(export, [str(run.folder), "--format", "markdown"]).output
    assert "WER<sup>b</sup> (%) ↓" in markdown
    assert f"| **{100 * rates['beta']:.1f}** ±" in markdown
    arguments = ("--metrics", "error", "--format", "csv")
    (pair,) = lines(compare, run.folder, *arguments)
    assert (pair["first"], pair["second"]) == ("Beta", "Alpha")
    assert float(pair["difference"]) == pytest.approx(rates["beta"] - rates["alpha"])
    assert float(pair["low"]) <= float(pair["difference"]) <= float(pair["high"])
    assert pair["test"] == "corrected_t"
    swapped = (*arguments, "--test", "sign_flip")
    assert lines(compare, run.folder, *swapped)[0]["test"] == "swap_rates"
    tidy = {
        line["codec"]: float(line["mean"])
        for line in lines(export, run.folder, "--format", "csv")
        if line["column"] == "error" and line["mean"]
    }
    assert tidy == pytest.approx({"Alpha": rates["alpha"], "Beta": rates["beta"]})
    rows = lines(export, run.folder, "--format", "csv", "--rows", "--metrics", "error")
    alpha = [row for row in rows if row["codec"] == "Alpha" and row["status"] == "ok"]
    words = [float(row["weight"]) for row in alpha]
    assert words == [len(said[index].split()) for index in kept]
    values = [float(row["value"]) for row in alpha]
    assert np.average(values, weights=words) == pytest.approx(rates["alpha"])


def test_text_says_which_test_and_figures_draw_the_rate(rate_run: Any) -> None:
    drawn = pytest.importorskip("synbench_reports.figures.rows", exc_type=ImportError)
    from synbench_reports.figures.correlation import metric_correlation

    run = rate_run(HEARD, SAID, ["one", "one", "two", "two"])
    done = CliRunner().invoke(compare, [str(run.folder), "--metrics", "error"])
    assert "t-test of the mean, corrected for skewness" in done.output
    assert "2 speakers: no test over fewer than 5 holds its level" in done.output
    planned = read_planned(run.folder)
    cells = Store(planned).cells("speech")
    axes = drawn.speaker_spread(planned, cells, 1).axes[0]
    ticks, marker = axes.lines[0], axes.lines[1]
    assert marker.get_xdata()[0] == pytest.approx(jiwer.wer(SAID, HEARD["alpha"]))
    assert list(ticks.get_xdata()) == pytest.approx(
        [jiwer.wer(SAID[part], HEARD["alpha"][part]) for part in (slice(0, 2), slice(2, 4))]
    )
    assert "of single items" in drawn.score_spread(planned, cells, 1).axes[0].get_xlabel()
    assert metric_correlation(planned, cells).axes


def test_runs_are_compared_by_their_rates(rate_run: Any, tmp_path: Path) -> None:
    """Rates of items are moved by one text of one word, that of the corpus hardly."""
    first = rate_run(HEARD, SAID)
    folder = first.folder
    moved = {name: [texts[0], SAID[1], *texts[2:]] for name, texts in HEARD.items()}
    first.folder = tmp_path / "second"
    second = rate_run(moved, SAID)
    (diff,) = corpus_diffs(read_planned(folder), read_planned(second.folder))
    change = next(one for one in diff.changes if (one.codec, one.metric) == ("Beta", "WER"))
    assert change.mean_a == pytest.approx(jiwer.wer(SAID, HEARD["beta"]))
    assert change.mean_b == pytest.approx(jiwer.wer(SAID, moved["beta"]))
    assert change.largest == 1.0
    printed = CliRunner().invoke(diff_command, [str(folder), str(second.folder)]).output
    line = next(one for one in printed.splitlines() if "Beta" in one and "WER" in one)
    assert "WER in %" in line
    assert f"{100 * change.mean_a:.2f}" in line


def test_what_it_takes_is_in_per_cent_too(rate_run: Any) -> None:
    run = rate_run(HEARD, SAID)
    (pair,) = lines(compare, run.folder, "--metrics", "error", "--format", "csv")
    arguments = [str(run.folder), "--metrics", "error", "--difference", "error=0.05"]
    printed = CliRunner().invoke(power, arguments).output
    assert "WER in %" in printed
    assert f"{100 * float(pair['difference']):+.1f}" in printed
    assert "for 5" in printed


def made(seed: int, clusters: int, *, gap: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Error rates and words of two codecs, shape ``(item, 2)``, of a fresh speaker per item."""
    generator = np.random.default_rng(seed)
    words = generator.integers(2, 60, clusters).astype(float)
    chance = np.clip(generator.beta(2, 8, clusters)[:, None] + [0, gap], 0, 1)
    errors = generator.binomial(words.astype(int)[:, None], chance)
    return errors / words[:, None], np.stack([words, words], axis=1)


@pytest.mark.parametrize(("clusters", "slack"), [(5, 1e-12), (11, 1e-12), (40, 0.012)])
def test_swaps_agree_with_the_permutation_test_of_scipy(clusters: int, slack: float) -> None:
    values, words = made(3, clusters, gap=0.03)
    words[:, 1] += np.arange(clusters) % 3  # another recogniser's words: the rates keep their own

    def statistic(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        rates = [
            np.take(errors.ravel(), indices).sum(axis) / np.take(words.ravel(), indices).sum(axis)
            for indices in (first, second)
            for errors in [values * words]
        ]
        return np.asarray(rates[0] - rates[1])

    indices = np.arange(2 * clusters).reshape(clusters, 2)
    theirs = scipy.stats.permutation_test(
        (indices[:, 0], indices[:, 1]),
        statistic,
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=2,
    )
    (comparison,) = compare_all(values, sizes=words, test="swap_rates")
    assert comparison.p == pytest.approx(theirs.pvalue, abs=slack)
    assert comparison.difference == pytest.approx(statistic(indices[:, 0], indices[:, 1], 0))


def test_items_of_one_speaker_are_swapped_together() -> None:
    values, words = made(4, 24, gap=0.05)
    speakers = np.repeat(np.arange(6), 4)
    (comparison,) = compare_all(values, sizes=words, clusters=speakers, test="swap_rates")
    errors = np.add.reduceat(values * words, np.arange(0, 24, 4))
    totals = np.add.reduceat(words, np.arange(0, 24, 4))
    (expected,) = swap_rates(errors[:, :, None], totals[:, :, None])
    assert comparison.p == expected
    assert comparison.clusters == 6
    assert comparison.p * 2**5 == pytest.approx(round(comparison.p * 2**5))


def test_false_alarms_of_swaps_stay_below_five_percent() -> None:
    """Two codecs with the same chance of an error, speakers of very different length."""
    generator = np.random.default_rng(5)
    words = np.repeat(generator.lognormal(4, 1, 12).astype(int) + 5, 800).reshape(12, 800)
    chance = generator.beta(2, 8, (12, 800))
    errors = generator.binomial(words, chance, (2, 12, 800)).transpose(1, 0, 2).astype(float)
    alarms = np.array(swap_rates(errors, np.stack([words, words], axis=1).astype(float))) < 0.05
    assert 0.02 < alarms.mean() < 0.07


def test_the_interval_of_a_difference_is_the_bca_interval_of_scipy() -> None:
    values, words = made(6, 50, gap=0.04)

    def statistic(*columns: np.ndarray, axis: int = -1) -> np.ndarray:
        one, other, weights = columns
        totals = weights.sum(axis)
        return np.asarray(((one - other) * weights).sum(axis) / totals)

    theirs = scipy.stats.bootstrap(
        (values[:, 0], values[:, 1], words[:, 0]),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=9999,
        method="BCa",
        rng=1,
    ).confidence_interval
    ours = estimate_differences(values, [(0, 1)], sizes=words)
    assert ours.mean[0] == pytest.approx(statistic(values[:, 0], values[:, 1], words[:, 0]))
    assert (ours.low[0], ours.high[0]) == pytest.approx(tuple(theirs), abs=0.002)


def test_a_difference_of_means_is_the_mean_of_differences() -> None:
    values = np.random.default_rng(7).normal(size=(40, 3))
    values[:4, 1] = np.nan
    speakers = np.repeat(np.arange(8), 5)
    estimates = estimate_differences(values, [(0, 1), (2, 0)], clusters=speakers)
    gaps = np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], axis=1)
    expected = estimate_means(gaps, clusters=speakers)
    for name in ("mean", "low", "high", "count"):
        assert getattr(estimates, name) == pytest.approx(getattr(expected, name), abs=1e-12)


def test_the_error_of_a_rate_is_that_of_resampled_speakers() -> None:
    values, words = made(8, 200, gap=0.02)
    speakers = np.sort(np.random.default_rng(8).integers(0, 50, 200))
    estimates = estimate_differences(values, [(0, 1)], clusters=speakers, sizes=words)
    rates = (values * words).sum(axis=0) / words.sum(axis=0)
    assert estimates.mean[0] == pytest.approx(rates[0] - rates[1])
    errors = np.stack([np.bincount(speakers, (values * words)[:, side]) for side in (0, 1)])
    totals = np.bincount(speakers, words[:, 0])
    drawn = np.random.default_rng(9).integers(0, 50, (4000, 50))
    resampled = (errors[0] - errors[1])[drawn].sum(axis=1) / totals[drawn].sum(axis=1)
    assert estimates.error[0] == pytest.approx(resampled.std(), rel=0.08)
    alike = estimate_differences(values, [(0, 1)], sizes=np.full_like(words, 7.0))
    plain = scipy.stats.sem(values[:, 0] - values[:, 1])
    assert alike.error[0] == pytest.approx(plain, rel=1e-12)


def test_equality_of_rates_needs_a_margin_that_holds(rate_run: Any) -> None:
    run = rate_run({name: texts * 2 for name, texts in HEARD.items()}, SAID * 2)
    planned = read_planned(run.folder)
    cells = Store(planned).cells("speech")
    (pair,) = pairs(planned, cells, 1, margin=0.9)
    assert pair.equal is not None
    assert pair.equal.equivalent
    assert pair.equal.difference == pytest.approx(pair.difference)


@pytest.mark.parametrize("test", ["wilcoxon", "sign_flip", "swap_rates"])
@pytest.mark.parametrize("clusters", [2, 5, 6, 14])
def test_the_smallest_p_is_that_of_one_pattern_of_signs_and_its_mirror(
    test: Any, clusters: int
) -> None:
    assert smallest_p(clusters, test) == pytest.approx(2 / 2**clusters)
    assert np.isnan(smallest_p(1, test))
