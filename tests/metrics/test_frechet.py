"""Frechet distance: closed forms, scipy, rank-deficient sets, the bias of few items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from synbench_metrics.frechet import gaussian_distance, is_small, pooled, set_distance


@pytest.mark.parametrize("dimensions", [1, 5, 64])
def test_isotropic_gaussians(dimensions):
    """N(0, I) and N(mu, 4 I) with a squared length of mu of 9: 9 + D."""
    mean = np.zeros(dimensions)
    mean[0] = 3.0
    distance = gaussian_distance(
        means=(np.zeros(dimensions), mean),
        covariances=(np.eye(dimensions), 4 * np.eye(dimensions)),
    )
    assert distance == pytest.approx(9 + dimensions, abs=1e-9)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), items=st.integers(12, 40), others=st.integers(12, 40))
def test_full_rank_agrees_with_a_matrix_root(seed, items, others):
    generator = np.random.default_rng(seed)
    first = generator.standard_normal((items, 6)) @ generator.standard_normal((6, 6))
    second = generator.standard_normal((others, 6)) + 1
    covariances = [np.cov(each.T) for each in (first, second)]
    mean = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = mean + np.trace(covariances[0] + covariances[1] - 2 * root)
    distance = set_distance(reference=first, degraded=second)
    assert distance == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert set_distance(reference=second, degraded=first) == pytest.approx(distance, rel=1e-9)


def test_fewer_items_than_dimensions_stay_real():
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((2, 8, 50))
    both = [np.cov(each.T) for each in (first, second)]
    means = (first.mean(axis=0), second.mean(axis=0))
    distance = set_distance(reference=first, degraded=second)
    assert distance == pytest.approx(gaussian_distance(means=means, covariances=(both[0], both[1])))
    assert set_distance(reference=first, degraded=first) == pytest.approx(0.0, abs=1e-9)


def test_one_item_is_the_squared_distance_of_its_embeddings():
    first, second = np.random.default_rng(1).standard_normal((2, 1, 7))
    expected = np.sum((first - second) ** 2)
    assert set_distance(reference=first, degraded=second) == pytest.approx(expected)
    assert pooled(np.hstack([first, second])) == pytest.approx(expected)


def test_the_estimate_is_biased_upwards_for_few_items():
    """Two sets of one distribution, 16 dimensions: the fewer, the farther apart they seem."""
    generator = np.random.default_rng(2)
    means = [
        np.mean([
            set_distance(
                reference=generator.standard_normal((items, 16)),
                degraded=generator.standard_normal((items, 16)),
            )
            for _ in range(20)
        ])
        for items in (20, 80, 320)
    ]  # fmt: skip
    assert means[0] > 2 * means[1] > 4 * means[2] > 0
    # The means alone contribute 2 trace(C) / n.
    assert means[0] > 2 * 16 / 20
    assert is_small(159, 16)
    assert not is_small(160, 16)


@pytest.mark.parametrize("shapes", [((0, 3), (2, 3)), ((2, 3), (2, 4)), ((3,), (3,))])
def test_sets_of_another_form_are_refused(shapes):
    with pytest.raises(ValueError, match="expected"):
        set_distance(reference=np.zeros(shapes[0]), degraded=np.zeros(shapes[1]))
