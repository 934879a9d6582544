"""Statistics of a codec's tokens: how much of its codebooks it uses, and what they could cost.

Conventions
    tokens   integers, ``(codebooks, frames)`` per utterance, 0 <= token < size of its codebook
    sizes    one per codebook
    bits     to the base of 2, per token of one codebook

Plug-in entropies of few tokens are too low, by about (codes used - 1) / (2 n ln 2) bits for n
tokens, which the corrected entropy has added (Miller and Madow). Order 1 suffers far more, since
every code has a distribution of its own: where more than a twentieth of all neighbours were seen
once only, as many are still unseen (Good), and no correction helps: it is withheld. ``coded`` has
no such bias: every utterance is coded with the counts of all the others (half a count for every
code), so it is a rate that a real entropy coder with a fixed table could reach on new material.

Reference:
    C. E. Shannon, "A Mathematical Theory of Communication", 1948. R. Krichevsky, V. Trofimov, "The
    performance of universal encoding", 1981 (half a count).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.integer]
Array = NDArray[np.float64]

# Share of neighbours seen once only, and so as many unseen, from which order 1 is not known.
MOST_SINGLE_SHARE = 0.05

__all__ = ["BookStatistics", "count_book", "entropy", "statistics"]


@dataclass(frozen=True, kw_only=True)
class BookStatistics:
    """One codebook over a corpus.

    Attributes:
        size: codes in it.
        tokens: how many were seen.
        used: codes that occur.
        usage: share of the codes that occur, 0 to 1.
        entropy: order 0, bits per token.
        perplexity: 2 to the entropy, codes.
        normalised_entropy: entropy over that of equal use, 0 to 1; 0 for a book of one code.
        conditional_entropy: order 1, bits per token given the one before it; ``None`` where no
            utterance has two tokens.
        coded: bits per token with a table from the other utterances; ``None`` for fewer than two.
        neighbours, neighbours_once, neighbour_kinds: pairs of tokens in a row, those that occur
            once only, and how many different ones there are.
    """

    size: int
    tokens: int
    used: int
    usage: float
    entropy: float
    perplexity: float
    normalised_entropy: float
    conditional_entropy: float | None
    coded: float | None
    neighbours: int = 0
    neighbours_once: int = 0
    neighbour_kinds: int = 0

    @property
    def corrected_entropy(self) -> float:
        """Order 0 with its bias added, at most that of equal use; bits per token."""
        bias = (self.used - 1) / (2 * self.tokens * float(np.log(2)))
        return min(self.entropy + bias, float(np.log2(self.size)))

    @property
    def corrected_conditional(self) -> float | None:
        """Order 1 with its bias added; ``None`` where too few tokens were seen to tell."""
        if (
            self.conditional_entropy is None
            or self.neighbours_once > MOST_SINGLE_SHARE * self.neighbours
        ):
            return None
        kinds = max(self.neighbour_kinds - self.used, 0)
        bias = kinds / (2 * self.neighbours * float(np.log(2)))
        return min(self.conditional_entropy + bias, self.corrected_entropy)


def statistics(utterances: Sequence[Tokens], sizes: Sequence[int]) -> list[BookStatistics]:
    """Statistics of each codebook over utterances ``(codebooks, frames)``.

    Raises:
        ValueError: no token at all, or one outside its codebook.
    """
    return [
        count_book([tokens[index] for tokens in utterances], size)
        for index, size in enumerate(sizes)
    ]


def count_book(utterances: Sequence[Tokens], size: int) -> BookStatistics:
    """Statistics of one codebook over utterances ``(frames,)``."""
    everything = np.concatenate(list(utterances)) if utterances else np.zeros(0, dtype=np.int64)
    if not everything.size:
        raise ValueError("expected at least one token")
    if everything.min() < 0 or everything.max() >= size:
        raise ValueError(
            f"expected tokens of 0 to {size - 1}, got {everything.min()} to {everything.max()}"
        )
    counts = np.bincount(everything, minlength=size)
    pairs = np.concatenate([each[:-1].astype(np.int64) * size + each[1:] for each in utterances])
    _, together = np.unique(pairs, return_counts=True)
    bits = entropy(counts)
    used = int(np.count_nonzero(counts))
    return BookStatistics(
        size=size,
        tokens=int(everything.size),
        used=used,
        usage=used / size,
        entropy=bits,
        perplexity=float(2.0**bits),
        normalised_entropy=bits / float(np.log2(size)) if size > 1 else 0.0,
        conditional_entropy=_conditional(pairs, size),
        coded=_coded(utterances, counts),
        neighbours=int(pairs.size),
        neighbours_once=int(np.count_nonzero(together == 1)),
        neighbour_kinds=int(together.size),
    )


def entropy(counts: NDArray[np.integer]) -> float:
    """Bits per token of counts ``(codes,)``, at least one of them not zero."""
    present = counts[counts > 0]
    shares = present / present.sum()
    return float(abs(np.sum(shares * np.log2(shares))))


def _conditional(pairs: NDArray[np.int64], size: int) -> float | None:
    """Entropy of pairs of neighbours, first times size plus second, less that of the first."""
    if not pairs.size:
        return None
    _, together = np.unique(pairs, return_counts=True)
    return max(0.0, entropy(together) - entropy(np.bincount(pairs // size)))


def _coded(utterances: Sequence[Tokens], counts: NDArray[np.integer]) -> float | None:
    """Mean code length in bits under the counts of all other utterances."""
    filled = [each for each in utterances if each.size]
    if len(filled) < 2:
        return None
    total = 0.0
    for each in filled:
        own = np.bincount(each, minlength=counts.size)
        others = counts - own + 0.5
        total -= float(own @ np.log2(others / others.sum()))
    return total / int(counts.sum())
