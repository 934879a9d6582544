"""Linear mixed model of ratings: listeners and items both taken as drawn, not as given.

score = condition + listener + item + listener:item + listener:condition + item:condition + error,
all but the condition random. The last two say that listeners and items differ in how they take a
condition. Left out where they exist, they make the test of conditions wrong by an order of
magnitude, so they are in by default. Fitted by REML, tested by Kenward and Roger.

References
    D. Barr et al., "Random effects structure for confirmatory hypothesis testing: Keep it
        maximal", J. Mem. Lang. 68 (3), 2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.kenward_roger import Inference, infer
from synbench_listening.statistics.listener_table import Floats
from synbench_listening.statistics.restricted_likelihood import Codes, RestrictedLikelihood
from synbench_listening.statistics.variance_search import Search, find_ratios

# Larger models would need gigabytes: the cross products are held densely.
MOST_EFFECTS = 6000

Structure = Literal["maximal", "intercepts"]
EFFECTS: dict[Structure, tuple[str, ...]] = {
    "intercepts": ("listener", "item", "listener:item"),
    "maximal": ("listener", "item", "listener:item", "listener:condition", "item:condition"),
}

__all__ = ["Contrast", "MixedModel", "Structure", "fit_mixed_model", "search_ratios"]


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
        structure: whether listeners and items may differ in how they take a condition (maximal).
        deviations: standard deviation of each random effect, and of the ``residual``.
        left_out: effects that these ratings cannot tell from others or from the error.
        means: of the conditions; their p says nothing of use (against 0).
        f, df, p: Kenward-Roger test of all conditions being equal.
        f_scale: the factor that Kenward and Roger multiply Wald's F by.
        deviance: minus twice the restricted log likelihood.
        converged: whether the search ended where no step gains.
        searches: descents from different starts.
    """

    structure: Structure
    deviations: dict[str, float]
    left_out: tuple[str, ...]
    means: tuple[Contrast, ...]
    pairs: tuple[Contrast, ...]
    f: float
    df: tuple[float, float]
    p: float
    f_scale: float
    deviance: float
    converged: bool
    searches: int
    ratings: int

    @property
    def at_zero(self) -> tuple[str, ...]:
        """Effects whose variance is estimated as zero, the edge of what is possible."""
        return tuple(name for name, value in self.deviations.items() if value == 0)


def fit_mixed_model(
    ratings: Sequence[Rating], conditions: Sequence[str], *, structure: Structure = "maximal"
) -> MixedModel:
    """Fit ratings of these conditions.

    Effects that the data cannot tell from the error (listener:item with one rating each) or from
    another effect are left out; so are listener and item where there is only one.

    Args:
        structure: ``intercepts`` leaves out listener:condition and item:condition.

    Raises:
        ValueError: fewer than two conditions or listeners, too few ratings, no error, too large.
    """
    rows = [rating for rating in ratings if rating.condition in set(conditions)]
    if len(conditions) < 2 or len({rating.listener for rating in rows}) < 2:
        raise ValueError("expected at least two conditions and two listeners")
    if len(rows) <= len(conditions):
        raise ValueError(f"{len(rows)} ratings are too few for {len(conditions)} conditions")
    unrated = set(conditions) - {rating.condition for rating in rows}
    if unrated:
        raise ValueError(f"no ratings of {', '.join(sorted(unrated))}")
    likelihood, search = search_ratios(rows, structure, conditions)
    solution = likelihood.solve(search.ratios)
    scores = np.array([rating.score for rating in rows], dtype=np.float64)
    centre = float(scores.mean())
    if solution.s2 <= 1e-10 * max(1.0, float(scores @ scores) / len(scores)):
        raise ValueError("the ratings leave no error to estimate")
    fitted = {
        name: float((ratio * solution.s2) ** 0.5)
        for name, ratio in zip(likelihood.names, search.ratios, strict=True)
    }
    asked = EFFECTS[structure]
    deviations = {name: fitted[name] for name in asked if name in fitted}
    deviations["residual"] = solution.s2**0.5
    return _model(
        likelihood,
        search,
        infer(likelihood, solution),
        conditions,
        structure=structure,
        deviations=deviations,
        left_out=tuple(name for name in asked if name not in fitted),
        centre=centre,
    )


