"""What `agree` prints of metrics beside listeners, and `compare --bd-rate` of curves."""

from __future__ import annotations

import numpy as np

from calibration.made_sets import (
    COVERAGE_OF_NORMAL,
    MOST_FALSE,
    Section,
    Sets,
    coverage,
    generator_of,
    percent,
)
from synbench.statistics.agreement import agreement, difference_p
from synbench.statistics.bd_rate import Curve, bd_bands, bd_quality, bd_rate
from synbench.statistics.multiplicity import SIGNIFICANCE

ITEMS, CODECS = 10, 8
# Rates in bit/s of two curves, and their true qualities.
RATES = np.array([500.0, 1000, 2000, 4000, 550, 1100, 2200, 4400])
QUALITIES = np.array([2.0, 2.7, 3.3, 3.7, 2.2, 2.95, 3.5, 3.85])

# A band takes about a second.
CURVE_SPEAKERS, SETS_PER_CURVE = (8, 20), 5

__all__ = ["agreements", "curves"]


def agreements(sets: Sets) -> Section:
    """Bands of coefficients, and the test between two metrics."""
    quality = np.linspace(20, 80, CODECS)
    bias = 8 * np.array([1, -1, -1, 1, 1, -1, -1, 1.0])  # as far from quality as -bias is
    truth = float(np.corrcoef(quality, quality + bias)[0, 1])
    rows = []
    for listeners in (8, 20):
        generator = generator_of("agreement", listeners)
        held = different = 0
        for seed in range(sets.dearest):
            item = generator.normal(0, 5, ITEMS)[:, None]
            own = quality + item + generator.normal(0, 5, (ITEMS, CODECS))
            ratings = own + generator.normal(0, 8, (listeners, 1, 1))
            ratings = ratings + generator.normal(0, 12, (listeners, ITEMS, CODECS))
            metrics = [
                quality + sign * bias + item / 2 + generator.normal(0, 6, (ITEMS, CODECS))
                for sign in (1, -1)
            ]
            one, other = (
                agreement(ratings, metric, level="condition", seed=seed) for metric in metrics
            )
            low, high = one.bands["pearson"]
            held += low <= truth <= high
            different += difference_p(one, other, "pearson") < SIGNIFICANCE
        pearson = coverage(held / sets.dearest, (COVERAGE_OF_NORMAL[0], 1.0))
        rows.append(
            [
                f"{listeners} listeners",
                pearson,
                percent(different / sets.dearest, (0, MOST_FALSE)),
            ]
        )
    return Section(
        title="Metrics beside listeners (`agree`)",
        text=(
            f"{ITEMS} items, {CODECS} given codecs: how often the band of Pearson's coefficient "
            "over codecs holds that of infinitely many listeners and items (.950), and how often "
            "one metric is said to follow listeners better than another that follows them as "
            "well (5.0 %). Spearman and Kendall are printed without a band: here bands of 95 % "
            "held in 70 to 79 %, percentiles in 80 to 85 %."
        ),
        head=["listeners", "Pearson covers", "metrics differ %"],
        rows=rows,
    )


def curves(sets: Sets) -> Section:
    """Bands of the distance of two rate-quality curves."""
    first, second = (Curve(RATES[part], QUALITIES[part]) for part in (slice(4), slice(4, 8)))
    truths = bd_rate(first, second), bd_quality(first, second)
    rows = [["BD-rate"], ["BD-quality"]]
    count = max(4, sets.dearest // SETS_PER_CURVE)
    for speakers in CURVE_SPEAKERS:
        generator = generator_of("curves", speakers)
        held = [0, 0]
        for seed in range(count):
            values = QUALITIES + generator.normal(0, 0.2, (speakers, 1))
            values = values + generator.normal(0, 0.15, (speakers, 8))
            bands = bd_bands(
                values=values,
                sizes=np.ones_like(values),
                rates=np.broadcast_to(RATES, values.shape)
                * generator.normal(1, 0.03, (speakers, 1)),
                seconds=np.ones(speakers),
                anchors=4,
                seed=seed,
            )
            for number, (band, truth) in enumerate(zip(bands, truths, strict=True)):
                held[number] += band.low <= truth <= band.high
        for number in range(2):
            rows[number].append(coverage(held[number] / count))
    return Section(
        title="Average distance of two curves (`compare --bd-rate`)",
        text=(
            "95 % bands over speakers of four points a curve, interpolated by pchip; "
            f"{count} sets, which tell .95 from .88. Percentiles are expanded for few speakers: "
            "plain ones held .900 and .920 of 8, .910 and .900 of 20, where these now are a "
            "little too wide with 8."
        ),
        head=["covers", *(f"{number} speakers" for number in CURVE_SPEAKERS)],
        rows=rows,
    )
