"""Word and character errors: what a recogniser hears against what was said.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1
    sample_rate   16 kHz only
    transcript    what is said (``wer_*``, ``cer_*``)
    reference     the original; what the recogniser hears in it is the reference text (``dwer_*``)
    value         errors over reference words (or characters), 0 and up, smaller is better

The column names everything that moves the number: the measure, the recogniser, the normaliser, as
in ``wer_pocketsphinx_english``. ``english`` is Whisper's English normaliser (contractions, numbers,
spelling, no case, no punctuation), applied to both texts after the rules of
:mod:`synbench_metrics._written_text`: a typographic apostrophe is an apostrophe, an invisible mark
is nothing, and vowel signs of other scripts are kept. Characters include spaces.

``multilingual`` columns hear and normalise in the language of the item (``language`` in a
manifest): English as above, others by Whisper's basic normaliser (no case, no punctuation) after
the same rules. Where words are written without gaps (Chinese, Japanese, Thai, Lao, Burmese, Khmer)
words cannot be counted: take ``cer_*``, which leaves all spaces out there. A column for English has
no score of an item in another language; an item that names none is taken for English.

The score of one item is its own error rate. A table shows that of the corpus, all errors over all
reference words, for which each score is weighted by its number of reference words: on the lists
["ten words", "a"] with one error in "a" that is 1/11, where the mean of the items would be 0.5.
Counts of substitutions, deletions, insertions and both texts are kept beside each score.

A reference text without a word has no error rate (a library would return the number of insertions):
such an item is not applicable.

Pitfalls
    - A recogniser repairs words that a listener would miss, and trips over artefacts that nobody
      hears. The order of codecs can depend on it: show two.
    - Errors on the original come on top: show the row of the reference, or use `dwer_*`, in which
      both share the recogniser's mistakes.
    - `wer` of a short utterance takes few values; compare over a corpus, never a single file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from synbench_base.errors import NotApplicable
from synbench_base.packages import install, installed_version, requires
from synbench_metrics._interface import Measured, Metric, MetricInfo, Needs, Wave
from synbench_metrics._languages import WITHOUT_GAPS
from synbench_metrics._moonshine import features as moonshine_features
from synbench_metrics._packages import INSTALL, TORCH, TRANSFORMERS
from synbench_metrics._recognise import CHECKPOINTS, LONGEST_SECONDS, transcripts
from synbench_metrics._weights import has_weights
from synbench_metrics._written_text import VERSION, normalised, other_scripts

Unit = Literal["words", "characters"]
ENGLISH = "en"

__all__ = ["METRICS", "count_errors", "error_rate", "moonshine_features", "self_error_rate"]


def error_rate(
    *,
    degraded: Wave,
    sample_rate: int,
    transcript: str,
    recogniser: str,
    unit: Unit,
    language: str = "",
) -> Measured:
    """Error rate against what is said.

    Raises:
        NotApplicable: nothing is said, or the wave is longer than the recogniser hears at once.
    """
    return error_rates(
        degraded=degraded[None],
        sample_rate=sample_rate,
        transcript=transcript,
        recogniser=recogniser,
        unit=unit,
        language=language,
    )[0]


def error_rates(
    *,
    degraded: Wave,
    sample_rate: int,
    transcript: str,
    recogniser: str,
    unit: Unit,
    language: str = "",
) -> list[Measured]:
    """The same for waves ``(batch, samples)`` of one transcript."""
    _check_countable(unit, language)
    heard = transcripts(_told(recogniser, language), degraded)
    return [
        count_errors(reference=transcript, hypothesis=each, unit=unit, language=language)
        for each in heard
    ]


def self_error_rate(
    *, reference: Wave, degraded: Wave, sample_rate: int, recogniser: str, language: str = ""
) -> Measured:
    """Word error rate against what the recogniser hears in the original.

    Raises:
        NotApplicable: it hears no word there, or the wave is longer than it hears at once.
    """
    return self_error_rates(
        reference=reference,
        degraded=degraded[None],
        sample_rate=sample_rate,
        recogniser=recogniser,
        language=language,
    )[0]


def self_error_rates(
    *, reference: Wave, degraded: Wave, sample_rate: int, recogniser: str, language: str = ""
) -> list[Measured]:
    """The same for degraded waves ``(batch, samples)`` of one original."""
    _check_countable("words", language)
    told = _told(recogniser, language)
    (said,) = transcripts(told, reference[None])
    heard = transcripts(told, degraded)
    return [
        count_errors(reference=said, hypothesis=each, unit="words", language=language)
        for each in heard
    ]


def _told(recogniser: str, language: str) -> str:
    """The recogniser's name with the language that it is told to hear."""
    return f"{recogniser}:{language}" if language else recogniser


