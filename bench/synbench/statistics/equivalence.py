"""Whether two codecs are shown to be equal: a difference smaller than a margin, by two t-tests.

Reference
    D. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
        J. Pharmacokinet. Biopharm. 15 (6), 1987.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synbench.statistics.clusters import Floats, Integers, cluster_means
from synbench.statistics.means import Estimates, estimate_differences, estimate_means
from synbench.statistics.multiplicity import SIGNIFICANCE, correct

__all__ = ["Equivalence", "equivalence", "equivalence_each", "equivalences"]


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Two one-sided t-tests of a mean difference against ``-margin`` and ``+margin``.

    Attributes:
        low, high: the interval of confidence ``1 - 2 * SIGNIFICANCE`` that the tests amount to.
        p: the larger of the two one-sided p-values; small means shown to be within the margin.
        p_holm: the same, corrected over the family of pairs; p itself where there is one pair.
    """

    difference: float
    margin: float
    low: float
    high: float
    p: float
    p_holm: float
    clusters: int

    @property
    def equivalent(self) -> bool:
        """Whether the difference is shown to be smaller than the margin."""
        return self.p_holm < SIGNIFICANCE


def equivalence(
    differences: Floats, *, margin: float, clusters: Integers | None = None
) -> Equivalence:
    """Whether a mean of cluster means is smaller than a margin, by Student's t; one pair alone.

    Raises:
        ValueError: the margin is not positive, or fewer than two clusters have a difference.
    """
    means = cluster_means(differences, clusters)
    if len(means) < 2:
        _check(margin)
        raise ValueError(f"expected at least two independent differences, got {len(means)}")
    return _tested(_students(means[:, None]), margin=margin)[0]


def equivalence_each(differences: Floats, *, margin: float) -> Floats:
    """p of :func:`equivalence` of every set, from shape ``(difference, set)`` to ``(set,)``.

    Raises:
        ValueError: the margin is not positive.
    """
    _check(margin)
    return _students(differences).beyond_p(margin)


def equivalences(
    values: Floats,
    pairs: Sequence[tuple[int, int]],
    *,
    margin: float,
    clusters: Integers | None = None,
    sizes: Floats | None = None,
) -> list[Equivalence]:
    """All pairs of codecs as one family, by the test of differences: corrected for skewness.

    Args:
        values, pairs, clusters, sizes: as in :func:`~.means.estimate_differences`.
        margin: in the unit of the values.

    Raises:
        ValueError: the margin is not positive.
    """
    estimates = estimate_differences(
        values, pairs, clusters=clusters, sizes=sizes, confidence=1 - 2 * SIGNIFICANCE
    )
    return _tested(estimates, margin=margin)


def _students(differences: Floats) -> Estimates:
    """Means of the sets with Student's t alone."""
    return estimate_means(differences, confidence=1 - 2 * SIGNIFICANCE).without_skewness()


def _check(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"expected a margin above 0, got {margin}")


def _tested(estimates: Estimates, *, margin: float) -> list[Equivalence]:
    _check(margin)
    p_values = [float(p) for p in estimates.beyond_p(margin)]
    return [
        Equivalence(
            difference=float(estimates.mean[number]),
            margin=margin,
            low=float(estimates.low[number]),
            high=float(estimates.high[number]),
            p=p,
            p_holm=p_holm,
            clusters=int(estimates.clusters[number]),
        )
        for number, (p, p_holm) in enumerate(zip(p_values, correct(p_values), strict=True))
    ]
