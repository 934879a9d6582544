"""From a listing to a corpus: check the ids, pick a part, read the files, check the digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from synbench.cache import Measurements, stamp
from synbench.corpora._mark import listing_mark
from synbench.corpora._measure import measure
from synbench.corpora._model import Corpus, Entry, Item, Listing, Progress, corpus_digest
from synbench.corpora._subset import subset
from synbench.corpora.whereabouts import remember_recordings
from synbench.errors import UsageError

# Larger corpora are not listed in the cache: a mismatch then shows digests and counts alone.
REMEMBERED_ITEMS = 20_000
SHOWN_ITEMS = 5
# Most ids: words of letters, digits and marks that mean nothing in a path.
PLAIN_ID = re.compile(r"[\w-]+(?:[/ ][\w-]+)*")

__all__ = ["build", "mark"]


def build(
    listing: Listing,
    *,
    spec: str,
    limit: int | None = None,
    expected_digest: str | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Read the files of a listing.

    Raises:
        UsageError: no entries, an id twice or unusable as a path, or another digest than expected.
    """
    if not listing.entries:
        raise UsageError(f"no speech for {spec}: {listing.where}")
    _check_ids(listing.entries)
    chosen = subset(listing.entries, limit)
    stamps = [stamp(entry.path) for entry in chosen]
    items = measure(chosen, stamps, progress=progress)
    corpus = Corpus(
        name=listing.name,
        spec=listing.spec or spec,
        items=items,
        digest=corpus_digest(_pairs(items), target_rate=listing.target_rate),
        licence=listing.licence,
        note=_note(listing, len(chosen)),
        target_rate=listing.target_rate,
        mark=listing_mark(listing, chosen, stamps, spec=spec),
    )
    _check_digest(corpus, expected_digest)
    remember_recordings(corpus)
    return corpus


def mark(listing: Listing, *, spec: str, limit: int | None) -> str:
    """The mark that the corpus of a listing would have, without reading its files."""
    chosen = subset(listing.entries, limit)
    stamps = [stamp(entry.path) for entry in chosen]
    return listing_mark(listing, chosen, stamps, spec=spec)


def _pairs(items: Sequence[Item]) -> list[tuple[str, str]]:
    return [(item.id, item.sha256) for item in items]


def _note(listing: Listing, chosen: int) -> str:
    total = len(listing.entries)
    part = f"{chosen} of its {total} utterances" if chosen < total else ""
    return "; ".join(text for text in (listing.note, part) if text)


def _check_ids(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry.id in seen:
            raise UsageError(
                f"two items have the id {entry.id!r}: {seen[entry.id].path} and {entry.path}; "
                f"expected one file for each id, remove or rename one"
            )
        seen[entry.id] = entry
        # Results are stored under the id, so it must stay inside the folder of the run.
        if not PLAIN_ID.fullmatch(entry.id) and not _is_inside(entry.id):
            raise UsageError(
                f"the id {entry.id!r} of {entry.path} cannot be part of a path; expected words "
                f"separated by '/', without '..', backslash or control characters"
            )


def _is_inside(key: str) -> bool:
    parts = PurePosixPath(key).parts
    outside = not parts or parts[0] == "/" or ".." in parts
    return not outside and not re.search(r"[\x00-\x1f\\]", key)


def _check_digest(corpus: Corpus, expected: str | None) -> None:
    with Measurements() as memory:
        if expected is None or expected == corpus.digest:
            if len(corpus.items) <= REMEMBERED_ITEMS and not memory.knows(corpus.digest):
                memory.put_contents(corpus.digest, dict(_pairs(corpus.items)))
            return
        before = memory.contents(expected)
    problems = sum(1 for item in corpus.items if item.problem)
    raise UsageError(
        f"corpus {corpus.name!r} ({corpus.spec}) is not the expected one:\n"
        f"  expected digest {expected}{f', {len(before)} items' if before else ''}\n"
        f"  found digest    {corpus.digest}, {len(corpus.items)} items, {problems} unusable\n"
        f"{_difference(before, dict(_pairs(corpus.items)), corpus)}"
        f"restore the files, or put the found digest into the suite to accept them"
    )


def _difference(before: dict[str, str], now: dict[str, str], corpus: Corpus) -> str:
    unusable = {item.id for item in corpus.items if item.problem}
    kinds = {"unusable": unusable}
    if before:
        kinds["absent"] = before.keys() - now.keys()
        kinds["added"] = now.keys() - before.keys()
        kinds["altered"] = {key for key in before.keys() & now.keys() if before[key] != now[key]}
    lines = [f"  {kind}: {_shown(ids)}\n" for kind, ids in kinds.items() if ids]
    if before and len(lines) == bool(unusable):
        lines.append("  the items are the same: the target rate differs\n")
    return "".join(lines)


def _shown(ids: set[str]) -> str:
    more = f" and {len(ids) - SHOWN_ITEMS} more" if len(ids) > SHOWN_ITEMS else ""
    return ", ".join(sorted(ids)[:SHOWN_ITEMS]) + more
