"""What `listen analyse` prints: intervals and tests over listeners."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from calibration.made_sets import (
    COVERAGE_OF_NORMAL,
    COVERAGE_OF_SKEWED,
    LEVEL,
    MOST_FALSE,
    Floats,
    Section,
    Sets,
    coverage,
    generator_of,
    holds,
    percent,
)
from synbench.statistics.bootstrap import bootstrap_means
from synbench.statistics.equivalence import equivalence_each
from synbench.statistics.multiplicity import SIGNIFICANCE, correct_each
from synbench.statistics.paired_tests import paired_t_each
from synbench.statistics.permutation import sign_flip_each
from synbench.statistics.signed_ranks import wilcoxon_each
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics import intervals
from synbench_listening.statistics.bradley_terry import fit_strengths, strengths_with_errors
from synbench_listening.statistics.identification import (
    binomial_p,
    clopper_pearson,
    proportion,
    two_rates_chi2,
)
from synbench_listening.statistics.mixed_model import Structure, fit_mixed_model
from synbench_listening.statistics.paired import median_permutation
from synbench_listening.statistics.preference import (
    Counts,
    judgement_t,
    sign_test,
    sign_test_ties_split,
)
from synbench_listening.statistics.repeated_measures import friedman, repeated_measures

LISTENERS = (5, 8, 12, 20, 40)
TRIALS = 10
COUNTS = [f"{count} listeners" for count in LISTENERS]
ITEMS, CONDITIONS = 6, 4
PAIRS = list(combinations(range(CONDITIONS), 2))
# Ratings of a condition about the middle of the scale, and near its end; the true means.
MIDDLE, CEILING = 60.0, 95.0

__all__ = ["choices", "medians", "mixed_models", "pairs", "rated_means", "strengths"]


def ratings_of(
    generator: np.random.Generator,
    listeners: int,
    count: int,
    *,
    by_listener: float = 6.0,
    by_item: float = 0.0,
    middle: float = MIDDLE,
) -> Floats:
    """Ratings (listener, item, condition, set), all conditions equal on average, 0 to 100.

    Six given items lie up to 7 apart. Standard deviations: of listeners 12, listener and item 6,
    error 15; the others as given. What would lie beyond the scale is at its end.
    """
    draw = generator.normal
    items = np.linspace(-3.5, 3.5, ITEMS)[:, None, None]
    scores = middle + items + draw(0, 12, (listeners, 1, 1, count))
    scores = scores + draw(0, 6, (listeners, ITEMS, 1, count))
    scores = scores + by_listener * draw(size=(listeners, 1, CONDITIONS, count))
    scores = scores + by_item * draw(size=(1, ITEMS, CONDITIONS, count))
    return np.clip(scores + draw(0, 15, (listeners, ITEMS, CONDITIONS, count)), 0, 100)


def rated_means(sets: Sets) -> Section:
    """Intervals of a condition's mean."""
    rows = []
    for middle, name in ((MIDDLE, "middle"), (CEILING, "ceiling")):
        truth = float(ratings_of(generator_of("truth", name), 4000, 20, middle=middle).mean())
        promised = COVERAGE_OF_NORMAL if middle == MIDDLE else COVERAGE_OF_SKEWED
        for listeners in LISTENERS:
            generator = generator_of("rated", name, listeners)
            scores = ratings_of(generator, listeners, sets.usual, middle=middle)[:, :, 0]
            people = scores.mean(axis=1)
            drawn = bootstrap_means(
                people[:, : sets.dear], replicates=intervals.REPLICATES, seed=intervals.SEED
            )
            pooled = scores.reshape(-1, sets.usual)
            shares = (
                coverage(_covers(people, truth), promised),
                coverage(holds(drawn.low, drawn.high, truth)),
                coverage(_covers(pooled, truth)),
            )
            rows.append([f"{name}, {listeners}", *shares])
    return Section(
        title="Listening tests: the mean of a condition over listeners",
        text=(
            "95 % intervals of the mean over six given items, with ratings about the middle "
            "of the scale and near its end. `pooled` takes every rating for another "
            "listener's: it is there by its name only, and this is why."
        ),
        head=["ratings, listeners", "t over listeners (default)", "BCa bootstrap", "pooled"],
        rows=rows,
    )


def _covers(values: Floats, truth: float) -> float:
    """Of the t interval, set by set, shape ``(value, set)``."""
    ends = [intervals.mean_interval(one) for one in values.T]
    return float(np.mean([one.low <= truth <= one.high for one in ends]))


