"""Codecs and metrics that were trained on the speech they now code or judge.

Declared training data are names of corpora, as the authors state them. A corpus of a run counts as
the same where its name begins with that name; corpora cut from one source share speakers, so a
reader learns of them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LIBRIVOX = (
    "LibriSpeech",
    "LibriTTS",
    "Libri-Light",
    "MLS",
    "Multilingual LibriSpeech",
    "LibriHeavy",
)

__all__ = ["overlaps_of", "training_overlap"]


def training_overlap(training_data: Iterable[str], corpus: str, *, judges: bool = False) -> str:
    """What a reader of scores on ``corpus`` must know, or empty.

    Args:
        training_data: names of corpora that a codec or metric was trained on.
        corpus: name of the corpus that is coded and scored.
        judges: whether it is a metric, which judges the speech, and not a codec, which codes it.

    >>> training_overlap(["VCTK"], "vctk-test")[:16]
    'trained on VCTK,'
    >>> training_overlap(["VCTK"], "librispeech")
    ''
    """
    effect = (
        "it may judge this speech otherwise than speech it never heard"
        if judges
        else "scores here may flatter it beside codecs that never heard it"
    )
    sources = list(training_data)
    for source in sources:
        if _is_part(corpus, source):
            return f"trained on {source}, of which {corpus} is a part or a neighbour: {effect}"
    if any(_is_part(corpus, name) for name in LIBRIVOX):
        for source in sources:
            if source in LIBRIVOX:
                return (
                    f"trained on {source}, which like {corpus} is cut from the audiobooks of "
                    f"LibriVox and may share its speakers: {effect}"
                )
    return ""


def overlaps_of(
    codecs: Mapping[str, Iterable[str]], metrics: Mapping[str, Iterable[str]], corpus: str
) -> list[tuple[str, str]]:
    """Label and text of each codec and metric, by label, whose training data the corpus touches."""
    notes = [(label, training_overlap(heard, corpus)) for label, heard in codecs.items()]
    notes += [
        (label, training_overlap(heard, corpus, judges=True)) for label, heard in metrics.items()
    ]
    return [(label, text) for label, text in notes if text]


def _is_part(corpus: str, source: str) -> bool:
    return bool(_letters(source)) and _letters(corpus).startswith(_letters(source))


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
