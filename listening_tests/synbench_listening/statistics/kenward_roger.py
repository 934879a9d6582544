"""Kenward and Roger's small-sample inference: wider standard errors, F tests and their freedom.

The covariance of the data is linear in the variances, so second derivatives vanish. With A = V^-1
and G_i = Z_i Z_i' (the error's is I): P_i = -X'A G_i A X, Q_ij = X'A G_i A G_j A X. Effects whose
variance is estimated as zero count like all others, as in pbkrtest.

References
    M. Kenward, J. Roger, "Small sample inference for fixed effects from restricted maximum
        likelihood", Biometrics 53 (3), 1997.
    U. Halekoh, S. Hojsgaard, "A Kenward-Roger approximation ... The R package pbkrtest", J. Stat.
        Softw. 59 (9), 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synbench_listening.statistics.listener_table import Floats
from synbench_listening.statistics.restricted_likelihood import RestrictedLikelihood, Solution

# Below this ratio of eigenvalues the information matrix counts as singular.
SINGULAR_RATIO = 1e-10

__all__ = ["FTest", "Inference", "infer"]


@dataclass(frozen=True, kw_only=True)
class FTest:
    """F after scaling, its degrees of freedom, and p; ``scale`` is what F was multiplied by."""

    f: float
    df: tuple[int, float]
    p: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Attributes: ``phi``, covariance of the means; ``adjusted``, the wider one to use."""

    beta: Floats
    phi: Floats
    adjusted: Floats
    p: list[Floats]
    w: Floats

    def test(self, contrasts: Floats) -> FTest:
        """Whether all of these contrasts of the means are zero; shape ``(row, mean)``."""
        from scipy.special import fdtrc

        rows = len(contrasts)
        values = contrasts @ self.beta
        wald = float(values @ np.linalg.solve(contrasts @ self.adjusted @ contrasts.T, values))
        df, scale = self._freedom(contrasts)
        f = scale * wald / rows
        return FTest(f=f, df=(rows, df), p=float(fdtrc(rows, df, max(f, 0.0))), scale=scale)

    def _freedom(self, contrasts: Floats) -> tuple[float, float]:
        """Denominator degrees of freedom, and the factor of F."""
        rows = len(contrasts)
        inner = np.linalg.inv(contrasts @ self.phi @ contrasts.T)
        theta = contrasts.T @ inner @ contrasts
        parts = [theta @ self.phi @ p @ self.phi for p in self.p]
        traces = np.array([np.trace(part) for part in parts])
        products = np.array([[np.trace(a @ b) for b in parts] for a in parts])
        a1 = float(traces @ self.w @ traces)
        a2 = float((self.w * products).sum())
        if a2 < 1e-12:  # the variances are as good as known
            return 1e12, 1.0
        if rows == 1:  # what the formulas below come to, without their poles
            return 2 / a2, 1.0
        b = (a1 + 6 * a2) / (2 * rows)
        g = ((rows + 1) * a1 - (rows + 4) * a2) / ((rows + 2) * a2)
        below = 3 * rows + 2 * (1 - g)
        c1, c2, c3 = g / below, (rows - g) / below, (rows + 2 - g) / below
        inverse_mean = 1 - a2 / rows
        ratio = inverse_mean / (1 - c2 * b) if abs(1 - c2 * b) > 1e-14 else 1.0
        rho = ratio**2 * (1 + c1 * b) / (1 - c3 * b) / rows
        df = 4 + (rows + 2) / (rows * rho - 1)
        scale = 1.0 if abs(df - 2) < 1e-2 else df * inverse_mean / (df - 2)
        return df, scale


def infer(likelihood: RestrictedLikelihood, solution: Solution) -> Inference:
    """Widen the covariance of the means for the variances being estimated."""
    m, phi, s2 = solution.m, solution.phi, solution.s2
    zz, zx, xx = likelihood.zz, likelihood.zx, likelihood.xx
    mzz, mzx = m @ zz, m @ zx
    zaz = (zz - zz @ mzz) / s2
    left = zx - zz @ mzx
    zax = left / s2
    # Z'AAZ and so on, for the error's own G = I.
    shrink = np.eye(len(zz)) - mzz
    zaaz = zz @ shrink @ shrink / s2**2
    zaax = (left - zz @ m @ left) / s2**2
    zmx = zx.T @ mzx
    xaax = (xx - 2 * zmx + mzx.T @ zz @ mzx) / s2**2
    middle = mzx.T @ zz @ mzx
    xaaax = (xx - 3 * zmx + 3 * middle - mzx.T @ zz @ mzz @ mzx) / s2**3
    groups = [
        np.flatnonzero(likelihood.group_of == number) for number in range(len(likelihood.names))
    ]
    count = len(groups) + 1
    p = [-zax[g].T @ zax[g] for g in groups] + [-xaax]
    trace = np.zeros((count, count))
    q = [[np.zeros_like(phi) for _ in range(count)] for _ in range(count)]
    for i, a in enumerate(groups):
        for j, b in enumerate(groups):
            trace[i, j] = float((zaz[np.ix_(a, b)] ** 2).sum())
            q[i][j] = zax[a].T @ zaz[np.ix_(a, b)] @ zax[b]
        trace[i, -1] = trace[-1, i] = float(np.diag(zaaz)[a].sum())
        q[i][-1] = zax[a].T @ zaax[a]
        q[-1][i] = q[i][-1].T
    trace[-1, -1] = (likelihood.n - len(zz) + float((shrink * shrink.T).sum())) / s2**2
    q[-1][-1] = xaaax
    information = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            information[i, j] = (
                trace[i, j]
                - 2 * float(np.trace(phi @ q[i][j]))
                + float(np.trace(phi @ p[i] @ phi @ p[j]))
            )
    w = 2 * _inverse(information)
    change = np.zeros_like(phi)
    for i in range(count):
        for j in range(count):
            change += w[i, j] * (q[i][j] - p[i] @ phi @ p[j])
    adjusted: Floats = phi + 2 * phi @ change @ phi
    return Inference(beta=solution.beta, phi=phi, adjusted=(adjusted + adjusted.T) / 2, p=p, w=w)


def _inverse(information: Floats) -> Floats:
    values = np.abs(np.linalg.eigvalsh(information))
    if values.min() > SINGULAR_RATIO * values.max():
        return np.asarray(np.linalg.inv(information), dtype=np.float64)
    return np.asarray(np.linalg.pinv(information, rcond=1.5e-8), dtype=np.float64)