def pairs(sets: Sets) -> Section:
    """Tests of pairs of conditions, and of all at once."""
    rows = []
    for middle, name in ((MIDDLE, "middle"), (CEILING, "ceiling")):
        for listeners in LISTENERS:
            generator = generator_of("listened pairs", name, listeners)
            # Shape (listener, condition, set); six pairs of four conditions.
            values = ratings_of(generator, listeners, sets.usual, middle=middle).mean(axis=1)
            gaps = np.stack([values[:, a] - values[:, b] for a, b in PAIRS], axis=1)
            flat = gaps.reshape(listeners, -1)
            families = [
                _false(test(flat).reshape(len(PAIRS), -1))
                for test in (lambda one: paired_t_each(one)[1], wilcoxon_each, sign_flip_each)
            ]
            margin = float(gaps.std() * 0.8)
            equal = equivalence_each(gaps[:, 0] + margin, margin=margin) < SIGNIFICANCE
            overall = [
                (repeated_measures(one), friedman(one).p) for one in np.moveaxis(values, 2, 0)
            ]
            shares = [
                *(percent(share, (0, MOST_FALSE)) for share in families),
                percent(float(np.mean(equal)), (0, MOST_FALSE)),
                *(
                    percent(float(np.mean(np.array(p) < SIGNIFICANCE)), LEVEL)
                    for p in (
                        [anova.p_gg for anova, _ in overall],
                        [anova.p_hf for anova, _ in overall],
                        [ranks for _, ranks in overall],
                    )
                ),
            ]
            rows.append([f"{name}, {listeners}", *shares])
    return Section(
        title="Listening tests: pairs of conditions, and all at once",
        text=(
            "Four equal conditions. The first three are the share of tables in which some of "
            "the six pairs is said to differ, by Holm (at most 5.0 %). Equality: of one pair "
            "that differs by just the margin. The last three are single tests of all "
            "conditions (5.0 %). All of them take items as given."
        ),
        head=[
            "ratings, listeners",
            "paired t, family %",
            "Wilcoxon, family %",
            "sign flip, family %",
            "false equality %",
            "ANOVA, Greenhouse-Geisser %",
            "ANOVA, Huynh-Feldt %",
            "Friedman %",
        ],
        rows=rows,
    )


def _false(p: Floats) -> float:
    return float(np.mean(correct_each(p).min(axis=0) < SIGNIFICANCE))


def choices(sets: Sets) -> Section:
    """ABX identification and preference, where nobody hears or prefers anything on average."""
    rows = []
    for kind, spread in (("alike", 0.0), ("of their own mind", 0.8)):
        for listeners in LISTENERS:
            generator = generator_of("choices", kind, listeners)
            # Chance of a correct answer, or of A among those who choose, by listener.
            liking = 1 / (1 + np.exp(-generator.normal(0, 1, (listeners, sets.usual)) * spread))
            hits = generator.binomial(TRIALS, liking)
            people = hits / TRIALS - 0.5
            pooled, n = hits.sum(axis=0), listeners * TRIALS
            ends = np.array([clopper_pearson(int(count), n) for count in pooled]).T
            second = generator.binomial(TRIALS, liking).sum(axis=0)
            versus = [
                two_rates_chi2(proportion(int(a), n), proportion(int(b), n))[1]
                for a, b in zip(pooled[: sets.dear], second[: sets.dear], strict=True)
            ]
            undecided = generator.binomial(TRIALS - 2, 0.25, (listeners, sets.usual))
            won = generator.binomial(TRIALS - undecided, liking)
            lost = TRIALS - undecided - won
            counts = [
                Counts(a=int(a), none=int(u), b=int(b))
                for a, u, b in zip(
                    won.sum(axis=0), undecided.sum(axis=0), lost.sum(axis=0), strict=True
                )
            ]
            net = (won - lost) / TRIALS
            tests = (
                [binomial_p(int(count), n) for count in pooled],
                versus,
                paired_t_each(people)[1],
                [judgement_t(count)[1] for count in counts],
                [sign_test(count) for count in counts],
                [sign_test_ties_split(count) for count in counts],
                paired_t_each(net)[1],
                wilcoxon_each(net),
                sign_flip_each(net),
            )
            levels = [float(np.mean(np.array(p) < SIGNIFICANCE)) for p in tests]
            trusted = {2: LEVEL, 6: LEVEL}
            rows.append(
                [
                    f"{kind}, {listeners}",
                    coverage(holds(ends[0], ends[1], 0.5)),
                    *(percent(level, trusted.get(number)) for number, level in enumerate(levels)),
                ]
            )
    return Section(
        title="Listening tests: ABX and preference",
        text=(
            f"{TRIALS} trials each. Nothing is heard or preferred on average; listeners are "
            "alike, or each has a mind of its own (standard deviation .8 of log odds). "
            "Whatever takes trials or judgements as independent holds for the first kind "
            "only, which is why the t over listeners is the one to trust (5.0 %). The "
            "binomial test is one-sided."
        ),
        head=[
            "listeners",
            "ABX: Clopper-Pearson covers",
            "ABX: binomial %",
            "ABX: two treatments, chi-square %",
            "ABX: t over listeners %",
            "preference: judgements %",
            "sign %",
            "sign, ties split %",
            "t over listeners %",
            "Wilcoxon %",
            "sign flip %",
        ],
        rows=rows,
    )


