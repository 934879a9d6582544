"""Made-up data of known truth, and the words in which the page says what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

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
# Beyond what is promised: to show where the promise ends.
EXTREME: dict[str, Draw] = {
    "log-normal, sigma 1": lambda g, shape: (g.lognormal(0, 1, shape) - np.exp(0.5)) / 2.1612,
}
# What is promised from eight speakers on.
LEVEL = (0.035, 0.065)
COVERAGE_OF_NORMAL, COVERAGE_OF_SKEWED = (0.93, 0.97), (0.91, 1.0)
MOST_FALSE = 0.065

__all__ = [
    "COVERAGE_OF_NORMAL",
    "COVERAGE_OF_SKEWED",
    "EXTREME",
    "LEVEL",
    "MOST_FALSE",
    "SEED",
    "SHAPES",
    "SPEAKERS",
    "Draw",
    "Floats",
    "Section",
    "Sets",
    "coverage",
    "generator_of",
    "holds",
    "percent",
    "table",
]


@dataclass(frozen=True, kw_only=True)
class Sets:
    """How many sets a cell of the page rests on, by what one costs.

    Attributes:
        cheap: a t-test, some microseconds.
        usual: ranks, permutations, families of many pairs.
        dear: bootstraps, simulated listening tests.
        dearest: mixed models, curves, agreement with listeners: tenths of a second.
    """

    cheap: int = 10_000
    usual: int = 2_000
    dear: int = 500
    dearest: int = 500

    def divided(self, by: int) -> Sets:
        """Fewer of each, at least four."""
        counts = (self.cheap, self.usual, self.dear, self.dearest)
        cheap, usual, dear, dearest = (max(4, count // by) for count in counts)
        return Sets(cheap=cheap, usual=usual, dear=dear, dearest=dearest)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table of the page with what it shows."""

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Heading, text and table."""
        lines = [f"## {self.title}", "", self.text, "", *table(self.head, self.rows)]
        return "\n".join(lines)


def generator_of(*names: object) -> np.random.Generator:
    """A generator of its own for every cell, so that none depends on what came before."""
    digits = [byte for name in names for byte in str(name).encode()]
    return np.random.default_rng([SEED, *digits])


def percent(share: float, within: tuple[float, float] | None = None, *, digits: int = 1) -> str:
    """A share in percent, bold where it is outside of what is promised; a dash where unknown."""
    if share != share:
        return "-"
    text = f"{100 * share:.{digits}f}"
    return text if within is None or within[0] <= round(share, 3) <= within[1] else f"**{text}**"


def coverage(share: float, within: tuple[float, float] | None = None) -> str:
    """A share with three digits, ``.950``, bold where it is outside of what is promised."""
    if share != share:
        return "-"
    text = f"{share:.3f}".removeprefix("0")
    return text if within is None or within[0] <= round(share, 3) <= within[1] else f"**{text}**"


def holds(low: Floats, high: Floats, truth: float = 0.0) -> float:
    """How often intervals hold the truth."""
    return float(np.mean((low <= truth) & (truth <= high)))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    line = "| --- |" + " ---: |" * (len(head) - 1)
    return ["| " + " | ".join(head) + " |", line, *("| " + " | ".join(row) + " |" for row in rows)]
