"""Corpora under conditions: each condition of a corpus is a group of cells of its own.

The clean recordings keep the corpus's name, so that results of runs without conditions stay; under
a condition the corpus is called by both names. Items keep their ids.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from synbench.conditions.condition import Condition
from synbench.corpora import Corpus

__all__ = ["Group", "groups", "under"]


@dataclass(frozen=True, kw_only=True)
class Group:
    """A corpus under one condition.

    Attributes:
        corpus: with the name under which rows and tables keep it.
        clean: the same corpus as recorded.
        condition: what is done to it.
    """

    corpus: Corpus
    clean: Corpus
    condition: Condition


def groups(corpora: Iterable[Corpus], conditions: tuple[Condition, ...]) -> tuple[Group, ...]:
    """Every corpus under every condition, clean first; only clean where there are no conditions."""
    wanted = conditions or (Condition(label="clean"),)
    return tuple(
        Group(corpus=under(corpus, condition), clean=corpus, condition=condition)
        for corpus in corpora
        for condition in wanted
    )


def under(corpus: Corpus, condition: Condition) -> Corpus:
    """A corpus of clean recordings with the name and digest that it has under a condition."""
    if condition.is_clean:
        return corpus
    made_from = f"{corpus.digest} {condition.identity}"
    # Specs of codecs and names of files hold characters that no folder can have.
    label = "".join("-" if sign in '/\\:*?"<>|' else sign for sign in condition.label)
    return dataclasses.replace(
        corpus,
        name=f"{corpus.name}, {label}",
        digest=hashlib.sha256(made_from.encode()).hexdigest(),
    )
