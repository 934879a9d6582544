"""Linear mixed model of ratings with crossed random effects, by REML, with Kenward-Roger tests.

score = condition + listener + item + listener:item + error, all but the condition random. Every
covariance is a sum of known matrices, so the criterion needs only cross products of indicators:
a thousand ratings take about a second, and memory grows with listeners x items, not with ratings.

References
    M. Kenward, J. Roger, "Small sample inference for fixed effects from restricted maximum
        likelihood", Biometrics 53 (3), 1997.
    D. Bates et al., "Fitting linear mixed-effects models using lme4", J. Stat. Softw. 67 (1), 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import Floats

# Larger models would need gigabytes: the indicator columns are held densely.
MOST_EFFECTS = 6000

__all__ = ["Contrast", "MixedModel", "fit_mixed_model"]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A mean, or ``first`` minus ``second``, tested by t with Kenward-Roger degrees of freedom."""

    first: str
    second: str
    estimate: float
    standard_error: float
    df: float
    t: float
    p: float


@dataclass(frozen=True, kw_only=True)
class MixedModel:
    """A fitted model.

    Attributes:
        deviations: standard deviation of each random effect, and of the ``residual``.
        means: of the conditions; their p says nothing of use (against 0).
        f, df, p: Kenward-Roger test of all conditions being equal.
    """

    deviations: dict[str, float]
    means: tuple[Contrast, ...]
    pairs: tuple[Contrast, ...]
    f: float
    df: tuple[float, float]
    p: float
    ratings: int


def fit_mixed_model(ratings: Sequence[Rating], conditions: Sequence[str]) -> MixedModel:
    """Fit ratings of these conditions.

    Effects that the data cannot tell from the error (listener:item with one rating each) are left
    out; so are listener and item where there is only one.

    Raises:
        ValueError: fewer than two conditions or listeners, too few ratings, no error, too large.
    """
    rows = [rating for rating in ratings if rating.condition in set(conditions)]
    listeners = [rating.listener for rating in rows]
    if len(conditions) < 2 or len(set(listeners)) < 2:
        raise ValueError("expected at least two conditions and two listeners")
    items = [rating.item for rating in rows]
    groups = {
        "listener": listeners,
        "item": items,
        "listener:item": [f"{a}\0{b}" for a, b in zip(listeners, items, strict=True)],
    }
    if len(rows) <= len(conditions):
        raise ValueError(f"{len(rows)} ratings are too few for {len(conditions)} conditions")
    groups = _estimable(groups, len(rows))
    effects = sum(len(set(names)) for names in groups.values())
    if effects > MOST_EFFECTS:
        raise ValueError(f"{effects} random effects are more than {MOST_EFFECTS}")
    problem = _Problem(rows, conditions, groups)
    ratios = problem.optimise()
    return _inference(problem, ratios, conditions)


