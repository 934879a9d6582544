"""The tokens of a codec, read back from the bitstreams that a run stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import SynbenchError, UsageError
from synbench.results.confined import stored_file
from synbench.results.store import RunFolder
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
    manifest = run.manifest()
    rows = run.query(
        "decodes",
        "SELECT codec_id, corpus, item, item_digest, policy_id, arg_max(bitstream, written), "
        "arg_max(seconds, written), arg_max(status, written) FROM rows GROUP BY ALL",
    )
    current = _items(run)
    return [
        _report(run, record, corpus["name"], manifest["policy_id"], rows, current)
        for corpus in manifest["corpora"]
        for record in manifest["codecs"]
    ]


def _items(run: RunFolder) -> set[tuple[str, str, str]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(run.items_path, columns=["corpus", "item", "item_digest"])
    return {(row["corpus"], row["item"], row["item_digest"]) for row in table.to_pylist()}


def _report(
    run: RunFolder,
    record: dict[str, Any],
    corpus: str,
    policy_id: str,
    rows: list[tuple[Any, ...]],
    current: set[tuple[str, str, str]],
) -> TokenReport:
    sizes = tuple(record["codebook_sizes"])
    mine = [
        (item, bitstream, seconds)
        for codec_id, of, item, digest, policy, bitstream, seconds, status in rows
        if (codec_id, of, policy, status) == (record["codec_id"], corpus, policy_id, "ok")
        and (of, item, digest) in current
    ]
    found = [
        (tokens, seconds)
        for _, bitstream, seconds in sorted(mine)
        if (tokens := _read(run, bitstream, sizes)) is not None and tokens.size
    ]
    reason = "" if found else _why_none(record, sizes, len(mine))
    return TokenReport(
        codec=record["spec"],
        label=record["label"],
        corpus=corpus,
        items=len(found),
        without=len(mine) - len(found),
        seconds=sum(seconds for _, seconds in found),
        books=tuple(statistics([tokens for tokens, _ in found], sizes)) if found else (),
        reason=reason,
    )


def _why_none(record: dict[str, Any], sizes: Sequence[int], coded: int) -> str:
    if not record["bits_counted"]:
        return "only decoded files exist"
    if not sizes:
        return "it has no codebooks"
    return "nothing is coded yet" if not coded else "its streams are not packed tokens alone"


def _read(run: RunFolder, name: str | None, sizes: Sequence[int]) -> NDArray[np.int64] | None:
    path = stored_file(run.path, name) if name else None
    if path is None:
        return None
    try:
        return tokens_of(read_stream(path.read_bytes()), sizes)
    except (OSError, SynbenchError):
        return None