def search_ratios(
    rows: Sequence[Rating], structure: Structure, conditions: Sequence[str] = ()
) -> tuple[RestrictedLikelihood, Search]:
    """The likelihood of these ratings, around their mean, and where its maximum was found.

    Args:
        conditions: in the order of the means; as they come if empty.

    Raises:
        ValueError: too many effects.
    """
    groups = _estimable(_groups(rows, structure), len(rows))
    effects = sum(int(codes.max()) + 1 for codes in groups.values())
    if effects > MOST_EFFECTS:
        raise ValueError(f"{effects} random effects are more than {MOST_EFFECTS}")
    scores = np.array([rating.score for rating in rows], dtype=np.float64)
    order = list(conditions or dict.fromkeys(rating.condition for rating in rows))
    means = np.array([order.index(rating.condition) for rating in rows], dtype=np.int64)
    # Around the mean, so that squares of large scores do not drown the differences.
    likelihood = RestrictedLikelihood(scores - scores.mean(), means, groups)
    return likelihood, find_ratios(likelihood)


def _groups(rows: Sequence[Rating], structure: Structure) -> dict[str, Codes]:
    """Level of every rating by effect."""
    listener = _codes([rating.listener for rating in rows])
    item = _codes([rating.item for rating in rows])
    condition = _codes([rating.condition for rating in rows])
    groups = {"listener": listener, "item": item, "listener:item": _crossed(listener, item)}
    if structure == "maximal":
        groups["listener:condition"] = _crossed(listener, condition)
        groups["item:condition"] = _crossed(item, condition)
    return groups


def _codes(names: Sequence[str]) -> Codes:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _crossed(first: Codes, second: Codes) -> Codes:
    both = first * (int(second.max()) + 1) + second
    return np.asarray(np.unique(both, return_inverse=True)[1], dtype=np.int64)


def _estimable(groups: dict[str, Codes], rows: int) -> dict[str, Codes]:
    kept: dict[str, Codes] = {}
    for name, codes in groups.items():
        levels = int(codes.max()) + 1
        if 1 < levels < rows and not any(_same(codes, other) for other in kept.values()):
            kept[name] = codes
    return kept


def _same(first: Codes, second: Codes) -> bool:
    """Whether two groupings part the rows alike, so that their effects are one."""
    pairs = len(np.unique(np.stack([first, second]), axis=1).T)
    return bool(pairs == int(first.max()) + 1 == int(second.max()) + 1)


def _model(
    likelihood: RestrictedLikelihood,
    search: Search,
    inference: Inference,
    conditions: Sequence[str],
    *,
    structure: Structure,
    deviations: dict[str, float],
    left_out: tuple[str, ...],
    centre: float,
) -> MixedModel:
    k = len(conditions)
    unit = np.eye(k)
    overall = inference.test(unit[1:] - unit[0])
    return MixedModel(
        structure=structure,
        deviations=deviations,
        left_out=left_out,
        means=tuple(
            _contrast(inference, unit[number], name, "", centre=centre)
            for number, name in enumerate(conditions)
        ),
        pairs=tuple(
            _contrast(inference, unit[first] - unit[second], conditions[first], conditions[second])
            for first, second in combinations(range(k), 2)
        ),
        f=overall.f,
        df=overall.df,
        p=overall.p,
        f_scale=overall.scale,
        deviance=search.criterion + likelihood.deviance_offset,
        converged=search.converged,
        searches=search.searches,
        ratings=likelihood.n,
    )


def _contrast(
    inference: Inference, vector: Floats, first: str, second: str, *, centre: float = 0.0
) -> Contrast:
    from scipy.special import stdtr

    _, df = inference.test(vector[None]).df
    estimate = float(vector @ inference.beta) + centre
    error = float(vector @ inference.adjusted @ vector) ** 0.5
    t = estimate / error
    return Contrast(
        first=first,
        second=second,
        estimate=estimate,
        standard_error=error,
        df=df,
        t=t,
        p=2 * float(stdtr(df, -abs(t))),
    )
