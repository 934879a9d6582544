"""What a corpus's transcripts mean for the columns that need them, said before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import synbench_metrics
from synbench.corpora import Corpus
from synbench.doubt import script_warning
from synbench_metrics import MetricInfo, base_language

# Items that name no language are taken for English.
ENGLISH = ("", "en")

__all__ = ["transcript_note"]


def transcript_note(corpus: Corpus, metrics: Iterable[MetricInfo]) -> str:
    """A sentence for each thing that is wrong with them, or an empty string."""
    columns_of_run = list(metrics)
    notes = list(_foreign(corpus, columns_of_run))
    needing = [info for info in columns_of_run if "transcript" in info.needs]
    if not needing:
        return "; ".join(notes)
    said = [item.transcript for item in corpus.items if item.transcript]
    absent = len(corpus.items) - len(said)
    if absent:
        columns = ", ".join(info.column for info in needing)
        notes.append(
            f"{'no' if not said else f'{absent} of {len(corpus.items)} items without a'} "
            f"transcript, so {'no' if not said else 'as many without a'} score of {columns}: put "
            f"it into NAME.txt beside NAME.wav, name a manifest with the column transcript, or "
            f"take a column that needs none (dwer_...)"
        )
    english = any(info.column.endswith("_english") for info in needing)
    # Items of other languages have no such score.
    compared = [item.transcript for item in corpus.items if base_language(item.language) in ENGLISH]
    scripts = synbench_metrics.other_scripts("".join(compared)) if english else ()
    if scripts:
        notes.append(script_warning(scripts))
    return "; ".join(notes)


def _foreign(corpus: Corpus, metrics: Iterable[MetricInfo]) -> Iterator[str]:
    """What is said of items that a column cannot hear, or whose language nobody names."""
    counts = Counter(base_language(item.language) for item in corpus.items)
    asked = list(metrics)
    for languages in sorted({info.languages for info in asked if info.languages}):
        others = {name: count for name, count in counts.items() if name not in ("", *languages)}
        if others:
            columns = ", ".join(info.column for info in asked if info.languages == languages)
            spoken = ", ".join(f"{count} in {name}" for name, count in sorted(others.items()))
            yield (
                f"{columns} hear {' and '.join(languages)} only, and of {len(corpus.items)} items "
                f"{spoken}: these have no such score; take wer_ or cer_..._multilingual"
            )
    unnamed = [info.column for info in asked if "language" in info.needs]
    if unnamed and counts[""]:
        yield (
            f"{counts['']} of {len(corpus.items)} items name no language, so as many have no score "
            f"of {', '.join(unnamed)}: a manifest has it in the column language"
        )
