"""Marks that tie a number to its footnote: letters for metrics, daggers for notes on weights."""

from __future__ import annotations

import string

from synbench.results.planned import PlannedRun

DAGGERS = ("\N{DAGGER}", "\N{DOUBLE DAGGER}", "\N{SECTION SIGN}", "\N{PILCROW SIGN}")

__all__ = ["codec_marks", "metric_marks"]


def metric_marks(planned: PlannedRun) -> dict[str, str]:
    """By metric id, in the order of the suite: a to z, then aa, bb and so on."""
    letters = string.ascii_lowercase
    return {
        metric.metric_id: letters[metric_index % 26] * (1 + metric_index // 26)
        for metric_index, metric in enumerate(planned.metrics)
    }


def codec_marks(planned: PlannedRun) -> dict[str, str]:
    """By codec id; codecs with the same note on their weights share a mark, others have none."""
    notes = dict.fromkeys(codec.training_note for codec in planned.codecs if codec.training_note)
    marks = {
        note: DAGGERS[index % len(DAGGERS)] * (1 + index // len(DAGGERS))
        for index, note in enumerate(notes)
    }
    return {
        codec.codec_id: marks[codec.training_note]
        for codec in planned.codecs
        if codec.training_note
    }
