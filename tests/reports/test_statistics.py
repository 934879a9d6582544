"""The bootstrap: against scipy, against the truth, and its properties."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synbench.statistics.bootstrap import bootstrap_means, replicate_means, resampling_weights
from synbench.statistics.clusters import Floats

scores = arrays(np.float64, (12, 3), elements=st.floats(-100, 100, allow_subnormal=False))


def skewed(items: int, cells: int, seed: int = 1) -> Floats:
    """Scores below a ceiling of 1 with a tail to the left, as intelligibility has; mean 1 - 1/9."""
    return 1 - np.random.default_rng(seed).beta(1.5, 12, size=(items, cells))


@pytest.mark.parametrize("items", [10, 40, 200])
def test_agrees_with_scipy_within_monte_carlo_error(items: int) -> None:
    values = skewed(items, 4, seed=items)
    ours = bootstrap_means(values, replicates=10_000)
    for cell in range(4):
        theirs = scipy.stats.bootstrap(
            (values[:, cell],), np.mean, n_resamples=10_000, method="BCa", rng=1
        )
        error = scipy.stats.sem(values[:, cell])
        assert ours.mean[cell] == pytest.approx(values[:, cell].mean(), rel=1e-12)
        # Ends of 10 000 replicates scatter by about 0.03 standard errors; their bias adds to it.
        assert abs(ours.low[cell] - theirs.confidence_interval.low) < 0.15 * error
        assert abs(ours.high[cell] - theirs.confidence_interval.high) < 0.15 * error


@pytest.mark.parametrize(
    ("items", "lowest", "highest"), [(5, 0.75, 0.88), (12, 0.87, 0.935), (60, 0.92, 0.965)]
)
def test_covers_the_true_mean_as_often_as_documented(
    items: int, lowest: float, highest: float
) -> None:
    intervals = bootstrap_means(skewed(items, 2000), replicates=1000)
    truth = 1 - 1.5 / 13.5
    covered = float(np.mean((intervals.low <= truth) & (truth <= intervals.high)))
    assert lowest < covered < highest


def test_covers_when_a_third_of_the_items_is_absent() -> None:
    values = skewed(90, 2000)
    values[np.random.default_rng(2).random(values.shape) < 1 / 3] = np.nan
    intervals = bootstrap_means(values, replicates=1000)
    truth = 1 - 1.5 / 13.5
    assert 0.92 < float(np.mean((intervals.low <= truth) & (truth <= intervals.high))) < 0.965


def test_absent_items_count_neither_in_the_mean_nor_in_n() -> None:
    values = np.array([[1.0, 1.0], [2.0, np.nan], [6.0, 3.0]])
    intervals = bootstrap_means(values)
    assert intervals.mean.tolist() == [3.0, 2.0]
    assert intervals.count.tolist() == [3, 2]
    assert intervals.low[1] >= 1.0
    assert intervals.high[1] <= 3.0


def test_one_value_has_a_mean_and_no_interval() -> None:
    intervals = bootstrap_means(np.array([[2.5, np.nan], [np.nan, np.nan]]))
    assert intervals.mean[0] == 2.5
    assert np.isnan([intervals.mean[1], *intervals.low, *intervals.high]).all()
    assert intervals.count.tolist() == [1, 0]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_no_items_or_no_cells_give_no_numbers(shape: tuple[int, int]) -> None:
    intervals = bootstrap_means(np.empty(shape))
    assert intervals.mean.shape == (shape[1],)
    assert np.isnan(intervals.mean).all()


def test_a_constant_column_has_an_interval_of_zero_width() -> None:
    intervals = bootstrap_means(np.full((7, 1), 0.1))
    assert intervals.low == intervals.mean == intervals.high == 0.1


def test_the_same_seed_gives_the_same_weights_in_any_number_of_blocks() -> None:
    weights = np.concatenate(list(resampling_weights(3000, replicates=1500)))
    again = np.concatenate(list(resampling_weights(3000, replicates=1500)))
    assert weights.shape == (1500, 3000)
    assert (weights == again).all()
    assert (weights.sum(axis=1) == 3000).all()


def test_clusters_are_drawn_whole() -> None:
    clusters = np.array([0, 0, 1, 1, 1, 2])
    (weights,) = resampling_weights(6, replicates=200, clusters=clusters)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2] == weights[:, 3]).all()
    assert (weights[:, [0, 2, 5]].sum(axis=1) == 3).all()


def test_cells_are_paired_by_the_shared_weights() -> None:
    values = skewed(30, 1)
    both = np.hstack([values, values + 0.5])
    means = replicate_means(both, resampling_weights(30, replicates=50))
    assert np.allclose(means[:, 1] - means[:, 0], 0.5, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(values=scores)
def test_intervals_contain_the_mean_and_stay_within_the_values(values: Floats) -> None:
    intervals = bootstrap_means(values, replicates=200)
    slack = 1e-9
    assert (intervals.low >= values.min(axis=0) - slack).all()
    assert (intervals.high <= values.max(axis=0) + slack).all()
    assert (intervals.low <= intervals.high).all()


@settings(max_examples=30, deadline=None)
@given(values=scores, shift=st.floats(-50, 50), scale=st.floats(0.1, 10))
def test_shifting_and_scaling_the_values_does_the_same_to_the_result(
    values: Floats, shift: float, scale: float
) -> None:
    intervals = bootstrap_means(np.round(values, 3), replicates=200)
    moved = bootstrap_means(np.round(values, 3) * scale + shift, replicates=200)
    for name in ("mean", "low", "high"):
        expected = getattr(intervals, name) * scale + shift
        assert getattr(moved, name) == pytest.approx(expected, abs=1e-6 * scale)


@settings(max_examples=30, deadline=None)
@given(values=scores, extra=scores)
def test_a_cell_does_not_depend_on_the_cells_beside_it(values: Floats, extra: Floats) -> None:
    alone = bootstrap_means(values, replicates=200)
    beside = bootstrap_means(np.hstack([values, extra]), replicates=200)
    assert beside.mean[:3] == pytest.approx(alone.mean, abs=1e-12)
    assert beside.count[:3].tolist() == alone.count.tolist()


def spoken(speakers: int, each: int, cells: int, seed: int = 3) -> tuple[Floats, np.ndarray]:
    """Scores whose speakers differ more than the items of a speaker; the true mean is 0."""
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(speakers), each)
    values = generator.normal(0, 1, (speakers, cells))[clusters]
    return values + generator.normal(0, 0.5, values.shape), clusters


def test_intervals_over_speakers_cover_where_those_over_items_do_not() -> None:
    values, clusters = spoken(30, 8, 1000)

    def covered(**options: np.ndarray) -> float:
        intervals = bootstrap_means(values, replicates=1000, **options)
        return float(np.mean((intervals.low <= 0) & (intervals.high >= 0)))

    assert 0.91 < covered(clusters=clusters) < 0.96
    assert covered() < 0.6


def test_clusters_of_one_item_are_items() -> None:
    values = skewed(20, 3)
    values[0, 1] = np.nan
    single = bootstrap_means(values, replicates=300)
    clustered = bootstrap_means(values, replicates=300, clusters=np.arange(20))
    assert clustered.low == pytest.approx(single.low, rel=1e-12)
    assert clustered.high == pytest.approx(single.high, rel=1e-12)


def test_clusters_of_unequal_size_agree_with_a_plain_loop() -> None:
    generator = np.random.default_rng(4)
    clusters = generator.integers(0, 60, 400)
    clusters = np.unique(clusters, return_inverse=True)[1]
    values = generator.normal(size=(400, 1))
    intervals = bootstrap_means(values, clusters=clusters, replicates=4000)
    groups = [values[clusters == number, 0] for number in range(clusters.max() + 1)]
    drawn = generator.integers(0, len(groups), (4000, len(groups)))
    means = [np.concatenate([groups[cluster] for cluster in row]).mean() for row in drawn]
    error = float(np.std(means))
    ends = np.quantile(means, [0.025, 0.975])
    # The loop takes plain percentiles: BCa moves both ends a little, and 4000 replicates scatter.
    assert abs(intervals.low[0] - ends[0]) < 0.3 * error
    assert abs(intervals.high[0] - ends[1]) < 0.3 * error


def test_a_single_cluster_has_a_mean_and_no_interval() -> None:
    intervals = bootstrap_means(np.array([[1.0], [2.0]]), clusters=np.array([0, 0]))
    assert intervals.mean[0] == 1.5
    assert np.isnan(intervals.low[0])
