"""What a table has to say about its own numbers: warnings first, then how they were made."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from synbench.doubt import MEASURES, doubts
from synbench.results.cells import MISSING, NOT_PLANNED, OK, Cells
from synbench.results.planned import PlannedCorpus, PlannedMetric, PlannedRun
from synbench.statistics.means import CONFIDENCE, FEW_CLUSTERS, TAIL_CLUSTERS
from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench.statistics.power import TARGET_POWER
from synbench.training_overlap import overlaps_of
from synbench_metrics.frechet import is_small
from synbench_reports.tables.best import Doubts
from synbench_reports.tables.columns import Filled
from synbench_reports.tables.delays import limit_notes
from synbench_reports.tables.footnotes import codec_marks, metric_marks
from synbench_reports.tables.table import Note

REASONS_SHOWN = 5
# With more speakers or items than this nobody asks how many more it takes.
MANY_CLUSTERS = 40
UNSURE_INTERVALS = "the intervals of skewed scores hold less often than they promise"
DIGEST_DIGITS = 12
# Measure and recogniser of a column of word or character errors.
RECOGNISER_COLUMN = re.compile(r"(d?wer|cer)_(.+)_(?:english|multilingual)")

__all__ = ["corpus_notes", "run_notes"]


def run_notes(planned: PlannedRun) -> tuple[Note, ...]:
    """What holds for every table of the run."""
    daggers = codec_marks(planned)
    notes = [
        Note(level="warning", subject=f"{skipped.kind} {skipped.name}", text=f"skipped: {reason}")
        for skipped in planned.skipped
        for reason in [_one_line(skipped.reason)]
    ]
    notes += [
        Note(
            level="warning",
            subject=codec.label,
            text=_one_line(codec.training_note),
            mark=daggers[codec.codec_id],
        )
        for codec in planned.codecs
        if codec.training_note
    ]
    notes += [_metric_note(metric, planned) for metric in planned.metrics]
    return (*notes, *limit_notes(planned), *_general_notes(planned))


def corpus_notes(
    planned: PlannedRun,
    corpus: PlannedCorpus,
    cells: Cells,
    doubts: Doubts,
    columns: Sequence[Filled],
) -> tuple[Note, ...]:
    """What holds for the table of one corpus; ``doubts`` are those about its marks."""
    digest = f"{corpus.items} items, {corpus.seconds:.0f} s, digest {corpus.digest[:DIGEST_DIGITS]}"
    notes = [_warning(corpus.name, _one_line(corpus.note))] if corpus.note else []
    notes.append(Note(level="note", subject=f"Corpus {corpus.name}", text=digest))
    notes += _repeated(planned, corpus)
    notes += _trained_on(planned, corpus)
    notes += _missing(planned, cells)
    notes += _failures(cells)
    notes += _mismatched(planned, cells)
    notes += _few_items(planned, cells)
    notes += _few_speakers(cells)
    notes += _long_tails(planned, cells, columns)
    notes += _recognisers(planned, columns)
    notes += _out_of_reach(planned, doubts.reach)
    notes += _needed(planned, cells, doubts.needed)
    notes += _pooled(planned, cells)
    notes += _headers(cells)
    notes += _doubtful(planned, corpus, cells)
    return tuple(notes)


def _repeated(planned: PlannedRun, corpus: PlannedCorpus) -> list[Note]:
    """Which codecs had no concealment of their own, where that was asked for."""
    if corpus.conceal != "codec":
        return []
    without = [codec.label for codec in planned.codecs if not codec.conceals]
    text = "bridged by the decoder itself" + (
        f"; {', '.join(without)}: the last frame that arrived is decoded again" if without else ""
    )
    return [Note(level="note", subject="Lost frames", text=text)]


def _warning(subject: str, text: str) -> Note:
    return Note(level="warning", subject=subject, text=text)


def _trained_on(planned: PlannedRun, corpus: PlannedCorpus) -> list[Note]:
    """Codecs and metrics whose weights have heard this corpus, or a relative of it, before."""
    codecs = {codec.label: codec.training_data for codec in planned.codecs}
    metrics = {metric.label: metric.training_data for metric in planned.metrics}
    name = corpus.clean or corpus.name
    return [_warning(label, text) for label, text in overlaps_of(codecs, metrics, name)]


def _metric_note(metric: PlannedMetric, planned: PlannedRun) -> Note:
    rates = " or ".join(str(rate) for rate in metric.sample_rates)
    resampler = planned.policy.get("resampler", "an unnamed resampler")
    parts = [
        f"{metric.implementation} {metric.version}",
        metric.mode,
        f"weights {metric.weights_sha256[:DIGEST_DIGITS]}" if metric.weights_sha256 else "",
        f"at {rates} Hz, resampled by {resampler}" if rates else "at the corpus's sample rate",
        metric.source,
    ]
    mark = metric_marks(planned)[metric.metric_id]
    return Note(level="note", subject=metric.label, text="; ".join(filter(None, parts)), mark=mark)


def _general_notes(planned: PlannedRun) -> list[Note]:
    policy = ", ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in sorted(planned.policy.items())
    )
    interval = (
        f"half the width of the {CONFIDENCE:.0%} interval of the mean of all items (Student's t "
        "corrected for skewness, over speakers where the corpus names several, else over items); "
        "exports hold both ends"
    )
    marks = (
        "the best of its column, anchors apart; decided on the items that all of them have, and "
        "shared by all that print the same"
    )
    ties = (
        "not told from the best by the same t-test of the mean difference (Holm over all pairs of "
        f"codecs in the column of this table, {SIGNIFICANCE:.0%} for the whole column); that is no "
        "proof of equality"
    )
    second = "underlined (in italics in Markdown)"
    rate = "payload bits over the duration of the coded items; declared where no bitstream exists"
    rtf = f"seconds of work over seconds of audio, measured on {planned.processor}"
    texts = {
        "±": interval,
        "Bold or *": marks,
        "Second": second,
        "~": ties,
        "kbit/s": rate,
        "RTF": rtf,
        "Policy": policy,
    }
    return [Note(level="note", subject=subject, text=text) for subject, text in texts.items()]


def _missing(planned: PlannedRun, cells: Cells) -> list[Note]:
    """Cells without a score, apart for what could not run and for an unfinished run."""
    codecs = np.array([bool(codec.missing) for codec in planned.codecs], dtype=bool)
    metrics = np.array([bool(metric.missing) for metric in planned.metrics], dtype=bool)
    unable = int(np.count_nonzero(cells.status[:, codecs[:, None] | metrics] == MISSING))
    missing = int(np.count_nonzero(cells.status == MISSING)) - unable
    total = int(np.count_nonzero(cells.status != NOT_PLANNED))
    notes = []
    if unable:
        what = " or ".join(
            one for one, some in (("codec", codecs), ("metric", metrics)) if some.any()
        )
        text = f"{unable} of {total} planned, because a {what} could not run"
        notes.append(_warning("Missing scores", text))
    if missing:
        text = f"{missing} of {total} planned; the same `synbench run` continues with them"
        notes.append(_warning("Missing scores", text))
    return notes


def _failures(cells: Cells) -> list[Note]:
    notes = [
        _warning("Failed scores", f"{count} x {_one_line(reason)}")
        for reason, count in cells.failures[:REASONS_SHOWN]
    ]
    more = cells.failures[REASONS_SHOWN:]
    if more:
        count = sum(count for _, count in more)
        notes.append(_warning("Failed scores", f"{count} x {len(more)} other reasons"))
    return notes


def _mismatched(planned: PlannedRun, cells: Cells) -> list[Note]:
    """Metrics whose means are over other items for one codec than for another."""
    texts = defaultdict(list)
    for metric_index, metric in enumerate(planned.metrics):
        scored = cells.status[:, :, metric_index] == OK
        counts = scored.sum(axis=0)
        present = np.flatnonzero(counts)
        if (
            len(present) < 2
            or (scored[:, present].any(axis=1) == scored[:, present].all(axis=1)).all()
        ):
            continue
        named = [
            f"{count} of {_named(planned, present[counts[present] == count])}"
            for count in sorted(set(counts[present].tolist()), reverse=True)
        ]
        common = int(scored[:, present].all(axis=1).sum())
        texts[f"{'; '.join(named)}; {common} common to all"].append(metric.label)
    return [
        _warning(", ".join(metrics), f"means over different items: {text}")
        for text, metrics in texts.items()
    ]


def _few_items(planned: PlannedRun, cells: Cells) -> list[Note]:
    counts = (cells.status == OK).sum(axis=0)
    few = (counts > 0) & (counts < FEW_CLUSTERS)
    cases: dict[str, list[str]] = defaultdict(list)
    for metric_index, metric in enumerate(planned.metrics):
        codecs = np.flatnonzero(few[:, metric_index])
        if len(codecs):
            everywhere = len(codecs) == np.count_nonzero(counts[:, metric_index])
            cases["all codecs" if everywhere else _named(planned, codecs)].append(metric.label)
    text = f"fewer than {FEW_CLUSTERS} items: {UNSURE_INTERVALS}"
    return [_warning(", ".join(metrics), f"{text} ({named})") for named, metrics in cases.items()]


def _few_speakers(cells: Cells) -> list[Note]:
    if cells.speakers is None:
        return []
    speakers = len(np.unique(cells.clusters))
    text = f"intervals are over {speakers} speakers"
    if speakers < FEW_CLUSTERS:
        return [_warning("±", f"{text}; with fewer than {FEW_CLUSTERS} {UNSURE_INTERVALS}")]
    return [Note(level="note", subject="±", text=text)]


def _long_tails(planned: PlannedRun, cells: Cells, columns: Sequence[Filled]) -> list[Note]:
    """Means that few speakers carry, where there are not many."""
    carried = {
        column.label: np.array([cell.long_tail for cell in column_cells], dtype=bool)
        for column, column_cells in columns
    }
    parts = [
        f"{label} of {_named(planned, np.flatnonzero(codecs))}"
        for label, codecs in carried.items()
        if codecs.any()
    ]
    if not parts:
        return []
    unit = "items" if cells.speakers is None else "speakers"
    text = (
        f"few {unit} carry the mean of {'; '.join(parts)}. Of scores with so long a tail fewer "
        f"than {TAIL_CLUSTERS} {unit} are few: a codec whose bad ones were not met looks better "
        "and surer than it is"
    )
    return [Note(level="note", subject="Long tails", text=text)]


def _recognisers(planned: PlannedRun, columns: Sequence[Filled]) -> list[Note]:
    """Word errors of one recogniser alone, or how alike several of them order the codecs."""
    means: dict[str, dict[str, list[float | None]]] = defaultdict(dict)
    for column, column_cells in columns:
        match = RECOGNISER_COLUMN.fullmatch(column.name)
        if match is not None:
            measure, recogniser = match.groups()
            means[measure][recogniser] = [
                None if codec.is_anchor else cell.mean
                for codec, cell in zip(planned.codecs, column_cells, strict=True)
            ]
    heard = sorted({recogniser for by_name in means.values() for recogniser in by_name})
    if not heard:
        return []
    depends = "the order of codecs depends on the recogniser, most of all at low rates"
    if len(heard) == 1:
        text = f"by {heard[0]} alone; {depends}: add the column of a second one"
        return [Note(level="note", subject="Word errors", text=text)]
    parts = []
    for measure, by_name in means.items():
        for first, second in combinations(by_name, 2):
            alike, pairs = _ordered_alike(by_name[first], by_name[second])
            if pairs:
                parts.append(f"{measure} of {first} and {second} agree on {alike} of {pairs} pairs")
    text = "; ".join([depends, *parts])
    return [Note(level="note", subject="Word errors", text=text)]


def _ordered_alike(
    first: Sequence[float | None], second: Sequence[float | None]
) -> tuple[int, int]:
    """Pairs of codecs that two columns order alike, and all pairs that both have."""
    known = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    pairs = list(combinations(known, 2))
    alike = sum(np.sign(one[0] - other[0]) == np.sign(one[1] - other[1]) for one, other in pairs)
    return int(alike), len(pairs)


def _needed(
    planned: PlannedRun, cells: Cells, needed: Mapping[str, Mapping[str, int]]
) -> list[Note]:
    """How many speakers would tell tied codecs from the best, where there are few."""
    if not needed or len(np.unique(cells.clusters)) >= MANY_CLUSTERS:
        return []
    unit = "items" if cells.speakers is None else "speakers"
    labels = {metric.metric_id: metric.label for metric in planned.metrics}
    parts = [
        f"{labels[metric]}: " + ", ".join(f"{codec} {count}" for codec, count in counts.items())
        for metric, counts in needed.items()
    ]
    text = (
        f"{unit} that would tell a codec marked ~ from the best, if the difference is as seen "
        f"(power {TARGET_POWER:.0%}): {'; '.join(parts)}"
    )
    return [Note(level="note", subject="~", text=text)]


def _out_of_reach(planned: PlannedRun, reach: Mapping[str, str]) -> list[Note]:
    metrics: dict[str, list[str]] = defaultdict(list)
    for metric in planned.metrics:
        if metric.metric_id in reach:
            metrics[reach[metric.metric_id]].append(metric.label)
    everywhere = len(metrics) == 1 and len(reach) == len(planned.metrics)
    return [
        _warning(
            "~" if everywhere else f"~ at {', '.join(labels)}",
            f"{text}; ~ is withheld",
        )
        for text, labels in metrics.items()
    ]


def _named(planned: PlannedRun, codecs: Iterable[int]) -> str:
    return ", ".join(planned.codecs[codec_index].label for codec_index in codecs)


def _pooled(planned: PlannedRun, cells: Cells) -> list[Note]:
    """Metrics whose number is no plain mean of their items."""
    notes = []
    for metric_index, metric in enumerate(planned.metrics):
        if metric.is_rate:
            text = "all errors over all reference words of the corpus, not the mean of the items"
            notes.append(Note(level="note", subject=metric.label, text=text))
        dimensions = int(cells.dimensions[metric_index])
        if not dimensions:
            continue
        items = int((cells.status[:, :, metric_index] == OK).sum(axis=0).max())
        text = f"one distance of the corpus: {items} items, {dimensions} dimensions"
        if is_small(items, dimensions):
            text += "; biased upwards for so few items, compare it only with the same items"
            notes.append(_warning(metric.label, text))
        else:
            notes.append(Note(level="note", subject=metric.label, text=text))
    return notes


def _headers(cells: Cells) -> list[Note]:
    if not np.isfinite(cells.measures["header_bits"]).any():
        return []
    text = (
        "Side is what of the payload is no code; Side, file is what .syn files hold beside the "
        "payload (codec, lengths, checksum) and no rate counts"
    )
    return [Note(level="note", subject="Side", text=text)]


def _doubtful(planned: PlannedRun, corpus: PlannedCorpus, cells: Cells) -> list[Note]:
    """Codecs whose decoded waves were moved, cut or clipped, or hardly resemble the originals."""
    notes = []
    for codec_index, codec in enumerate(planned.codecs):
        decoded = cells.decode_status[:, codec_index] == OK
        measures = {name: cells.measures[name][decoded, codec_index] for name in MEASURES}
        for doubt in doubts(
            measures,
            items=len(decoded),
            lag_profiles=cells.lag_profiles[codec_index],
            damaged=bool(corpus.condition),
            padding=False,
        ):
            level: Literal["warning", "note"] = "warning" if doubt.serious else "note"
            notes.append(Note(level=level, subject=codec.label, text=doubt.text))
    return sorted(notes, key=lambda note: note.level != "warning")


def _one_line(text: str) -> str:
    return " ".join(text.split())
