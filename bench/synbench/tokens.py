"""The tokens of a codec, read back from the bitstreams that a run stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench.errors import SynbenchError, UsageError
from synbench.results.planned import PlannedCodec, read_planned
from synbench.results.store import RunFolder
from synbench.results.stored_files import ItemFiles, item_files
from synbench_codecs import Encoded, read_stream, token_bits, unpack_tokens
from synbench_metrics._tokens import BookStatistics, statistics

__all__ = ["TokenReport", "token_reports", "tokens_of"]


@dataclass(frozen=True, kw_only=True)
class TokenReport:
    """What one codec's tokens over one corpus look like.

    Attributes:
        codec, label, corpus: whose tokens.
        items: utterances that have them.
        without: utterances whose stream is absent, damaged or not made of tokens alone.
        seconds: duration of the items.
        books: statistics, one per codebook; empty where there are no tokens.
        reason: why there are none.
    """

    codec: str
    label: str
    corpus: str
    items: int
    without: int
    seconds: float
    books: tuple[BookStatistics, ...]
    reason: str = ""

    @property
    def frames_per_second(self) -> float:
        """Tokens of one codebook per second of audio."""
        return self.books[0].tokens / self.seconds

    def rate(self, name: str) -> float | None:
        """Bit/s of all codebooks if a token took ``entropy``, ``coded`` or the like."""
        bits = [getattr(book, name) for book in self.books]
        if not bits or None in bits:
            return None
        total = sum(each * book.tokens for each, book in zip(bits, self.books, strict=True))
        return float(total / self.seconds)


def tokens_of(encoded: Encoded, sizes: Sequence[int]) -> NDArray[np.int64] | None:
    """Tokens ``(codebooks, frames)`` of a stream that is packed tokens and nothing else.

    ``None`` where it holds side information or no whole number of frames.
    """
    if not sizes or encoded.side_bits:
        return None
    per_frame = float(np.sum(np.log2(np.asarray(sizes, dtype=np.float64))))
    if per_frame == 0.0:
        return None
    frames = round(encoded.payload_bits / per_frame)
    for count in (frames, frames - 1):
        if count >= 0 and token_bits(sizes, count) == encoded.payload_bits:
            return unpack_tokens(encoded.payload, sizes, count)
    return None


def token_reports(run: RunFolder) -> list[TokenReport]:
    """One report per codec and corpus of a run's latest plan, in the order of the suite.

    Raises:
        UsageError: there is no run in the folder.
    """
    if not run.exists():
        raise UsageError(f"{run.path} holds no run; make one with: synbench run SUITE")
    planned = read_planned(run.path)
    reports = []
    for corpus in planned.corpora:
        items = sorted(item_files(planned, corpus.name), key=lambda item: item.item)
        reports += [
            _report(codec, corpus.name, items, codec_index)
            for codec_index, codec in enumerate(planned.codecs)
        ]
    return reports


def _report(
    codec: PlannedCodec, corpus: str, items: Sequence[ItemFiles], codec_index: int
) -> TokenReport:
    coded = [item for item in items if item.decoded[codec_index]]
    decoded = [
        (tokens, item.seconds)
        for item in coded
        if (tokens := _read(item.bitstreams[codec_index], codec.codebook_sizes)) is not None
        and tokens.size
    ]
    return TokenReport(
        codec=codec.spec,
        label=codec.label,
        corpus=corpus,
        items=len(decoded),
        without=len(coded) - len(decoded),
        seconds=sum(seconds for _, seconds in decoded),
        books=(
            tuple(statistics([tokens for tokens, _ in decoded], codec.codebook_sizes))
            if decoded
            else ()
        ),
        reason="" if decoded else _why_none(codec, len(coded)),
    )


def _why_none(codec: PlannedCodec, coded: int) -> str:
    if not codec.bits_counted:
        return "only decoded files exist"
    if not codec.codebook_sizes:
        return "it has no codebooks"
    return "nothing is coded yet" if not coded else "its streams are not packed tokens alone"


def _read(path: Path | None, sizes: Sequence[int]) -> NDArray[np.int64] | None:
    if path is None:
        return None
    try:
        return tokens_of(read_stream(path.read_bytes()), sizes)
    except (OSError, SynbenchError):
        return None
