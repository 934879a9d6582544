"""Which utterances are heard: drawn by a seed, spread over speakers and over scores."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from synbench.errors import UsageError
from synbench_listening.design.run_material import Candidate
from synbench_listening.design.study import Items

__all__ = ["choose_items"]


def choose_items(
    candidates: Sequence[Candidate], *, items: Items, training: int, seed: int
) -> tuple[list[Candidate], list[Candidate]]:
    """The items of the test and, apart from them, those of the training.

    With scores the candidates are cut into as many strata of equal size as items are wanted, and
    each stratum gives one. Within what is allowed, the speaker heard least so far comes first.
    Of utterances under several conditions only those count that are there under all of them, and
    each is then chosen with all its forms; ``count`` and ``training`` are of utterances.

    Raises:
        UsageError: too few candidates; the message says how many are left by which rule.
    """
    forms = _forms(candidates, len(items.conditions) or 1)
    candidates = [_averaged(each) for each in forms.values()]
    known = {candidate.item for candidate in candidates}
    unknown = sorted({*items.only, *items.without} - known)
    if unknown:
        raise UsageError(f"the run has no usable item {unknown[0]!r}; see: synbench export --rows")
    allowed = [
        candidate
        for candidate in candidates
        if items.minimum_seconds <= candidate.seconds <= items.maximum_seconds
        and candidate.item not in items.without
        and (not items.only or candidate.item in items.only)
    ]
    under = " under all conditions" if items.conditions else ""
    if len(allowed) < items.count + training:
        raise UsageError(
            f"{items.count} items and {training} for training are wanted; of {len(candidates)} "
            f"decoded by all systems{under}, {len(allowed)} last from {items.minimum_seconds:g} to "
            f"{items.maximum_seconds:g} s: lower items.count or training_items, "
            "or move items.minimum_seconds and items.maximum_seconds"
        )
    generator = random.Random(f"items {seed}")
    shuffled = sorted(allowed, key=lambda candidate: candidate.item)
    generator.shuffle(shuffled)
    heard: Counter[str] = Counter()
    chosen = _draw(shuffled, items.count, heard, generator)
    taken = {candidate.item for candidate in chosen}
    rest = [candidate for candidate in shuffled if candidate.item not in taken]
    trained = _draw(rest, training, heard, generator)
    return (
        [form for candidate in chosen for form in forms[candidate.item]],
        [form for candidate in trained for form in forms[candidate.item]],
    )


def _forms(candidates: Sequence[Candidate], count: int) -> dict[str, list[Candidate]]:
    """By utterance all its forms, where it has one under each of ``count`` conditions."""
    by_utterance: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_utterance.setdefault(candidate.utterance or candidate.item, []).append(candidate)
    return {utterance: forms for utterance, forms in by_utterance.items() if len(forms) == count}


def _averaged(forms: Sequence[Candidate]) -> Candidate:
    """One candidate for all forms of an utterance, with the mean of their scores."""
    scores = [form.score for form in forms if form.score is not None]
    name = forms[0].utterance or forms[0].item
    score = sum(scores) / len(scores) if len(scores) == len(forms) else None
    return replace(forms[0], item=name, score=score)


def _draw(
    candidates: Sequence[Candidate], count: int, heard: Counter[str], generator: random.Random
) -> list[Candidate]:
    if not count:
        return []
    if all(candidate.score is not None for candidate in candidates):
        ordered = sorted(candidates, key=lambda candidate: candidate.score or 0.0)
        edges = [round(k * len(ordered) / count) for k in range(count + 1)]
        strata = [ordered[low:high] for low, high in itertools.pairwise(edges)]
        generator.shuffle(strata)
        for stratum in strata:
            generator.shuffle(stratum)
        return [_take(stratum, heard) for stratum in strata]
    left = list(candidates)
    return [_take(left, heard) for _ in range(count)]


def _take(candidates: list[Candidate], heard: Counter[str]) -> Candidate:
    best = min(candidates, key=lambda candidate: heard[candidate.speaker])
    candidates.remove(best)
    heard[best.speaker] += 1
    return best
