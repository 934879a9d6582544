"""Rate-quality curves of a run and their average distances, see :mod:`synbench.statistics.bd_rate`.

A curve is the operating points of one codec: those whose specification has the same name before the
colon, or recordings whose labels differ only in a rate at their end. Points are compared on the
items that all points of both curves have, so both curves are of the same speech. A rate is the
counted payload over the duration of these items, or the declared one where nothing is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synbench.errors import UsageError
from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedCodec, PlannedRun
from synbench.statistics.bd_rate import (
    Band,
    Curve,
    CurveError,
    Method,
    bd_bands,
    bd_quality,
    bd_rate,
    falling_steps,
    shared_quality,
)
from synbench.statistics.clusters import weighted_means

RATE = re.compile(r"\s+[\d.]+\s*(k|kbps|kbit/s)?$")
UNITS = ("k", "kbps", "kbit/s")
NO_BAND = Band(low=np.nan, high=np.nan, undefined=0.0)

__all__ = ["CurvePair", "curve_labels", "curve_name", "curve_pairs", "curves_of"]


@dataclass(frozen=True, kw_only=True)
class CurvePair:
    """The curve ``test`` against ``anchor`` on one metric.

    Attributes:
        rate: percent more bits at equal quality; NaN where refused.
        quality: test minus anchor at equal rate, in the metric's unit and sense; NaN where refused.
        rate_band, quality_band: over speakers where they are known, else over items.
        low, high: ends of the range of the metric that both curves reach.
        shared: share of that range in the range of both, 0 to 1.
        points: of the anchor and of the test.
        items: that all points have.
        clusters: speakers (or items) among them.
        reasons: what was refused and why, and what a reader must know.
    """

    metric: str
    anchor: str
    test: str
    rate: float
    rate_band: Band
    quality: float
    quality_band: Band
    low: float
    high: float
    shared: float
    points: tuple[int, int]
    items: int
    clusters: int
    reasons: tuple[str, ...]


def curve_name(codec: PlannedCodec) -> str:
    """What points at several rates belong to: a codec, or recordings' label without a rate."""
    if codec.kind == "recordings":
        return RATE.sub("", codec.label)
    return codec.spec.partition(":")[0]


def curve_labels(codecs: Iterable[PlannedCodec]) -> dict[str, str]:
    """What to call each curve: the words with which the labels of its points begin, if any.

    Where two curves would be called alike, the words with which their labels end are added, and the
    name of the curve where that does not tell them apart either.
    """
    points: dict[str, list[list[str]]] = {}
    for codec in codecs:
        points.setdefault(curve_name(codec), []).append(codec.label.split())
    labels = {name: " ".join(_beginning(own)) or name for name, own in points.items()}
    for name in _alike(labels):
        ending = _beginning([words[::-1] for words in points[name]])[::-1]
        more = " ".join(word for word in ending if word not in UNITS)
        labels[name] += f" {more}" if more and not labels[name].endswith(more) else ""
    still = [name for name in _alike(labels) if name != labels[name]]
    return labels | {name: f"{labels[name]} ({name})" for name in still}


def _beginning(labels: Sequence[Sequence[str]]) -> list[str]:
    """The words that all labels begin with."""
    shared = []
    for words in zip(*labels, strict=False):
        if len(set(words)) > 1:
            break
        shared.append(words[0])
    return shared


def _alike(labels: Mapping[str, str]) -> list[str]:
    counts = Counter(labels.values())
    return [name for name, label in labels.items() if counts[label] > 1]


def curves_of(planned: PlannedRun) -> dict[str, tuple[int, ...]]:
    """Places on the codec axis by the name of their curve; anchors of the scale have none."""
    curves: dict[str, tuple[int, ...]] = {}
    for codec_index, codec in enumerate(planned.codecs):
        if not codec.is_anchor:
            name = curve_name(codec)
            curves[name] = (*curves.get(name, ()), codec_index)
    return curves


def curve_pairs(
    planned: PlannedRun, cells: Cells, metric: int, *, against: str, method: Method = "pchip"
) -> list[CurvePair]:
    """Every other curve of a run against one.

    Args:
        metric: index on the metric axis.
        against: the name of a curve, or labels of codecs with commas between them, which make one.

    Raises:
        UsageError: no such curve or codec.
    """
    curves = curves_of(planned)
    name, anchor = _anchor(planned, curves, against)
    tests = {
        other: tuple(codec_index for codec_index in codec_indices if codec_index not in anchor)
        for other, codec_indices in curves.items()
        if other != name
    }
    return [
        _pair(planned, cells, metric, (name, anchor), (other, codec_indices), method)
        for other, codec_indices in tests.items()
        if codec_indices
    ]


