"""Numbers of a corpus that are no mean of its items: word error rates and Frechet distances."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from synbench.statistics.bootstrap import bootstrap_means
from synbench_metrics.frechet import set_distance
from synbench_reports.tables.build_report import build_report, read_selection
from synbench_reports.tables.table import Cell, Table


def table_of(run: Any) -> Table:
    (table,) = build_report(read_selection(run.folder)).tables
    return table


def cell(table: Table, codec: str, column: str) -> Cell:
    column_index = [entry.name for entry in table.columns].index(column)
    return next(row.cells[column_index] for row in table.rows if row.codec.label == codec)


@pytest.fixture
def with_pooling(empty_run: Any) -> Any:
    """The second metric becomes one of errors over words, or a distance of the whole corpus."""

    def change(pooling: str) -> Any:
        changed = dataclasses.replace(empty_run.metrics[1], pooling=pooling, maximum=None)
        empty_run.metrics[1] = changed
        empty_run.begin()
        return empty_run

    return change


def test_a_corpus_error_rate_is_errors_over_words(with_pooling: Any) -> None:
    """1 error in 1 word and none in 10: 1/11, not 0.5; what has no words does not count."""
    run = with_pooling("weighted_mean")
    run.score("alpha", "a", "error", 0.0, weight=10.0)
    run.score("alpha", "b", "error", 1.0, weight=1.0)
    run.score("alpha", "c", "error", status="not_applicable", reason="no word")
    run.save()
    table = table_of(run)
    error = cell(table, "Alpha", "error")
    assert error.mean == pytest.approx(1 / 11, abs=1e-12)
    assert (error.scored, error.not_applicable, error.planned) == (2, 1, 3)
    assert any("all errors over all reference words" in note.text for note in table.notes)


def test_the_best_of_a_weighted_column_is_decided_by_what_it_prints(with_pooling: Any) -> None:
    """Alpha has the lower mean of items, beta fewer errors per word."""
    run = with_pooling("weighted_mean")
    for item, words, alpha, beta in (("a", 100.0, 0.2, 0.1), ("b", 1.0, 0.0, 1.0)):
        run.score("alpha", item, "error", alpha, weight=words)
        run.score("beta", item, "error", beta, weight=words)
    run.save()
    table = table_of(run)
    assert cell(table, "Beta", "error").mean == pytest.approx(11 / 101)
    assert cell(table, "Beta", "error").best
    assert not cell(table, "Alpha", "error").best


def test_weighted_intervals_agree_with_a_bootstrap_of_totals() -> None:
    generator = np.random.default_rng(0)
    words = generator.integers(3, 40, size=60).astype(float)
    rates = generator.binomial(words.astype(int), 0.15) / words
    intervals = bootstrap_means(rates[:, None], sizes=words[:, None], replicates=4000)
    drawn = generator.integers(0, 60, size=(20000, 60))
    totals = (rates * words)[drawn].sum(axis=1) / words[drawn].sum(axis=1)
    assert intervals.mean[0] == pytest.approx((rates * words).sum() / words.sum())
    ends = np.quantile(totals, [0.025, 0.975])
    assert [intervals.low[0], intervals.high[0]] == pytest.approx(ends, abs=0.004)


def test_equal_weights_change_nothing() -> None:
    values = np.random.default_rng(1).standard_normal((30, 2))
    plain = bootstrap_means(values, replicates=300)
    weighted = bootstrap_means(values, sizes=np.full((30, 2), 7.0), replicates=300)
    assert weighted.mean == pytest.approx(plain.mean, abs=1e-12)
    assert weighted.low == pytest.approx(plain.low, abs=1e-12)


def vectors(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, 2 * 4)).astype("<f4")


def test_a_distance_of_the_corpus_comes_from_its_embeddings(with_pooling: Any) -> None:
    run = with_pooling("frechet")
    for codec, seed in (("alpha", 0), ("beta", 1)):
        for item, vector in zip("abc", vectors(seed), strict=True):
            distance = float(np.sum((vector[:4] - vector[4:]) ** 2))
            run.score(codec, item, "error", distance, vector=vector.tobytes())
    run.save()
    table = table_of(run)
    for label, seed in (("Alpha", 0), ("Beta", 1)):
        both = vectors(seed).astype(float)
        expected = set_distance(reference=both[:, :4], degraded=both[:, 4:])
        error = cell(table, label, "error")
        assert error.mean == pytest.approx(expected)
        assert (error.low, error.high, error.scored) == (None, None, 3)
        assert not error.tied
    (warning,) = [note for note in table.notes if "dimensions" in note.text]
    assert warning.level == "warning"
    assert "3 items, 4 dimensions; biased upwards" in warning.text


def test_distances_of_different_items_are_not_compared(with_pooling: Any) -> None:
    run = with_pooling("frechet")
    for codec, items in (("alpha", "ab"), ("beta", "bc")):
        for item, vector in zip(items, vectors(0), strict=False):
            run.score(codec, item, "error", 1.0, vector=vector.tobytes())
    run.save()
    table = table_of(run)
    assert not cell(table, "Alpha", "error").best
    assert not cell(table, "Beta", "error").best


def test_rows_of_an_older_version_count_alike(made_run: Any) -> None:
    """Its files have neither weights nor embeddings, its manifest no pooling."""
    before = cell(table_of(made_run), "Alpha", "mos")
    for path in (made_run.folder / "scores").glob("*.parquet"):
        old = pyarrow.parquet.read_table(path).drop_columns(["weight", "details", "vector"])
        path.unlink()  # its name is the digest of its bytes; those of old versions were random
        pyarrow.parquet.write_table(old, path.with_name(f"{path.stem[:16]}.parquet"))
    assert cell(table_of(made_run), "Alpha", "mos") == before
    made_run.score("alpha", "a", "mos", 4.0)
    made_run.save()
    assert cell(table_of(made_run), "Alpha", "mos").mean == pytest.approx((4.0 + 2.0 + 2.5) / 3)
