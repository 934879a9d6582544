"""What tables, figures and `compare` print of the scores of codecs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from calibration.made_sets import (
    COVERAGE_OF_NORMAL,
    COVERAGE_OF_SKEWED,
    EXTREME,
    LEVEL,
    MOST_FALSE,
    SHAPES,
    SPEAKERS,
    Draw,
    Floats,
    Section,
    Sets,
    coverage,
    generator_of,
    holds,
    percent,
)
from synbench.statistics.bootstrap import bootstrap_means
from synbench.statistics.means import Estimates, estimate_differences, estimate_means
from synbench.statistics.multiplicity import SIGNIFICANCE, correct_each
from synbench.statistics.permutation import sign_flip_each, swap_rates
from synbench.statistics.power import TARGET_POWER, units_needed
from synbench.statistics.ratios import shares_of_differences
from synbench.statistics.signed_ranks import rank_directions, wilcoxon_each
from synbench_reports.papers.published import verdict_of
from synbench_reports.papers.specification import PublishedColumn
from synbench_reports.tables.table import Cell

# Numbers held at once by families of many pairs.
NUMBERS_AT_ONCE = 1_000_000
FAMILY_SHAPES = ("normal", "hard ceiling", "floor")
FAMILY_SPEAKERS = (5, 8, 20, 40)
COUNTS = [f"{count} speakers" for count in SPEAKERS]

__all__ = [
    "equality",
    "family_of_pairs",
    "marks",
    "means",
    "rates",
    "sample_sizes",
    "shares",
    "signs",
    "skewed_pairs",
    "tails",
    "verdicts",
]


def promised(shape: str) -> tuple[float, float]:
    """The coverage that is promised for a shape."""
    return COVERAGE_OF_NORMAL if shape == "normal" else COVERAGE_OF_SKEWED


def means(sets: Sets) -> Section:
    """Intervals and tests of one mean, or of one difference with that shape."""
    rows = []
    for shape, draw in (SHAPES | EXTREME).items():
        for speakers in SPEAKERS:
            generator = generator_of("means", shape, speakers)
            values = draw(generator, (speakers, sets.cheap))
            some, few = values[:, : sets.usual], values[:, : sets.dear]
            estimates, drawn = estimate_means(values), bootstrap_means(few)
            plain = estimates.without_skewness()
            level = [percent(float(np.mean(one.p() < SIGNIFICANCE)), LEVEL) for one in (estimates,)]
            level += [
                percent(float(np.mean(p < SIGNIFICANCE)))
                for p in (plain.p(), sign_flip_each(some), wilcoxon_each(some))
            ]
            covers = [coverage(holds(estimates.low, estimates.high), promised(shape))]
            covers += [coverage(holds(one.low, one.high)) for one in (plain, drawn)]
            rows.append([f"{shape}, {speakers}", *covers, *level])
    names = ("corrected t", "plain t", "BCa bootstrap")
    tests = ("corrected t", "plain t", "sign flip", "Wilcoxon")
    return Section(
        title="A mean, or a difference of two codecs: intervals and tests",
        text=(
            "95 % intervals should hold the true mean with .950, tests of a true mean should "
            "reject it in 5.0 %. `corrected t` is what tables, figures, `compare`, `diff` and "
            "`robustness` print; the others go by their names. A cell is a codec's mean, or "
            "the mean of its differences to another one where those have such a shape."
        ),
        head=[
            "shape, speakers",
            *(f"{name} covers" for name in names),
            *(f"{name}, level %" for name in tests),
        ],
        rows=rows,
    )


def skewed_pairs(sets: Sets) -> Section:
    """Differences of two codecs with scores of the same shape."""
    rows = []
    for shape, draw in (SHAPES | EXTREME).items():
        levels = []
        for speakers in SPEAKERS:
            values = draw(generator_of("pairs", shape, speakers), (speakers, 2 * sets.cheap))
            pairs = [(number, sets.cheap + number) for number in range(sets.cheap)]
            p = estimate_differences(values, pairs).p()
            levels.append(percent(float(np.mean(p < SIGNIFICANCE)), LEVEL))
        rows.append([shape, *levels])
    return Section(
        title="Differences of two codecs whose scores have the same shape",
        text=(
            "The level in % of the corrected t (5.0 asked). Such differences are symmetric, so "
            "that the skewness which the test takes out is chance: that costs up to 1.5 points."
        ),
        head=["shape", *COUNTS],
        rows=rows,
    )


def tails(sets: Sets) -> Section:
    """Whether a sample shows that its scores have too long a tail."""
    rows = []
    for shape, draw in (SHAPES | EXTREME).items():
        row = [shape]
        for speakers in (8, 20):
            values = draw(generator_of("tails", shape, speakers), (speakers, sets.cheap))
            estimates = estimate_means(values)
            wrong, shown = estimates.p() < SIGNIFICANCE, estimates.long_tailed
            parts = [float(np.mean(wrong[which])) for which in (shown, ~shown) if which.any()]
            parts = [float("nan")] * (2 - len(parts)) + parts
            row += [percent(share) for share in (float(np.mean(shown)), *parts)]
        rows.append(row)
    return Section(
        title="Does a sample show its tail?",
        text=(
            "How often tables and `compare` remark that few speakers carry a mean (a sample "
            "skewness above 2.5, fewer than 40 speakers), and how often the corrected t is wrong "
            "where they do and where they do not. Where a tail shows, the test is careful; it "
            "fails where the few bad speakers were not met, and then nothing shows. So no "
            "interval is withheld for its sample's skewness: it would be the wrong ones. The "
            "remark says what kind of scores these are, also for the other codecs of a column."
        ),
        head=[
            "shape",
            *(
                f"{speakers} speakers, {name} %"
                for speakers in (8, 20)
                for name in ("remarked", "wrong where remarked", "wrong elsewhere")
            ),
        ],
        rows=rows,
    )


def rates(sets: Sets) -> Section:
    """Error rates of the corpus, and speakers of unequal size."""
    lines: dict[str, list[str]] = {
        "mean, 2 to 12 items a speaker: covers": [],
        "error rate of 10 %, 40 to 160 words a speaker: covers": [],
        "two such rates, corrected t: level %": [],
        "two such rates, permutation: level %": [],
    }
    mean_row, rate_row, t_row, swap_row = lines.values()
    for speakers in SPEAKERS:
        generator = generator_of("rates", speakers)
        sizes = generator.integers(2, 13, speakers)
        clusters = np.repeat(np.arange(speakers), sizes)
        values = generator.normal(size=(speakers, sets.cheap))[clusters]
        values = values + generator.normal(size=values.shape)
        estimates = estimate_means(values, clusters=clusters)
        mean_row.append(coverage(holds(estimates.low, estimates.high), COVERAGE_OF_NORMAL))
        words = generator.integers(40, 160, (speakers, sets.cheap))
        chance = generator.beta(2, 18, (speakers, sets.cheap))
        errors = generator.binomial(words, chance).astype(np.float64)
        counts = words.astype(np.float64)
        estimates = estimate_means(errors / counts, sizes=counts)
        rate_row.append(coverage(holds(estimates.low, estimates.high, 0.1), COVERAGE_OF_SKEWED))
        other = generator.binomial(words, chance).astype(np.float64)
        both = np.stack([errors, other], axis=1)[:, :, : sets.usual]
        units = np.broadcast_to(counts[:, None, : sets.usual], both.shape).copy()
        swap_p = np.array(swap_rates(both, units))
        swap_row.append(percent(float(np.mean(swap_p < SIGNIFICANCE))))
        pairs = [(number, sets.cheap + number) for number in range(sets.cheap)]
        t_p = estimate_differences(
            np.hstack([errors, other]) / np.tile(counts, 2), pairs, sizes=np.tile(counts, 2)
        ).p()
        t_row.append(percent(float(np.mean(t_p < SIGNIFICANCE)), LEVEL))
    return Section(
        title="Speakers of unequal size, and error rates of the corpus",
        text=(
            "A mean of items counts speakers by their items; an error rate is all errors over "
            "all words. The permutation is that of `compare --test sign_flip` (or wilcoxon, "
            "or t): with 5 speakers it cannot reach 5 %."
        ),
        head=["", *COUNTS],
        rows=[[name, *row] for name, row in lines.items()],
    )


def family_of_pairs(values: Floats) -> tuple[Floats, list[tuple[int, int]]]:
    """p of all pairs of every set, ``(pair, set)``, uncorrected; ``values`` (speaker, set, codec).

    All by :func:`estimate_differences`, as `compare` has them.
    """
    return _of_pairs(values, Estimates.p)


def _of_pairs(
    values: Floats, p_of: Callable[[Estimates], Floats]
) -> tuple[Floats, list[tuple[int, int]]]:
    speakers, count, codecs = values.shape
    pairs = list(combinations(range(codecs), 2))
    at_once = max(1, NUMBERS_AT_ONCE // (speakers * len(pairs)))
    blocks = []
    for start in range(0, count, at_once):
        part = values[:, start : start + at_once]
        sets = range(part.shape[1])
        every = [(n * codecs + a, n * codecs + b) for a, b in pairs for n in sets]
        estimates = estimate_differences(part.reshape(speakers, -1), every)
        blocks.append(p_of(estimates).reshape(len(pairs), -1))
    return np.concatenate(blocks, axis=1), pairs


def _with_best_alone(p: Floats, pairs: list[tuple[int, int]], best: Floats) -> float:
    """How often Holm over the pairs with the best alone says that some codec differs from it."""
    with_best = np.array([[a, b] for a, b in pairs])
    chosen = (with_best[:, :1] == best) | (with_best[:, 1:] == best)
    own = p.T[chosen.T].reshape(p.shape[1], -1).T
    return float(np.mean(correct_each(own).min(axis=0) < SIGNIFICANCE))


def family(draw: Draw, codecs: int, speakers: int, sets: Sets, name: str) -> tuple[float, ...]:
    """Shares of tables with a false difference, with one by the best alone, and with power."""
    generator = generator_of("family", name, codecs, speakers)
    values = draw(generator, (speakers, sets.usual, codecs))
    p, pairs = family_of_pairs(values)
    false = float(np.mean(correct_each(p).min(axis=0) < SIGNIFICANCE))
    alone = _with_best_alone(p, pairs, values.mean(axis=0).argmax(axis=1))
    values = values[:, : sets.dearest].copy()
    values[:, :, 0] -= 2
    p, pairs = family_of_pairs(values)
    own = correct_each(p)[[0 in pair for pair in pairs]]
    return false, alone, float(np.mean((own < SIGNIFICANCE).all(axis=0)))


def marks(sets: Sets) -> Section:
    """Families: any false difference among all pairs, and what is found."""
    rows = []
    for shape in FAMILY_SHAPES:
        for codecs in (2, 5, 10, 20):
            row = [f"{shape}, {codecs} codecs"]
            for speakers in FAMILY_SPEAKERS:
                false, alone, detected = family(SHAPES[shape], codecs, speakers, sets, shape)
                row += [
                    percent(false, (0, MOST_FALSE)),
                    percent(alone),
                    percent(detected, digits=0),
                ]
            rows.append(row)
    kinds = ("false %", "old rule %", "found %")
    return Section(
        title="Marks of a table and letters of `compare`: all pairs of codecs, by Holm",
        text=(
            "False: all codecs are equal, and some pair is said to differ (at most 5.0 % of "
            "tables asked): some codec lacks its `~`, or two do not share a letter. Old rule: "
            "the same if Holm counted the pairs with the best codec alone, as many tools do, "
            "which forgets that the best was chosen from the data. Found: one codec is worse "
            "by 2 standard deviations of a speaker, and is told from all others."
        ),
        head=[
            "shape, codecs",
            *(f"{count} speakers, {kind}" for count in FAMILY_SPEAKERS for kind in kinds),
        ],
        rows=rows,
    )


def equality(sets: Sets) -> Section:
    """False equality: differences as large as the margin; and equality found where there is."""
    rows = []
    for shape in FAMILY_SHAPES:
        for codecs in (2, 5, 10):
            row = [f"{shape}, {codecs} codecs"]
            for speakers in FAMILY_SPEAKERS:
                generator = generator_of("equality", shape, codecs, speakers)
                count = sets.cheap if codecs == 2 else sets.usual
                values = SHAPES[shape](generator, (speakers, count, codecs))
                false = _equal(values + np.arange(codecs), margin=1.0).any(axis=0)
                equal = _equal(values, margin=2.0).all(axis=0)
                row.append(percent(float(np.mean(false)), (0, MOST_FALSE)))
                row.append(percent(float(np.mean(equal)), digits=0))
            rows.append(row)
    kinds = ("false %", "found %")
    return Section(
        title="Equality within a margin: all pairs of codecs, by Holm",
        text=(
            "False: neighbours differ by just the margin, the others by more, and some pair "
            "is called equal (at most 5.0 % of families asked). Found: all are equal, the "
            "margin is 2 standard deviations of a speaker, and all pairs are called equal."
        ),
        head=[
            "shape, codecs",
            *(f"{count} speakers, {kind}" for count in FAMILY_SPEAKERS for kind in kinds),
        ],
        rows=rows,
    )


def _equal(values: Floats, *, margin: float) -> Floats:
    """Which pairs are called equal, ``(pair, set)``, of values ``(speaker, set, codec)``."""
    p = _of_pairs(values, lambda estimates: estimates.beyond_p(margin))[0]
    return np.asarray(correct_each(p) < SIGNIFICANCE)


def signs(sets: Sets) -> Section:
    """A codec that is better for most speakers and worse on average."""
    rows = []
    for speakers in (8, 20, 40):
        generator = generator_of("signs", speakers)
        drawn = np.where(generator.random((speakers, sets.usual)) < 0.1, -1.14, 0.06)
        drawn += generator.normal(0, 0.05, drawn.shape)
        estimates = estimate_means(drawn)
        differs = estimates.p() < SIGNIFICANCE
        against = differs & (estimates.mean * np.where(estimates.low > 0, 1, -1) < 0)
        ranks = wilcoxon_each(drawn) < SIGNIFICANCE
        turned = ranks & (rank_directions(drawn) * estimates.mean < 0)
        shares = (differs, against, ranks, turned)
        rows.append([f"{speakers}", *(percent(float(np.mean(share))) for share in shares)])
    return Section(
        title="Signs: +0.06 for nine speakers of ten, -1.14 for the tenth",
        text=(
            "A codec that is better for most and worse on average by 0.06; with 8 speakers "
            "four sets of ten meet none of the few for whom it is worse. Ranks see the most, "
            "the printed mean does not. The default test never contradicts the sign of the "
            "printed difference; where ranks do, `compare` says so beside the verdict."
        ),
        head=[
            "speakers",
            "corrected t differs %",
            "against the printed sign %",
            "Wilcoxon differs %",
            "against the printed sign, said %",
        ],
        rows=rows,
    )


def sample_sizes(sets: Sets) -> Section:
    """Whether so many speakers as `synbench power` names do show the difference."""
    rows = []
    for effect in (0.5, 1.0, 2.0):
        for pairs in (1, 28):
            alpha = SIGNIFICANCE / pairs
            needed = max(5, units_needed(effect, 1.0, alpha=alpha, corrected=True))
            row = [f"{effect:g} SD, {pairs} pair{'s' if pairs > 1 else ''}", str(needed)]
            for shape in FAMILY_SHAPES:
                draw = SHAPES[shape]
                generator = generator_of("sizes", effect, pairs, shape)
                both = draw(generator, (needed, sets.usual)), draw(generator, (needed, sets.usual))
                gaps = (both[0] - both[1]) / 2**0.5 + effect
                row.append(percent(float(np.mean(estimate_means(gaps).p() < alpha)), digits=0))
            rows.append(row)
    return Section(
        title=f"How many speakers it takes: `synbench power`, notes of tables ({TARGET_POWER:.0%})",
        text=(
            "Of so many speakers, how often the difference is told from zero at the level of "
            "the family (80 % asked; of the fewest that reach it more, where they are few). They "
            "are counted for normal differences, by simulation of the corrected t: Student's t "
            "alone would name one or two speakers fewer, of which it reaches 73 to 80 %. With "
            "ceilings and long tails a tenth more reaches 80 to 88 %. SD is that of the "
            "differences of single speakers, here of two codecs with such scores."
        ),
        head=["difference, family", "speakers", *(f"{shape} %" for shape in FAMILY_SHAPES)],
        rows=rows,
    )


def verdicts(sets: Sets) -> Section:
    """`reproduce` and `verify`: whole interval against tolerance."""
    column = PublishedColumn(metric="", label="", tolerance=1.0)
    rows = []
    for distance in (0.0, 0.5, 1.0, 1.5, 3.0):
        row = [f"{distance:g}"]
        for items in (5, 10, 40):
            generator = generator_of("verdicts", distance, items)
            estimates = estimate_means(generator.normal(distance, 1, (items, sets.usual)))
            said = [
                verdict_of(column, 0.0, _cell(*ends, items=items), own=True)
                for ends in zip(estimates.mean, estimates.low, estimates.high, strict=True)
            ]
            row += [
                percent(said.count(name) / len(said), digits=0 if name == "cannot tell" else 1)
                for name in ("agrees", "differs", "cannot tell")
            ]
        rows.append(row)
    names = ("agrees", "differs", "cannot tell")
    return Section(
        title="Verdicts of `reproduce` and `verify`",
        text=(
            "A published value, a tolerance of 1 standard deviation of an item, and a truth "
            "that is so far from the published value. At 1.0 both verdicts are wrong as often "
            "as right, and each may be given in 2.5 %; below, `differs` is an error, above, "
            "`agrees` is."
        ),
        head=[
            "truth, in tolerances",
            *(f"{count} items, {name} %" for count in (5, 10, 40) for name in names),
        ],
        rows=rows,
    )


def _cell(mean: float, low: float, high: float, *, items: int) -> Cell:
    return Cell(mean=mean, low=low, high=high, planned=items, scored=items)


def shares(sets: Sets) -> Section:
    """A gain as a share of another, of `compare --fixed`."""
    covers, told = ["covers"], ["has an interval, %"]
    for speakers in SPEAKERS:
        generator = generator_of("shares", speakers)
        values = generator.normal(0, 0.5, (speakers, sets.usual, 4))
        values += generator.normal(size=(speakers, sets.usual, 1))
        values += np.array([0.5, 0.0, 1.0, 0.0])
        value, low, high = shares_of_differences(values.reshape(speakers, -1))
        known = np.isfinite(value)
        covers.append(coverage(holds(low[known], high[known], 0.5), COVERAGE_OF_NORMAL))
        told.append(percent(float(np.mean(known)), digits=0))
    return Section(
        title="A gain as a share of another one (`compare --fixed`)",
        text=(
            "Four codecs, a gain of half of another one. Shares whose whole is not told from "
            "zero are withheld."
        ),
        head=["Fieller's interval", *COUNTS],
        rows=[covers, told],
    )
