"""The restricted likelihood of a model with crossed random effects, and its gradient.

y = X b + sum of Z_i u_i + e, with u_i of variance ratio_i times that of the error. Every Z_i is an
indicator of one grouping of the rows, so all that is needed is cross products, which are counts and
sums. The grouping with the most levels is eliminated first: its own block is diagonal.

Shapes: n rows, p means, q columns of all Z together, of which L belong to the last grouping.

References
    D. Bates et al., "Fitting linear mixed-effects models using lme4", J. Stat. Softw. 67 (1), 2015.
    S. Searle, G. Casella, C. McCulloch, "Variance Components", 1992, chapter 6 (the gradient).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_listening.statistics.listener_table import Floats

Codes = NDArray[np.int64]
SMALLEST_VARIANCE = 1e-300

__all__ = ["Codes", "RestrictedLikelihood", "Solution"]


@dataclass(frozen=True)
class Solution:
    """V = s2 (I + Z D Z'), its inverse is (I - Z m Z') / s2, and phi is the means' covariance."""

    m: Floats
    phi: Floats
    beta: Floats
    s2: float


class RestrictedLikelihood:
    """Cross products of y, X and Z, and what the likelihood needs of them.

    Attributes:
        names: of the groupings, the one with the most levels last.
        group_of: number of the grouping that each column of Z belongs to, shape ``(q,)``.
    """

    def __init__(self, y: Floats, means: Codes, groups: Mapping[str, Codes]) -> None:
        """Take the rows in.

        Args:
            y: shape ``(n,)``.
            means: which mean each row has, 0 to p - 1, shape ``(n,)``.
            groups: level of each row by the name of the grouping, likewise from 0.
        """
        self.n, self.p = len(y), int(means.max()) + 1
        self.names = tuple(sorted(groups, key=lambda name: int(groups[name].max())))
        codes = [groups[name] for name in self.names]
        levels = [int(code.max()) + 1 for code in codes]
        self.group_of: Codes = np.repeat(np.arange(len(levels)), levels)
        self.gram = _cross_products(y, [*codes, means], [*levels, self.p])
        q = len(self.group_of)
        self.q, self.last = q, (levels[-1] if levels else 0)
        self.zz, self.zx = self.gram[:q, :q], self.gram[:q, q:-1]
        self.xx = self.gram[q:-1, q:-1]
        first = q - self.last
        kept = np.r_[0:first, q : q + self.p + 1]
        self._kept = self.gram[np.ix_(kept, kept)]
        self._between: Floats = self.gram[np.ix_(kept, np.arange(first, q))]
        self._counts: Floats = np.diag(self.gram)[first:q]
        self._starts = np.r_[0, np.cumsum(levels)[:-1]].astype(np.int64)

    @property
    def deviance_offset(self) -> float:
        """What makes the criterion lme4's REML deviance, minus twice the log likelihood."""
        freedom = self.n - self.p
        return float(freedom * (1 + np.log(2 * np.pi)))

    def criterion(self, ratios: Floats) -> float:
        """Minus twice the restricted log likelihood but for a constant, at ratios ``(i,)``."""
        return self._evaluate(ratios, gradient=False)[0]

    def criterion_and_gradient(self, ratios: Floats) -> tuple[float, Floats]:
        """The same, and its derivative by each ratio of variances."""
        return self._evaluate(ratios, gradient=True)

    def solve(self, ratios: Floats) -> Solution:
        """Means and covariances at full size."""
        from scipy.linalg import cho_factor, cho_solve

        q, root = self.q, np.sqrt(ratios)[self.group_of]
        inner = np.eye(q) + root[:, None] * self.zz * root
        m: Floats = root[:, None] * cho_solve(cho_factor(inner, lower=True), np.diag(root))
        zy, xy = self.gram[:q, -1], self.gram[q:-1, -1]
        xvx, xvy = self.xx - self.zx.T @ m @ self.zx, xy - self.zx.T @ m @ zy
        phi = np.asarray(np.linalg.inv(xvx), dtype=np.float64)
        beta = phi @ xvy
        residual = float(self.gram[-1, -1]) - float(zy @ m @ zy) - float(beta @ xvy)
        s2 = max(residual / (self.n - self.p), SMALLEST_VARIANCE)
        return Solution(m=m, phi=phi * s2, beta=beta, s2=s2)

    def _evaluate(self, ratios: Floats, *, gradient: bool) -> tuple[float, Floats]:
        p, first = self.p, self.q - self.last
        freedom = self.n - p
        shrunk = ratios[-1] / (1 + ratios[-1] * self._counts) if self.last else self._counts
        reduced = self._kept - (self._between * shrunk) @ self._between.T
        zz, right = reduced[:first, :first], reduced[:first, first:]
        root = np.sqrt(ratios)[self.group_of[:first]]
        factor = np.linalg.cholesky(np.eye(first) + root[:, None] * zz * root)
        half = _solved(factor, root[:, None] * right)
        rest = reduced[first:, first:] - half.T @ half
        xvx = np.linalg.cholesky(rest[:p, :p])
        scaled = _solved(xvx, rest[:p, p])
        s2 = max((float(rest[p, p]) - float(scaled @ scaled)) / freedom, SMALLEST_VARIANCE)
        criterion = freedom * float(np.log(s2)) + 2 * float(np.log(np.diag(factor)).sum())
        criterion += 2 * float(np.log(np.diag(xvx)).sum())
        if self.last:
            criterion += float(np.log1p(ratios[-1] * self._counts).sum())
        if not gradient:
            return criterion, np.zeros(0)
        beta = np.linalg.solve(xvx.T, scaled)
        # Rows of Z'H^-1 [Z, X, y], as far as they are needed, for both parts of Z.
        own = _solved(factor, root[:, None] * zz)
        parts = [(np.diag(zz) - (own**2).sum(axis=0), right - own.T @ half)]
        if self.last:
            damp = 1 / (1 + ratios[-1] * self._counts)
            cross = self._between.T * damp[:, None]
            own = _solved(factor, root[:, None] * cross[:, :first].T)
            diagonal = self._counts * damp - (own**2).sum(axis=0)
            parts.append((diagonal, cross[:, first:] - own.T @ half))
        traces, squares = [], []
        for diagonal, products in parts:
            spread = _solved(xvx, products[:, :p].T)
            traces.append(diagonal - (spread**2).sum(axis=0))
            squares.append((products[:, p] - products[:, :p] @ beta) ** 2)
        slopes = np.concatenate(traces) - np.concatenate(squares) / s2
        return criterion, np.add.reduceat(slopes, self._starts)


def _solved(lower: Floats, right: Floats) -> Floats:
    """Solution of a lower triangular system; none of an empty one.

    By LAPACK's own routine: scipy's checks around it take longer than these small systems.
    """
    from scipy.linalg.lapack import dtrtrs

    return np.asarray(dtrtrs(lower, right, lower=1)[0]) if len(lower) else right


def _cross_products(y: Floats, codes: list[Codes], levels: list[int]) -> Floats:
    """[Z, X, y]'[Z, X, y] by counting, without the matrix itself."""
    ends = np.cumsum(levels)
    total = int(ends[-1]) + 1
    gram = np.zeros((total, total))
    for i, (one, end) in enumerate(zip(codes, ends, strict=True)):
        rows = slice(end - levels[i], end)
        gram[rows, -1] = gram[-1, rows] = np.bincount(one, weights=y, minlength=levels[i])
        for j in range(i, len(codes)):
            counts = np.bincount(one * levels[j] + codes[j], minlength=levels[i] * levels[j])
            columns = slice(ends[j] - levels[j], ends[j])
            gram[rows, columns] = counts.reshape(levels[i], levels[j])
            gram[columns, rows] = gram[rows, columns].T
    gram[-1, -1] = float(y @ y)
    return gram
