"""Which utterances are heard: drawn by a seed, spread over speakers and over scores."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence

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

    Raises:
        UsageError: too few candidates; the message says how many are left by which rule.
    """
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
    if len(allowed) < items.count + training:
        raise UsageError(
            f"{items.count} items and {training} for training are wanted; of {len(candidates)} "
            f"decoded by all systems, {len(allowed)} last from {items.minimum_seconds:g} to "
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
    return chosen, _draw(rest, training, heard, generator)


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