def _check_countable(unit: Unit, language: str) -> None:
    if unit == "words" and language in WITHOUT_GAPS:
        raise NotApplicable(
            f"the language {language!r} is written without gaps between words, so they cannot be "
            "counted: take cer_*_multilingual"
        )


def count_errors(*, reference: str, hypothesis: str, unit: Unit, language: str = "") -> Measured:
    """Errors of one text against another, both normalised here.

    Args:
        language: of both, two letters; English where it is empty.

    Raises:
        NotApplicable: no word is left of the reference.
    """
    import jiwer

    said, heard = (
        normalised(text, _normaliser(language or ENGLISH)) for text in (reference, hypothesis)
    )
    if language in WITHOUT_GAPS:
        said, heard = said.replace(" ", ""), heard.replace(" ", "")
    if not any(letter.isalnum() for letter in said):
        raise NotApplicable("the reference text has no word")
    if unit == "words":
        alignment: Any = jiwer.process_words(said, heard)
    else:
        alignment = jiwer.process_characters(said, heard)
    errors = alignment.substitutions + alignment.deletions + alignment.insertions
    units = alignment.hits + alignment.substitutions + alignment.deletions
    return Measured(
        value=errors / units,
        weight=float(units),
        details={
            "hits": alignment.hits,
            "substitutions": alignment.substitutions,
            "deletions": alignment.deletions,
            "insertions": alignment.insertions,
            "reference": said,
            "hypothesis": heard,
            **(_scripts(reference) if language in ("", ENGLISH) else {}),
        },
    )


def _scripts(text: str) -> dict[str, str]:
    """Which scripts the English normaliser met in the reference; nothing where it met none."""
    scripts = other_scripts(text)
    return {"other_scripts": ", ".join(scripts)} if scripts else {}


@functools.cache
def _normaliser(language: str) -> Any:
    if language == ENGLISH:
        from whisper_normalizer.english import EnglishTextNormalizer

        return EnglishTextNormalizer()
    from whisper_normalizer.basic import BasicTextNormalizer

    return BasicTextNormalizer()


@dataclass(frozen=True, kw_only=True)
class _Recogniser:
    """What the columns of one recogniser have in common.

    Attributes:
        name: as in the columns.
        label: for the headings of tables.
        package: what runs it, as pip calls it.
        how: the model and its settings.
        check: that it can run here.
        longest_seconds: what it hears at once.
        multilingual: whether it can be told a language.
    """

    name: str
    label: str
    package: str
    how: str
    licence: str
    batch: bool
    cost: float
    source: str
    check: Callable[[], None]
    longest_seconds: float = LONGEST_SECONDS
    training_data: tuple[str, ...] = ()
    multilingual: bool = False


def _info(measure: str, engine: _Recogniser, *, english: bool) -> MetricInfo:
    needs: set[Needs] = {"reference"} if measure == "dwer" else {"transcript"}
    rules = "English normaliser" if english else "English normaliser, or basic one by language,"
    return MetricInfo(
        column=f"{measure}_{engine.name}_{'english' if english else 'multilingual'}",
        label=(
            f"{measure.upper().replace('DW', 'dW')} ({engine.label}"
            f"{'' if english else ', by language'})"
        ),
        unit="",
        direction="down",
        minimum=0.0,
        maximum=None,
        sample_rates=(16000,),
        needs=frozenset(needs if english else needs | {"language"}),
        minimum_seconds=0.1,
        longest_seconds=engine.longest_seconds,
        implementation=engine.package,
        version=installed_version(engine.package),
        mode=(
            f"{engine.how if english else engine.how.replace('English', 'language of the item')}; "
            f"jiwer {installed_version('jiwer')}, {rules} of "
            f"whisper_normalizer {installed_version('whisper-normalizer')} after text rules "
            f"{VERSION} (typographic apostrophes, invisible characters, marks of other scripts "
            f"kept); all errors over all words of the corpus"
        ),
        licence=engine.licence,
        batch_policy="equal_length" if engine.batch else "single",
        pooling="weighted_mean",
        cpu_seconds_per_audio_second=engine.cost,
        source=engine.source,
        training_data=engine.training_data,
        languages=(ENGLISH,) if english else (),
    )


