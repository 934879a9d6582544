"""How evenly a codec uses its codebooks, from the tokens in the stored bitstreams."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synbench.results.planned import PlannedCodec, PlannedRun
from synbench.results.stored_files import item_files
from synbench_reports.figures.style import COLOURS, LINES, WIDTHS, new_figure, sized, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Usage", "codebook_usage", "count_tokens", "usage_figure"]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Counts of each token of one codebook, shape ``(size,)``."""

    codec: str
    book: int
    counts: NDArray[np.int64]

    @property
    def used(self) -> float:
        """Share of the entries that occur at all, 0 to 1."""
        return float(np.mean(self.counts > 0))

    @property
    def entropy_bits(self) -> float:
        """Order-0 entropy of the tokens in bits; at most the logarithm of the size."""
        shares = self.counts[self.counts > 0] / self.counts.sum()
        return float(-(shares * np.log2(shares)).sum())


def codebook_usage(planned: PlannedRun, corpus: str) -> tuple[list[Usage], list[str]]:
    """Usage of every codebook of every codec whose payload is tokens, and why others have none."""
    files = item_files(planned, corpus)
    usages, reasons = [], []
    for codec_index, codec in enumerate(planned.codecs):
        if not codec.codebook_sizes:
            continue
        paths = [
            path for item in files if (path := item.bitstreams[codec_index]) and path.is_file()
        ]
        counts = count_tokens(paths, codec.codebook_sizes)
        if counts is None:
            reasons.append(f"{codec.label}: its payload is not a plain grid of tokens")
        elif not paths:
            reasons.append(f"{codec.label}: no bitstream is stored")
        else:
            usages += _usages(codec, counts)
    return usages, reasons


def count_tokens(paths: list[Path], sizes: tuple[int, ...]) -> list[NDArray[np.int64]] | None:
    """Counts per codebook over some streams; ``None`` where a payload is no grid of tokens."""
    from synbench.tokens import tokens_of
    from synbench_codecs import read_stream

    counts = [np.zeros(size, dtype=np.int64) for size in sizes]
    for path in paths:
        tokens = tokens_of(read_stream(path.read_bytes()), sizes)
        if tokens is None:
            return None
        for row_index, row in enumerate(tokens):
            counts[row_index] += np.bincount(row, minlength=sizes[row_index])
    return counts


@styled
def usage_figure(usages: list[Usage], *, width: float = WIDTHS["double"]) -> Figure:
    """Share of the tokens that the most used entries make up; a straight line is an even use."""
    figure, axes = new_figure(width, 0.5 * width + (0.2 * len(usages) if width < 5 else 0))
    for number, usage in enumerate(usages):
        ordered = np.sort(usage.counts)[::-1]
        covered = np.concatenate([[0], np.cumsum(ordered) / max(1, ordered.sum())])
        axes.plot(
            np.linspace(0, 100, len(covered)),
            100 * covered,
            color=COLOURS[number % len(COLOURS)],
            linestyle=LINES[number % len(LINES)],
            label=(
                f"{usage.codec}, book {usage.book + 1}: {usage.used:.0%} used, "
                f"{usage.entropy_bits:.2f} of {math.log2(len(usage.counts)):.2f} bits"
            ),
        )
    axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.7)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("most used entries (% of the codebook)")
    axes.set_ylabel("share of the tokens (%)")
    figure.legend(loc="outside lower center", fontsize=sized(7))
    return figure


def _usages(codec: PlannedCodec, counts: list[NDArray[np.int64]]) -> list[Usage]:
    return [Usage(codec=codec.label, book=book, counts=one) for book, one in enumerate(counts)]