def _estimable(groups: dict[str, list[str]], rows: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, labels in groups.items():
        levels = len(set(labels))
        if 1 < levels < rows and not any(_same(labels, other) for other in found.values()):
            found[name] = labels
    return found


def _same(first: list[str], second: list[str]) -> bool:
    """Whether two groupings part the rows alike, so that their effects are one."""
    pairs = len(set(zip(first, second, strict=True)))
    return pairs == len(set(first)) == len(set(second))


class _Problem:
    """Cross products of y, X (conditions) and Z (indicators of all random effects)."""

    def __init__(
        self, rows: Sequence[Rating], conditions: Sequence[str], groups: dict[str, list[str]]
    ) -> None:
        self.names = tuple(groups)
        self.n = len(rows)
        place = {name: number for number, name in enumerate(conditions)}
        x = np.zeros((self.n, len(conditions)))
        x[np.arange(self.n), [place[rating.condition] for rating in rows]] = 1
        y = np.array([rating.score for rating in rows], dtype=np.float64)
        blocks: list[Floats] = []
        places: list[int] = []
        for number, labels in enumerate(groups.values()):
            _, codes = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
            block = np.zeros((self.n, int(codes.max()) + 1))
            block[np.arange(self.n), codes] = 1
            blocks.append(block)
            places += [number] * block.shape[1]
        self.places = np.array(places, dtype=np.int64)
        z = np.hstack(blocks) if blocks else np.zeros((self.n, 0))
        everything = np.hstack([z, x, y[:, None]])
        self.gram: Floats = everything.T @ everything
        effects = z.shape[1]
        self.zz, self.zx = self.gram[:effects, :effects], self.gram[:effects, effects:-1]
        self.xx = self.gram[effects:-1, effects:-1]

    def solve(self, ratios: Floats) -> _Solution:
        """All that follows from variances relative to the error's, at full size."""
        return _solve(self.gram, np.sqrt(ratios)[self.places], self.n, len(self.xx))

    def criterion(self, ratios: Floats) -> float:
        """The REML criterion, after the last effect, whose own block is diagonal, is taken out.

        It has nearly all of the columns, so that what is left is small.
        """
        last = self.places == len(self.names) - 1
        keep = np.append(~last, np.ones(len(self.xx) + 1, dtype=bool))
        gone = np.flatnonzero(~keep)
        counts = self.gram[gone, gone]
        between = self.gram[np.ix_(keep, gone)]
        weights = ratios[-1] / (1 + ratios[-1] * counts)
        reduced = self.gram[np.ix_(keep, keep)] - (between * weights) @ between.T
        root = np.sqrt(ratios)[self.places[~last]]
        rest = _solve(reduced, root, self.n, len(self.xx)).criterion
        return rest + float(np.log1p(ratios[-1] * counts).sum())

    def optimise(self) -> Floats:
        """Ratios of variances at the maximum of the restricted likelihood."""
        from scipy.optimize import minimize

        if not self.names:
            return np.zeros(0)

        def loss(theta: Floats) -> float:
            return self.criterion(theta**2)

        done = minimize(
            loss,
            np.full(len(self.names), 0.5),
            method="L-BFGS-B",
            bounds=[(0, 1e3)] * len(self.names),
            tol=1e-14,
        )
        ratios: Floats = np.asarray(done.x, dtype=np.float64) ** 2
        return ratios


@dataclass(frozen=True)
class _Solution:
    """V = s2 (I + Z D Z'), its inverse is (I - Z m Z') / s2, and phi is the means' covariance."""

    m: Floats
    phi: Floats
    beta: Floats
    s2: float
    criterion: float


def _solve(gram: Floats, root: Floats, rows: int, means: int) -> _Solution:
    """Solve for the means, from the cross products of [Z, X, y] and the roots of D."""
    effects = len(root)
    zz, zx, zy = gram[:effects, :effects], gram[:effects, effects:-1], gram[:effects, -1]
    xx, xy, yy = gram[effects:-1, effects:-1], gram[effects:-1, -1], float(gram[-1, -1])
    factor = np.linalg.cholesky(np.eye(effects) + root[:, None] * zz * root)
    half = np.linalg.solve(factor, np.diag(root))
    m = half.T @ half
    xvx, xvy = xx - zx.T @ m @ zx, xy - zx.T @ m @ zy
    phi = np.linalg.inv(xvx)
    beta = phi @ xvy
    freedom = rows - means
    s2 = max((yy - float(zy @ m @ zy) - float(beta @ xvy)) / freedom, 1e-300)
    criterion = freedom * float(np.log(s2)) + 2 * float(np.log(np.diag(factor)).sum())
    criterion += float(np.linalg.slogdet(xvx)[1])
    return _Solution(m=m, phi=phi * s2, beta=beta, s2=s2, criterion=criterion)


def _inference(problem: _Problem, ratios: Floats, conditions: Sequence[str]) -> MixedModel:
    solution = problem.solve(ratios)
    beta, s2 = solution.beta, solution.s2
    if s2 <= 1e-10 * max(1.0, float(problem.gram[-1, -1]) / problem.n):
        raise ValueError("the ratings leave no error to estimate")
    adjusted, tests = _kenward_roger(problem, solution.m, solution.phi, s2)
    k = len(conditions)
    means = []
    for place, name in enumerate(conditions):
        means.append(_contrast(np.eye(k)[place], beta, adjusted, tests, name, ""))
    pairs = []
    for first, second in combinations(range(k), 2):
        vector = np.eye(k)[first] - np.eye(k)[second]
        names = conditions[first], conditions[second]
        pairs.append(_contrast(vector, beta, adjusted, tests, *names))
    together = np.eye(k)[1:] - np.eye(k)[0]
    f, df, p = _f_test(together, beta, adjusted, tests)
    deviations = {
        name: float((ratio * s2) ** 0.5) for name, ratio in zip(problem.names, ratios, strict=True)
    }
    return MixedModel(
        deviations={**deviations, "residual": s2**0.5},
        means=tuple(means),
        pairs=tuple(pairs),
        f=f,
        df=(len(together), df),
        p=p,
        ratings=problem.n,
    )


@dataclass(frozen=True)
class _Tests:
    phi: Floats
    p: list[Floats]
    w: Floats


def _kenward_roger(problem: _Problem, m: Floats, phi: Floats, s2: float) -> tuple[Floats, _Tests]:
    """Covariance of the means, widened for the estimated variances, and what the tests need.

    The covariance of the data is linear in the variances, so second derivatives vanish. With
    A = V^-1 and G_i = Z_i Z_i' (the error's is I): P_i = -X'A G_i A X, Q_ij = X'A G_i A G_j A X.
    """
    zz, zx = problem.zz, problem.zx
    zaz = (zz - zz @ m @ zz) / s2
    zax = (zx - zz @ m @ zx) / s2
    # Z'AAZ and so on, for the error's own G = I.
    mzz = m @ zz
    step = np.eye(len(zz)) - mzz
    zaaz = zz @ step @ step / s2**2
    left = zx - zz @ m @ zx
    zaax = (left - zz @ m @ left) / s2**2
    xaax = (problem.xx - 2 * zx.T @ m @ zx + zx.T @ m @ zz @ m @ zx) / s2**2
    middle = m @ zz @ m
    xaaax = (
        problem.xx - 3 * zx.T @ m @ zx + 3 * zx.T @ middle @ zx - zx.T @ middle @ zz @ m @ zx
    ) / s2**3
    groups = [np.flatnonzero(problem.places == number) for number in range(len(problem.names))]
    count = len(groups) + 1
    p = [-zax[g].T @ zax[g] for g in groups] + [-xaax]
    trace = np.zeros((count, count))
    q = [[np.zeros_like(phi) for _ in range(count)] for _ in range(count)]
    for i, a in enumerate(groups):
        for j, b in enumerate(groups):
            trace[i, j] = float((zaz[np.ix_(a, b)] ** 2).sum())
            q[i][j] = zax[a].T @ zaz[np.ix_(a, b)] @ zax[b]
        trace[i, -1] = trace[-1, i] = float(np.trace(zaaz[np.ix_(a, a)]))
        q[i][-1] = zax[a].T @ zaax[a]
        q[-1][i] = q[i][-1].T
    shrink = np.eye(len(zz)) - mzz
    trace[-1, -1] = (problem.n - len(zz) + float(np.einsum("ij,ji->", shrink, shrink))) / s2**2
    q[-1][-1] = xaaax
    information = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            information[i, j] = (
                trace[i, j]
                - 2 * float(np.trace(phi @ q[i][j]))
                + float(np.trace(phi @ p[i] @ phi @ p[j]))
            )
    w = np.asarray(2 * np.linalg.pinv(information), dtype=np.float64)
    change = np.zeros_like(phi)
    for i in range(count):
        for j in range(count):
            change += w[i, j] * (q[i][j] - p[i] @ phi @ p[j])
    adjusted: Floats = phi + 2 * phi @ change @ phi
    return (adjusted + adjusted.T) / 2, _Tests(phi=phi, p=p, w=w)


def _contrast(
    vector: Floats, beta: Floats, adjusted: Floats, tests: _Tests, first: str, second: str
) -> Contrast:
    from scipy.special import stdtr

    f, df, _ = _f_test(vector[None], beta, adjusted, tests)
    estimate = float(vector @ beta)
    error = float(vector @ adjusted @ vector) ** 0.5
    t = float(np.sign(estimate)) * f**0.5
    return Contrast(
        first=first,
        second=second,
        estimate=estimate,
        standard_error=error,
        df=df,
        t=t,
        p=2 * float(stdtr(df, -abs(t))),
    )


def _f_test(
    contrasts: Floats, beta: Floats, adjusted: Floats, tests: _Tests
) -> tuple[float, float, float]:
    """Scaled F, its denominator degrees of freedom, and p. ``contrasts`` has shape (rows, mean)."""
    from scipy.special import fdtrc

    rows = len(contrasts)
    inner = np.linalg.inv(contrasts @ tests.phi @ contrasts.T)
    theta = contrasts.T @ inner @ contrasts
    parts = [theta @ tests.phi @ p @ tests.phi for p in tests.p]
    traces = np.array([np.trace(part) for part in parts])
    products = np.array([[np.trace(a @ b) for b in parts] for a in parts])
    a1 = float(traces @ tests.w @ traces)
    a2 = float((tests.w * products).sum())
    values = contrasts @ beta
    wald = float(values @ np.linalg.inv(contrasts @ adjusted @ contrasts.T) @ values)
    if a2 < 1e-12:  # the variances are as good as known
        return wald / rows, 1e12, float(fdtrc(rows, 1e12, wald / rows))
    b = (a1 + 6 * a2) / (2 * rows)
    g = ((rows + 1) * a1 - (rows + 4) * a2) / ((rows + 2) * a2)
    scale = 3 * rows + 2 * (1 - g)
    c1, c2, c3 = g / scale, (rows - g) / scale, (rows + 2 - g) / scale
    expectation = 1 / (1 - a2 / rows)
    variance = 2 / rows * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = variance / (2 * expectation**2)
    df = 4 + (rows + 2) / (rows * rho - 1)
    factor = df / (expectation * (df - 2))
    f = factor * wald / rows
    return f, df, float(fdtrc(rows, df, f))