_texts = requires(jiwer="jiwer", whisper_normalizer="whisper-normalizer", advice=INSTALL)


def _pocketsphinx() -> _Recogniser:
    engine = requires(pocketsphinx="pocketsphinx", advice=INSTALL)

    def check() -> None:
        _texts()
        engine()

    return _Recogniser(
        name="pocketsphinx",
        label="PocketSphinx",
        package="pocketsphinx",
        how="its own en-us model",
        licence="BSD-2-Clause",
        batch=False,
        cost=0.2,
        source="Huggins-Daines et al. 2006, doi:10.1109/ICASSP.2006.1659988",
        check=check,
        longest_seconds=1800.0,
    )


def _by_transformers(name: str) -> Callable[[], None]:
    """A check that the recogniser of this name can run through transformers."""
    return has_weights(
        CHECKPOINTS[name],
        _texts,
        requires(torch="torch", advice=TORCH),
        requires(transformers="transformers", advice=TRANSFORMERS),
    )


def _whisper(name: str, label: str) -> _Recogniser:
    return _Recogniser(
        name=name,
        label=label,
        package="transformers",
        how=f"openai/{name}, English, greedy",
        licence="Apache-2.0 (transformers, openai/whisper)",
        batch=True,
        cost=1.5,
        source="Radford et al. 2023, arXiv:2212.04356",
        check=_by_transformers(name),
        multilingual=True,
    )


HUBERT = _Recogniser(
    name="hubert_large",
    label="HuBERT large",
    package="transformers",
    how="facebook/hubert-large-ls960-ft, CTC, best path",
    licence="Apache-2.0 (transformers, facebook/hubert-large-ls960-ft)",
    batch=True,
    cost=0.5,
    source="Hsu et al. 2021, arXiv:2106.07447",
    check=_by_transformers("hubert_large"),
    training_data=("LibriSpeech", "Libri-Light"),
)
MOONSHINE = _Recogniser(
    name="moonshine_tiny",
    label="Moonshine tiny",
    package="onnxruntime",
    how="moonshine-voice 0.0.73, tiny-en, greedy",
    licence="MIT",
    batch=False,
    cost=0.04,
    source="Jeffries et al. 2024, arXiv:2410.15608",
    check=has_weights(
        CHECKPOINTS["moonshine_tiny"], _texts, requires(onnxruntime="onnxruntime", advice=INSTALL)
    ),
    training_data=(
        "Common Voice",
        "AMI",
        "GigaSpeech",
        "LibriSpeech",
        "MLS",
        "People's Speech",
    ),
)
WHISPER_TINY = _Recogniser(
    name="whisper_tiny_en",
    label="Whisper tiny.en",
    package="faster-whisper",
    how="openai/whisper-tiny.en, float32, greedy, no timestamps",
    licence="MIT (faster-whisper, openai/whisper)",
    batch=False,
    cost=0.15,
    source="Radford et al. 2023, arXiv:2212.04356",
    check=has_weights(
        CHECKPOINTS["whisper_tiny_en"],
        _texts,
        requires(faster_whisper="faster-whisper", advice=install("whisper")),
    ),
)


def _metrics(engine: _Recogniser) -> Iterator[Metric]:
    recogniser = engine.name
    computations: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "wer": (
            partial(error_rate, recogniser=recogniser, unit="words"),
            partial(error_rates, recogniser=recogniser, unit="words"),
        ),
        "cer": (
            partial(error_rate, recogniser=recogniser, unit="characters"),
            partial(error_rates, recogniser=recogniser, unit="characters"),
        ),
        "dwer": (
            partial(self_error_rate, recogniser=recogniser),
            partial(self_error_rates, recogniser=recogniser),
        ),
    }
    checkpoints = (CHECKPOINTS[recogniser],) if recogniser in CHECKPOINTS else ()
    for english in (True, False) if engine.multilingual else (True,):
        for measure, (single, batch) in computations.items():
            info = _info(measure, engine, english=english)
            yield Metric(info, single, engine.check, checkpoints, batch)


METRICS = (
    # The first is what `wer` alone means: small, and it hears far better than PocketSphinx.
    *_metrics(MOONSHINE),
    *_metrics(_pocketsphinx()),
    *_metrics(WHISPER_TINY),
    *_metrics(_whisper("whisper_large_v3", "Whisper large-v3")),
    *_metrics(_whisper("whisper_small", "Whisper small")),
    *_metrics(HUBERT),
)
