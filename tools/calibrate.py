"""Measure what intervals and tests promise, and write docs/calibration.md.

    python tools/calibrate.py [--runs 4000] [--out docs/calibration.md]

Every table of the page is a simulation with a fixed seed: made-up speakers (or listeners) whose
truth is known, analysed by the functions that tables, comparisons and analyses use.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.bootstrap import bootstrap_means
from synbench.statistics.equivalence import equivalences
from synbench.statistics.means import Estimates, estimate_differences, estimate_means
from synbench.statistics.multiplicity import correct
from synbench.statistics.paired_tests import rank_direction, wilcoxon
from synbench.statistics.permutation import sign_flip

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

RUNS = 4000
PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"
# Parts of them that the slower simulations make.
RARE, RARER, RAREST = 10, 20, 100
SEED = 20261129
SPEAKERS = (5, 8, 12, 20, 40)
# Means of speakers around a true mean of zero, all of variance near 1.
SHAPES: dict[str, Draw] = {
    "normal": lambda g, shape: g.normal(size=shape),
    "ceiling": lambda g, shape: (g.beta(12, 1.5, shape) - 12 / 13.5) / 0.0825,
    "hard ceiling": lambda g, shape: (g.beta(5, 0.5, shape) - 5 / 5.5) / 0.1128,
    "floor": lambda g, shape: g.exponential(size=shape) - 1,
    "log-normal": lambda g, shape: (g.lognormal(0, 0.5, shape) - np.exp(0.125)) / 0.6039,
}

__all__ = ["main", "page"]


def page(runs: int) -> str:
    """The whole page as Markdown."""
    generator = np.random.default_rng(SEED)
    parts = [HEAD.format(runs=runs, some=runs // RARE, tables=runs // RARER, few=runs // RAREST)]
    for section in (intervals, skewed_pairs, rates, marks, equality, signs, listeners):
        parts += [*section(generator, runs), ""]
    return "\n".join(parts).rstrip() + "\n"


HEAD = """# Calibration: nominal against measured

Written by `python tools/calibrate.py`; do not edit. Each number rests on {runs} simulated sets
({some} for the bootstrap, signs and ranks, {tables} for families, {few} for listening tests), so
that a true 5 % is measured as 4.3 to 5.7 % (of 400: 3 to 7 %, of 200: 2 to 8 %, of 40: 0 to 12 %).
Speakers stand for whatever is the unit: items where no speaker is known, listeners in a listening
test. Shapes are those of the speakers' means.

What is not held is said: with 5 speakers and skewed scores 95 % intervals cover less, so tables
warn below 8 speakers and give no verdict below 5.
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    line = "| --- |" + " ---: |" * (len(head) - 1)
    return ["| " + " | ".join(head) + " |", line, *("| " + " | ".join(row) + " |" for row in rows)]


