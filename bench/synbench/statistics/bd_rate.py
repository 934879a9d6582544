"""Average distance of two rate-quality curves: BD-rate and BD-quality (Bjontegaard delta).

A curve is the operating points of one codec, interpolated as a function with the decimal logarithm
of the rate on one axis. BD-rate is the average difference of log rates over the range of quality
that both curves reach, as a percentage: -20 means that the test needs a fifth fewer bits for the
same quality than the anchor. BD-quality is the average difference of quality over the range of
rates that both have, in the unit of the metric. Nothing is extrapolated.

Three interpolations, with the fewest points that each takes:

- ``pchip`` (3): piecewise cubic Hermite with the slopes of Fritsch and Butland, which never
  overshoots; that of the JCT-VC common test conditions, and the default here.
- ``akima`` (3): piecewise cubic with Akima's slopes, smoother near a bend.
- ``cubic`` (4): one polynomial of third degree, fitted by least squares where there are more than
  four points; that of the original proposal. It can swing between points.

For BD-rate, a rate must belong to each quality, so a curve whose quality does not rise with every
step of the rate has none and is refused; its BD-quality is still defined.

A band draws whole speakers (or items) again, all points of both curves with the same draw, and
takes percentiles of the repeated distances. Draws from n speakers vary too little, by n - 1 in n,
and their percentiles follow a normal instead of a t distribution; so wider ones are taken, those
at which a normal distribution reaches as far as Student's t does with the larger variance. Draws
with which a distance is not defined are left out and their share is told; above
:data:`MOST_UNDEFINED` there is no band, since what is left would be a selection.

References
    G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001.
    F. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants",
    SIAM J. Sci. Stat. Comput. 5 (2), 1984.
    C. Herglotz et al., "Beyond Bjontegaard: limits of video compression performance comparisons",
    ICIP 2022.
    T. Hesterberg, "What teachers should know about the bootstrap", Am. Stat. 69 (4), 2015 (the
    expanded percentiles).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from synbench.statistics import student
from synbench.statistics.bootstrap import SEED, replicate_means, resampling_weights
from synbench.statistics.clusters import Floats, Integers
from synbench.statistics.means import CONFIDENCE, FEWEST_CLUSTERS

Method = Literal["pchip", "akima", "cubic"]
FEWEST_POINTS: dict[Method, int] = {"pchip": 3, "akima": 3, "cubic": 4}

# Replicates of a band: percentiles of curves, which take about a millisecond each.
REPLICATES = 1000
# Share of draws without a distance above which there is no band.
MOST_UNDEFINED = 0.05

__all__ = [
    "FEWEST_POINTS",
    "MOST_UNDEFINED",
    "Band",
    "Curve",
    "CurveError",
    "Method",
    "bd_bands",
    "bd_quality",
    "bd_rate",
    "falling_steps",
    "shared_quality",
]


class CurveError(ValueError):
    """Why two curves have no such distance; the message is for the reader of a table."""


@dataclass(frozen=True)
class Curve:
    """Operating points in any order, both of shape ``(point,)``.

    Attributes:
        rates: above 0, in any unit that both curves share.
        qualities: higher is better; negate a metric of which lower is better.
    """

    rates: Floats
    qualities: Floats

    def sorted(self) -> tuple[Floats, Floats]:
        """Log10 of the rates, rising, and the qualities that belong to them."""
        order = np.argsort(self.rates, kind="stable")
        return np.log10(self.rates[order]), self.qualities[order]


@dataclass(frozen=True, kw_only=True)
class Band:
    """The percentiles of a repeated distance.

    Attributes:
        low, high: NaN where there is no band.
        undefined: share of the draws that had no such distance, 0 to 1.
    """

    low: float
    high: float
    undefined: float


def bd_rate(anchor: Curve, test: Curve, *, method: Method = "pchip") -> float:
    """How many percent more bits the test needs for the same quality; negative is a saving.

    Raises:
        CurveError: too few points, no shared range, or a curve on which quality does not rise with
            every step of the rate.
    """
    functions = []
    for name, curve in (("the anchor", anchor), ("the test", test)):
        rates, qualities = _checked(curve, name, method)
        if (np.diff(qualities) <= 0).any():
            raise CurveError(
                f"quality does not rise with every step of the rate on the curve of {name}, so "
                "that no single rate belongs to a quality"
            )
        functions.append((qualities, rates))
    return float((10 ** _average_gap(functions[0], functions[1], "quality", method) - 1) * 100)


def bd_quality(anchor: Curve, test: Curve, *, method: Method = "pchip") -> float:
    """How much better the test is at the same rate, in the unit of the qualities.

    Raises:
        CurveError: too few points, no shared range, or two points at one rate.
    """
    functions = [
        _checked(curve, name, method)
        for name, curve in (("the anchor", anchor), ("the test", test))
    ]
    return _average_gap(functions[0], functions[1], "rate", method)


def falling_steps(curve: Curve) -> int:
    """Steps from one rate to the next on which quality does not rise."""
    return int((np.diff(curve.sorted()[1]) <= 0).sum())


def shared_quality(anchor: Curve, test: Curve) -> tuple[float, float, float]:
    """Both ends of the shared range of quality, and its share of the whole range, 0 to 1.

    Returns:
        Low above high, and a share of 0, where nothing is shared.
    """
    low = max(float(curve.qualities.min()) for curve in (anchor, test))
    high = min(float(curve.qualities.max()) for curve in (anchor, test))
    both = np.concatenate([anchor.qualities, test.qualities])
    whole = float(both.max() - both.min())
    return low, high, max(high - low, 0.0) / whole if whole else 0.0


def bd_bands(
    *,
    values: Floats,
    sizes: Floats,
    rates: Floats,
    seconds: Floats,
    anchors: int,
    clusters: Integers | None = None,
    method: Method = "pchip",
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> tuple[Band, Band]:
    """The bands of BD-rate and of BD-quality.

    Args:
        values: qualities, higher is better, shape ``(item, point)``, none of them NaN; the points
            of the anchor come first.
        sizes: how much each value counts in the mean of its point, likewise.
        rates: of each item, likewise; of a point, their mean weighted by ``seconds``.
        seconds: duration of each item, shape ``(item,)``.
        anchors: how many points are the anchor's.
        clusters: speaker of each item, shape ``(item,)``, numbers from 0; ``None`` draws items.
    """
    numbers = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    units = len(values) if numbers is None else int(numbers.max()) + 1
    if units < FEWEST_CLUSTERS:
        missing = Band(low=np.nan, high=np.nan, undefined=0.0)
        return missing, missing
    weighted = np.broadcast_to(seconds[:, None], rates.shape)
    drawn = replicate_means(
        np.hstack([values, rates]),
        resampling_weights(units, replicates=replicates, seed=seed),
        clusters=numbers,
        sizes=np.hstack([sizes, weighted]),
    )
    points = values.shape[1]
    curves = [
        (
            Curve(row[points : points + anchors], row[:anchors]),
            Curve(row[points + anchors :], row[anchors:points]),
        )
        for row in drawn
    ]
    tails = _tails(units)
    return _band(curves, bd_rate, method, tails), _band(curves, bd_quality, method, tails)


def _tails(units: int) -> tuple[float, float]:
    """The shares of draws below the ends of a band over so many speakers."""
    reach = float(student.quantile((1 + CONFIDENCE) / 2, np.array(units - 1.0)))
    below = NormalDist().cdf(-reach * (units / (units - 1)) ** 0.5)
    return below, 1 - below


def _band(
    curves: list[tuple[Curve, Curve]],
    distance: Callable[..., float],
    method: Method,
    tails: tuple[float, float],
) -> Band:
    distances = []
    for anchor, test in curves:
        try:
            distances.append(distance(anchor, test, method=method))
        except CurveError:
            continue
    undefined = 1 - len(distances) / len(curves)
    if undefined > MOST_UNDEFINED:
        return Band(low=np.nan, high=np.nan, undefined=undefined)
    low, high = np.quantile(distances, tails)
    return Band(low=float(low), high=float(high), undefined=undefined)


def _checked(curve: Curve, name: str, method: Method) -> tuple[Floats, Floats]:
    fewest, points = FEWEST_POINTS[method], len(curve.rates)
    if points < fewest:
        raise CurveError(f"{method} needs {fewest} points of {name}, got {points}")
    if not (np.isfinite(curve.qualities).all() and (curve.rates > 0).all()):
        raise CurveError(f"a point of {name} has no rate above 0 or no quality")
    rates, qualities = curve.sorted()
    if (np.diff(rates) <= 0).any():
        raise CurveError(f"two points of {name} have the same rate; leave one out")
    return rates, qualities


def _average_gap(
    anchor: tuple[Floats, Floats], test: tuple[Floats, Floats], axis: str, method: Method
) -> float:
    """Test minus anchor, averaged over the range of x that both have."""
    low = max(float(anchor[0][0]), float(test[0][0]))
    high = min(float(anchor[0][-1]), float(test[0][-1]))
    if not low < high:
        raise CurveError(f"the two curves share no range of {axis}")
    areas = [_integral(x, y, low, high, method) for x, y in (anchor, test)]
    return (areas[1] - areas[0]) / (high - low)


def _integral(x: Floats, y: Floats, low: float, high: float, method: Method) -> float:
    if method == "cubic":
        # Fitted on a scaled axis, which keeps its digits where qualities lie close together.
        whole = np.polynomial.Polynomial.fit(x, y, 3).integ()
        return float(whole(high) - whole(low))
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

    curve = PchipInterpolator(x, y) if method == "pchip" else Akima1DInterpolator(x, y)
    return float(curve.integrate(low, high))