def _anchor(
    planned: PlannedRun, curves: dict[str, tuple[int, ...]], against: str
) -> tuple[str, tuple[int, ...]]:
    if against in curves:
        return against, curves[against]
    labels = {codec.label: codec_index for codec_index, codec in enumerate(planned.codecs)}
    if against in labels:
        return against, (labels[against],)
    names = list(dict.fromkeys(filter(None, (name.strip() for name in against.split(",")))))
    if unknown := [name for name in names if name not in labels]:
        raise UsageError(
            f"the run has no curve and no codec {unknown[0]!r}; its curves are: "
            f"{', '.join(curves)}; its codecs: {', '.join(labels)}"
        )
    return against, tuple(labels[name] for name in names)


def _pair(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    anchor: tuple[str, tuple[int, ...]],
    test: tuple[str, tuple[int, ...]],
    method: Method,
) -> CurvePair:
    kind, codec_indices = planned.metrics[metric], [*anchor[1], *test[1]]
    sign = -1.0 if kind.direction == "down" else 1.0
    counted = len(anchor[1])
    values = sign * cells.values[:, codec_indices, metric]
    rates = _rates(planned, cells, codec_indices)
    common = np.isfinite(rates).all(axis=1)
    if not kind.is_distance:
        common &= np.isfinite(values).all(axis=1)
    values, rates, seconds = values[common], rates[common], cells.seconds[common]
    sizes = cells.sizes[:, codec_indices, metric][common]
    means = (
        sign * cells.pooled[codec_indices, metric]
        if kind.is_distance
        else weighted_means(values, sizes)
    )
    weights = np.broadcast_to(seconds[:, None], rates.shape)
    point_rates = weighted_means(rates, weights)
    first = Curve(point_rates[:counted], means[:counted])
    second = Curve(point_rates[counted:], means[counted:])
    speakers = None if cells.speakers is None else cells.speakers[common]

    reasons = []
    distances = []
    for name, distance in (("BD-rate", bd_rate), ("BD-quality", bd_quality)):
        try:
            distances.append(distance(first, second, method=method))
        except CurveError as error:
            distances.append(np.nan)
            reasons.append(f"no {name}: {error}")
    rate_band = quality_band = NO_BAND
    if np.isfinite(distances).any() and not kind.is_distance:
        rate_band, quality_band = bd_bands(
            values=values,
            sizes=sizes,
            rates=rates,
            seconds=seconds,
            anchors=counted,
            clusters=speakers,
            method=method,
        )
    low, high, shared = shared_quality(first, second)
    for name, curve in ((anchor[0], first), (test[0], second)):
        if (steps := falling_steps(curve)) and np.isfinite(distances[1]):
            reasons.append(f"{name}: no better at {steps} of its steps to a higher rate")
    bands = (("BD-rate", distances[0], rate_band), ("BD-quality", distances[1], quality_band))
    reasons += [
        f"no band of {name}: {band.undefined:.0%} of the draws have none"
        if np.isnan(band.low)
        else f"{band.undefined:.1%} of the draws have no {name}"
        for name, distance, band in bands
        if np.isfinite(distance) and band.undefined
    ]
    return CurvePair(
        metric=kind.column,
        anchor=anchor[0],
        test=test[0],
        rate=distances[0],
        rate_band=rate_band if np.isfinite(distances[0]) else NO_BAND,
        quality=sign * distances[1],
        quality_band=_turned(quality_band, sign) if np.isfinite(distances[1]) else NO_BAND,
        low=low if sign > 0 else -high,
        high=high if sign > 0 else -low,
        shared=shared,
        points=(counted, len(test[1])),
        items=int(common.sum()),
        clusters=int(common.sum()) if speakers is None else len(np.unique(speakers)),
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _rates(planned: PlannedRun, cells: Cells, codec_indices: Sequence[int]) -> Floats:
    """Bits per second of each item, shape ``(item, codec)``; NaN where neither is known."""
    columns = []
    for codec_index in codec_indices:
        codec = planned.codecs[codec_index]
        if codec.bits_counted:
            columns.append(cells.measures["payload_bits"][:, codec_index] / cells.seconds)
        else:
            declared = np.nan if codec.nominal_bps is None else codec.nominal_bps
            columns.append(np.full(len(cells.seconds), declared))
    return np.stack(columns, axis=1)


def _turned(band: Band, sign: float) -> Band:
    low, high = sorted((sign * band.low, sign * band.high)) if sign < 0 else (band.low, band.high)
    return Band(low=low, high=high, undefined=band.undefined)