def intervals(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """Coverage of 95 % intervals of a mean, and level of the tests of it."""
    yield "## Intervals and tests of a mean (nominal: coverage .950, level 5.0 %)\n"
    yield "`corrected t` is what tables, `compare` and figures print; others go by their names.\n"
    rows = []
    for name, draw in SHAPES.items():
        for speakers in SPEAKERS:
            values = draw(generator, (speakers, runs))
            estimates, some = estimate_means(values), values[:, : runs // RARE]
            plain, drawn = estimates.without_skewness(), bootstrap_means(some, replicates=999)
            bca = np.mean((drawn.low <= 0) & (drawn.high >= 0))
            levels = [np.mean(one.p() < 0.05) for one in (estimates, plain)]
            levels += [
                np.mean([test(one) < 0.05 for one in some.T]) for test in (fast_flip, wilcoxon)
            ]
            shares = (covered(estimates), covered(plain), bca)
            rows.append(
                [f"{name}, {speakers}", *(f"{share:.3f}".lstrip("0") for share in shares),
                 *(f"{100 * level:.1f}" for level in levels)]
            )  # fmt: skip
    head = ["shape, speakers", "corrected t covers", "plain t covers", "BCa bootstrap covers"]
    head += ["corrected t, level %", "plain t, level %", "sign flip, level %", "Wilcoxon, level %"]
    yield from table(head, rows)


def fast_flip(values: Floats) -> float:
    """The sign-flip test, of at most twelve speakers: more would take too long here."""
    return sign_flip(values) if len(values) <= 12 else float("nan")


def covered(estimates: Estimates) -> float:
    """How often the interval holds the true mean of zero."""
    return float(np.mean((estimates.low <= 0) & (estimates.high >= 0)))


def skewed_pairs(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """Differences of two codecs with scores of the same shape."""
    yield "\n## Differences of two codecs whose scores have the same shape (level 5.0 %)\n"
    rows = []
    for name, draw in SHAPES.items():
        row = [name]
        for speakers in SPEAKERS:
            values = draw(generator, (speakers, 2 * runs))
            pairs = [(number, runs + number) for number in range(runs)]
            row.append(f"{100 * np.mean(estimate_differences(values, pairs).p() < 0.05):.1f}")
        rows.append(row)
    yield from table(["corrected t, %", *(f"{count} speakers" for count in SPEAKERS)], rows)


def rates(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """Error rates of a corpus: all errors over all words, speakers of unequal length."""
    yield "\n## Error rates of the corpus, and speakers of unequal size (coverage .950)\n"
    rates_row, mean_row = ["word error rate of 10 %"], ["mean, 2 to 12 items a speaker"]
    for speakers in SPEAKERS:
        words = generator.integers(40, 160, (speakers, runs)).astype(np.float64)
        chance = generator.beta(2, 18, (speakers, runs))
        errors = generator.binomial(words.astype(np.int64), chance)
        estimates = estimate_means(errors / words, sizes=words)
        hit = np.mean((estimates.low <= 0.1) & (estimates.high >= 0.1))
        rates_row.append(f"{hit:.3f}".lstrip("0"))
        sizes = generator.integers(2, 13, speakers)
        clusters = np.repeat(np.arange(speakers), sizes)
        values = generator.normal(size=(speakers, runs))[clusters]
        values = values + generator.normal(size=values.shape)
        mean_row.append(f"{covered(estimate_means(values, clusters=clusters)):.3f}".lstrip("0"))
    head = ["corrected t", *(f"{count} speakers" for count in SPEAKERS)]
    yield from table(head, [rates_row, mean_row])


def marks(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """Families: any false difference among all pairs, and what is found."""
    yield "\n## Marks of a table: all pairs of codecs, Holm (nominal: at most 5.0 % of tables)\n"
    yield (
        "False: all codecs are equal, and some codec lacks `~` or some pair is said to differ. "
        "Found: one codec is worse by 2 (standard deviations of a speaker), and all of its pairs "
        "are told apart.\n"
    )
    rows = []
    for name in ("normal", "hard ceiling", "floor"):
        for codecs in (2, 5, 10, 20):
            row = [f"{name}, {codecs} codecs"]
            for speakers in (5, 8, 20, 40):
                false, power = family(generator, SHAPES[name], codecs, speakers, runs // RARER)
                row += [f"{100 * false:.1f}", f"{100 * power:.0f}"]
            rows.append(row)
    head = [
        f"{count} speakers, {what} %" for count in (5, 8, 20, 40) for what in ("false", "found")
    ]
    yield from table(["shape, codecs", *head], rows)


def family(
    generator: np.random.Generator, draw: Draw, codecs: int, speakers: int, runs: int
) -> tuple[float, float]:
    """Shares of tables with a false difference, and with one codec told from all others."""
    false = detections = 0
    pairs = list(combinations(range(codecs), 2))
    for _ in range(runs):
        values = draw(generator, (speakers, codecs))
        false += min(correct(estimate_differences(values, pairs).p().tolist())) < 0.05
        values[:, 0] -= 2
        p = correct(estimate_differences(values, pairs).p().tolist())
        detections += all(one < 0.05 for one, pair in zip(p, pairs, strict=True) if 0 in pair)
    return false / runs, detections / runs


def equality(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """False equality: differences as large as the margin."""
    yield "\n## Equality within a margin, all pairs, Holm (at most 5.0 % of families)\n"
    yield "False: every pair differs by the margin or more, and some pair is called equal.\n"
    rows = []
    for name in ("normal", "hard ceiling", "floor"):
        for codecs in (2, 5):
            row = [f"{name}, {codecs} codecs"]
            for speakers in (5, 8, 20, 40):
                pairs = list(combinations(range(codecs), 2))
                false = 0
                for _ in range(runs // RARER):
                    values = SHAPES[name](generator, (speakers, codecs)) + np.arange(codecs)
                    tests = equivalences(values, pairs, margin=1.0)
                    false += any(one.equivalent for one in tests)
                row.append(f"{100 * false / (runs // RARER):.1f}")
            rows.append(row)
    yield from table(["shape, codecs", *(f"{n} speakers, %" for n in (5, 8, 20, 40))], rows)


def signs(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """A codec that is better for most speakers and worse on average."""
    yield "\n## Signs: a codec +0.06 for nine speakers of ten, -1.14 for the tenth\n"
    rows = []
    for speakers in (8, 20, 40):
        drawn = np.where(generator.random((speakers, runs // RARE)) < 0.1, -1.14, 0.06)
        drawn += generator.normal(0, 0.05, drawn.shape)
        estimates = estimate_means(drawn)
        differs = estimates.p() < 0.05
        against = differs & (np.sign(estimates.mean) * np.where(estimates.low > 0, 1, -1) < 0)
        ranks = np.array([wilcoxon(one) < 0.05 for one in drawn.T])
        turned = ranks & (np.array([rank_direction(one) for one in drawn.T]) * estimates.mean < 0)
        shares = (differs, against, ranks, turned)
        rows.append([str(speakers), *(f"{100 * np.mean(share):.1f}" for share in shares)])
    head = ["speakers", "corrected t: differs %", "against the printed sign %"]
    head += ["Wilcoxon: differs %", "against the printed sign (said) %"]
    yield from table(head, rows)


def listeners(generator: np.random.Generator, runs: int) -> Iterator[str]:
    """Tests of all conditions of a listening test, where nothing differs."""
    from synbench_listening.answers.ratings import Rating
    from synbench_listening.statistics.listener_table import listener_table
    from synbench_listening.statistics.mixed_model import Structure, fit_mixed_model
    from synbench_listening.statistics.repeated_measures import friedman, repeated_measures

    yield "\n## Listening tests: all conditions equal on average (level 5.0 %)\n"
    yield (
        "Ten listeners, six items, four conditions; standard deviations of listener 12, item 5, "
        "listener and item 6, error 15, and of listener and item by condition as in the first "
        "column. What counts listeners alone holds for these items only, and fails for others as "
        "soon as items differ in how they take a condition.\n"
    )
    rows = []
    for by_listener, by_item in ((0, 0), (6, 0), (6, 4)):
        hits = np.zeros(4)
        count = max(runs // RAREST, 2)
        for _ in range(count):
            scores = 60 + generator.normal(0, 12, (10, 1, 1)) + generator.normal(0, 5, (1, 6, 1))
            scores = scores + generator.normal(0, 6, (10, 6, 1))
            scores = scores + generator.normal(0, max(by_listener, 1e-9), (10, 1, 4))
            scores = scores + generator.normal(0, max(by_item, 1e-9), (1, 6, 4))
            scores = scores + generator.normal(0, 15, (10, 6, 4))
            ratings = [
                Rating(session=f"{who}", listener=f"{who}", test="mushra", item=f"{item}",
                       condition="ABCD"[number], score=float(scores[who, item, number]))
                for who in range(10) for item in range(6) for number in range(4)
            ]  # fmt: skip
            structures: tuple[Structure, Structure] = ("maximal", "intercepts")
            models = [fit_mixed_model(ratings, "ABCD", structure=one).p for one in structures]
            means = listener_table(ratings, "ABCD").values
            p = [*models, repeated_measures(means).p_gg, friedman(means).p]
            hits += np.array(p) < 0.05
        rows.append(
            [f"{by_listener} and {by_item}", *(f"{100 * share:.1f}" for share in hits / count)]
        )
    head = ["listener:condition and item:condition", "mixed model, maximal (default) %"]
    head += ["mixed model, intercepts %", "repeated measures, GG %", "Friedman %"]
    yield from table(head, rows)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args()
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(page(options.runs), encoding="utf-8")


if __name__ == "__main__":
    main()
