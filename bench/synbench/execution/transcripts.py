"""What a corpus's transcripts mean for the columns that need them, said before anything runs."""

from __future__ import annotations

from collections.abc import Iterable

import synbench_metrics
from synbench.corpora import Corpus
from synbench.doubt import script_warning
from synbench_metrics import MetricInfo

__all__ = ["transcript_note"]


def transcript_note(corpus: Corpus, metrics: Iterable[MetricInfo]) -> str:
    """A sentence for each thing that is wrong with them, or an empty string."""
    needing = [info for info in metrics if "transcript" in info.needs]
    if not needing:
        return ""
    said = [item.transcript for item in corpus.items if item.transcript]
    absent = len(corpus.items) - len(said)
    notes = []
    if absent:
        columns = ", ".join(info.column for info in needing)
        notes.append(
            f"{'no' if not said else f'{absent} of {len(corpus.items)} items without a'} "
            f"transcript, so {'no' if not said else 'as many without a'} score of {columns}: put "
            f"it into NAME.txt beside NAME.wav, name a manifest with the column transcript, or "
            f"take a column that needs none (dwer_...)"
        )
    english = any(info.column.endswith("_english") for info in needing)
    scripts = synbench_metrics.other_scripts("".join(said)) if english else ()
    if scripts:
        notes.append(script_warning(scripts))
    return "; ".join(notes)