def strengths(sets: Sets) -> Section:
    """Bradley and Terry's strengths of four systems."""
    truth = np.array([0.6, 0.2, -0.2, -0.6])
    # The common fit is of averaged chances, a little nearer to even than the average listener.
    everybody = _judgements(generator_of("everybody"), truth, 20_000)
    fitted, _ = fit_strengths(everybody[0].sum(axis=0), everybody[1].sum(axis=0))
    covers = ["covers"]
    for listeners in LISTENERS:
        generator = generator_of("strengths", listeners)
        hits = total = 0
        for _ in range(sets.dearest):
            try:
                estimated, half = strengths_with_errors(*_judgements(generator, truth, listeners))
            except ValueError:
                continue
            hits += int(np.sum(np.abs(estimated - fitted) <= half))
            total += CONDITIONS
        covers.append(coverage(hits / total if total else float("nan"), COVERAGE_OF_SKEWED))
    return Section(
        title="Listening tests: strengths by Bradley and Terry",
        text=(
            "Four systems, four judgements of each pair by each listener, listeners who "
            "differ by a standard deviation of .4 of a log strength."
        ),
        head=["interval over listeners", *COUNTS],
        rows=[covers],
    )


def _judgements(
    generator: np.random.Generator, truth: Floats, listeners: int
) -> tuple[Floats, Floats]:
    """Wins and ties of each listener, whose own strengths lie about the true ones."""
    wins, ties = np.zeros((2, listeners, CONDITIONS, CONDITIONS))
    own = truth + generator.normal(0, 0.4, (listeners, CONDITIONS))
    for a, b in PAIRS:
        logs = np.stack([own[:, a], own[:, b], (own[:, a] + own[:, b]) / 2 - 0.7], axis=1)
        chances = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
        seen = generator.multinomial(4, chances)
        wins[:, a, b], wins[:, b, a] = seen[:, 0], seen[:, 1]
        ties[:, a, b] = ties[:, b, a] = seen[:, 2]
    return wins, ties


def mixed_models(sets: Sets) -> Section:
    """The test of all conditions that takes listeners and items as drawn."""
    rows = []
    structures: tuple[Structure, ...] = ("maximal", "intercepts")
    for by_listener, by_item in ((0, 0), (6, 0), (6, 4)):
        generator = generator_of("mixed", by_listener, by_item)
        scores = ratings_of(generator, 10, sets.dearest, by_listener=by_listener, by_item=by_item)
        p = []
        for one in np.moveaxis(scores, 3, 0):
            ratings = [
                Rating(session=str(who), listener=str(who), test="mushra", item=str(item),
                       condition="ABCD"[number], score=float(one[who, item, number]))
                for who in range(10) for item in range(ITEMS) for number in range(CONDITIONS)
            ]  # fmt: skip
            values = one.mean(axis=1)
            models = [fit_mixed_model(ratings, "ABCD", structure=name).p for name in structures]
            p.append([*models, repeated_measures(values).p_gg, friedman(values).p])
        levels = np.mean(np.array(p) < SIGNIFICANCE, axis=0)
        first = percent(float(levels[0]), (0, MOST_FALSE))
        rows.append([f"{by_listener} and {by_item}", first, *map(percent, map(float, levels[1:]))])
    return Section(
        title="Listening tests: items as drawn, by the mixed model",
        text=(
            "Ten listeners, six items, four conditions that are equal on average over all "
            "listeners and items there could be. The first column are the standard deviations "
            "with which listeners and items differ in how they take a condition. What counts "
            "listeners alone speaks of these six items only, and fails for others in the last "
            "line; so does a model without these effects. The maximal model is the default."
        ),
        head=[
            "by listener and by item",
            "mixed model, maximal %",
            "mixed model, intercepts %",
            "ANOVA, Greenhouse-Geisser %",
            "Friedman %",
        ],
        rows=rows,
    )


def medians(sets: Sets) -> Section:
    """The permutation of medians of BS.1534-3."""
    row = ["level %"]
    for listeners in (8, 20):
        generator = generator_of("medians", listeners)
        scores = ratings_of(generator, listeners, max(4, sets.dearest // 5))
        p_values = [
            median_permutation(one[:, :, 0].ravel(), one[:, :, 1].ravel())[1]
            for one in np.moveaxis(scores, 3, 0)
        ]
        row.append(percent(float(np.mean(np.array(p_values) < SIGNIFICANCE))))
    return Section(
        title="Listening tests: the permutation of medians of BS.1534-3",
        text=(
            "Asked for by name only. It mixes ratings of all listeners, as if they were not "
            "the same people: where listeners differ more than conditions it is far too "
            "careful."
        ),
        head=["two equal conditions", "8 listeners", "20 listeners"],
        rows=[row],
    )
