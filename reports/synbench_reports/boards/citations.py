"""What to cite for a result: synbench, and every metric, codec and corpus with its reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import metadata

from synbench_reports.boards.combine import Board

DIGEST_DIGITS = 12

__all__ = ["citation_text", "citations", "made_with"]


def made_with() -> str:
    """The version of synbench that is at work."""
    return metadata.version("synbench")


def citations(boards: Sequence[Board]) -> list[tuple[str, str]]:
    """Names and what to cite for them; codecs of one source stand in one entry."""
    entries = [("synbench", f"version {made_with()}")]
    metrics = dict.fromkeys(metric for board in boards for metric in board.planned.metrics)
    entries += [
        (
            metric.label,
            _joined((metric.source, f"{metric.implementation} {metric.version}", metric.mode)),
        )
        for metric in metrics
    ]
    codecs: dict[str, list[str]] = {}
    for codec in dict.fromkeys(codec for board in boards for codec in board.planned.codecs):
        text = _joined((codec.source, codec.implementation, *codec.weights))
        codecs.setdefault(text, []).append(codec.label)
    entries += [(", ".join(labels), text) for text, labels in codecs.items()]
    corpora = {
        board.corpus.name: _joined(
            (f"digest {board.corpus.digest[:DIGEST_DIGITS]}", board.corpus.licence)
        )
        for board in boards
    }
    return [*entries, *corpora.items()]


def citation_text(boards: Sequence[Board]) -> str:
    """The same as a plain text, one paragraph each, ending in a newline."""
    lines = ["What to cite for these results", ""]
    for name, text in citations(boards):
        lines += [f"{name}: {text}.".replace("..", "."), ""]
    return "\n".join(lines)


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(filter(None, parts))
