"""Part of a suite: fewer items, some of its corpora, codecs and metrics, or other speech.

Which cells there are changes, what a cell is does not: scores that the whole suite has computed are
found by its part, and the other way round.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import synbench_codecs
import synbench_metrics
from synbench import corpora as known_corpora
from synbench.suite import CodecEntry, CorpusEntry, Suite, anchored
from synbench_base.close_names import suggestion
from synbench_base.errors import SynbenchError, UsageError
from synbench_codecs import format_spec, parse_spec

# A comma that no option follows: opus:bitrate_bps=6000,complexity=5 stays whole.
BETWEEN_SPECS = re.compile(r",(?![A-Za-z0-9_]+=)")

Entry = TypeVar("Entry", CodecEntry, CorpusEntry, str)

__all__ = ["narrowed"]


def narrowed(
    suite: Suite,
    *,
    limit: int | None = None,
    corpora: Sequence[str] = (),
    codecs: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> Suite:
    """The part of a suite that is asked for, in the suite's own order; all where nothing is.

    Args:
        limit: items per corpus, at most; the same choice as ``limit`` in a suite.
        corpora: names or specs of the suite's corpora. Where none of its own is named, a folder or
            the spec of another corpus takes their place, and the suite is called ``NAME-custom``.
        codecs: names, specs or labels of the suite's codecs; a name stands for all its points.
        metrics: columns of the suite, whatever their case; `wer` is all of its word errors.

    Raises:
        UsageError: the suite has no such corpus, codec or metric.
    """
    changes: dict[str, object] = {}
    entries = suite.corpora
    if corpora:
        entries, replaced = _corpora(suite, corpora)
        changes["name"] = f"{suite.name}-custom" if replaced else suite.name
    if limit is not None:
        entries = [_limited(entry, limit) for entry in entries]
    changes["corpora"] = entries
    if codecs:
        changes["codecs"] = _picked(
            suite.codecs, _split(codecs), _codec_names, what="codec", suite=suite
        )
    if metrics:
        columns = [column.strip() for text in metrics for column in text.split(",")]
        changes["metrics"] = _picked(
            suite.metrics, columns, _metric_names, what="metric", suite=suite
        )
    return suite.model_copy(update=changes)


def _split(texts: Sequence[str]) -> list[str]:
    return [spec.strip() for text in texts for spec in BETWEEN_SPECS.split(text)]


def _limited(entry: CorpusEntry, limit: int) -> CorpusEntry:
    if entry.limit is not None and entry.limit <= limit:
        return entry
    # The pinned digest is that of the items the suite takes.
    return entry.model_copy(update={"limit": limit, "digest": None})


def _corpora(suite: Suite, wanted: Sequence[str]) -> tuple[list[CorpusEntry], bool]:
    """The suite's corpora that are wanted, or others in their place; whether they are others."""
    try:
        own = _picked(suite.corpora, _split(wanted), _corpus_names, what="corpus", suite=suite)
    except UsageError:
        others = [_other(text) for text in wanted]
        if None in others:
            raise
        return [other for other in others if other is not None], True
    return own, False


def _other(text: str) -> CorpusEntry | None:
    """A folder, or a corpus that synbench knows."""
    if Path(text).expanduser().is_dir():
        path = str(Path(text).expanduser().resolve())
        return CorpusEntry(corpus="folder", options={"path": path})
    with contextlib.suppress(SynbenchError):
        name, options = parse_spec(text)
        if name in known_corpora.names():
            return CorpusEntry(corpus=name, options=anchored(options, Path.cwd()))
    return None


def _picked(
    entries: Sequence[Entry],
    wanted: Sequence[str],
    names_of: Callable[[Entry, str], Sequence[str]],
    *,
    what: str,
    suite: Suite,
) -> list[Entry]:
    picked: list[int] = []
    for text in filter(None, wanted):
        asked = _plain(text)
        matching = [
            number
            for number, entry in enumerate(entries)
            if asked in map(str.casefold, names_of(entry, text))
        ]
        if not matching:
            there = [names_of(entry, text)[0] for entry in entries]
            raise UsageError(
                f"suite {suite.name} has no {what} {text!r}; {suggestion(text, there)}; "
                f"for another {what}: synbench suites copy {suite.name}"
            )
        picked += matching
    return [entries[number] for number in sorted(set(picked))]


def _plain(text: str) -> str:
    return text.strip().casefold()


def _corpus_names(entry: CorpusEntry, text: str) -> list[str]:
    spec = format_spec(entry.corpus, entry.options)
    return [entry.name or spec, spec, entry.corpus, *_same(text, entry.corpus, entry.options)]


def _codec_names(entry: CodecEntry, text: str) -> list[str]:
    spec = format_spec(entry.codec, entry.options)
    names = [spec, entry.codec, *_same(text, entry.codec, entry.options)]
    if entry.label:
        return [*names, entry.label]
    # Only what looks like a label is worth loading a codec for.
    return names if ":" in text or text in synbench_codecs.names() else [*names, _label(spec)]


def _same(text: str, name: str, options: object) -> list[str]:
    """``text`` itself where it is the same codec or corpus written otherwise."""
    with contextlib.suppress(SynbenchError):
        other, typed = parse_spec(text)
        if other == name and typed and anchored(typed, Path.cwd()) == options:
            return [text.strip()]
    return []


def _label(spec: str) -> str:
    with contextlib.suppress(SynbenchError):
        return str(synbench_codecs.load(spec).info.label)
    return ""


def _metric_names(column: str, text: str) -> list[str]:
    own = synbench_metrics.family(column)[:1] or (column,)
    meant = own[0] in synbench_metrics.family(text)
    return [column, *own, *([text.strip()] if meant else [])]
