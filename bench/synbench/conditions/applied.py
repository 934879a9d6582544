"""A condition on one item, as plain data that any worker can be sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synbench import policy
from synbench.audio import read_audio
from synbench.conditions.condition import BABBLE_NOISE, Condition
from synbench.conditions.noise import BABBLE_VOICES
from synbench.corpora import Corpus, Item
from synbench.errors import ItemError

__all__ = ["Applied", "Voice", "applied", "apply_to"]


@dataclass(frozen=True, kw_only=True)
class Voice:
    """An utterance that babble is made of, and the digest of its file."""

    path: str
    sha256: str

    def wave(self, *, sample_rate: int) -> policy.Wave:
        """The wave at a rate in Hz, if the file is still the one that was planned with.

        Raises:
            ItemError: it is another one, or cannot be read.
        """
        path = Path(self.path)
        audio = read_audio(path)
        if audio.sha256 != self.sha256:
            raise ItemError(
                f"{path.name}, a voice of the babble, changed after the run was planned"
            )
        return policy.at_rate(audio.wave, sample_rate=audio.sample_rate, to=sample_rate)


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A condition with what it needs on one item.

    Attributes:
        condition: what is done.
        corpus: name of the corpus of clean recordings; with the item it seeds the random numbers.
        voices: of other speakers, for babble; empty otherwise.
    """

    condition: Condition
    corpus: str
    voices: tuple[Voice, ...] = ()

    @property
    def identity(self) -> str:
        """What makes the damage of this item another one: its condition and its voices."""
        return " ".join([self.condition.identity, *(voice.sha256 for voice in self.voices)])

    def to_text(self) -> str:
        """As JSON; :func:`applied` reads it back."""
        condition = self.condition
        content = {
            "label": condition.label,
            "group": condition.group,
            "value": condition.value,
            "settings": dict(condition.settings),
            "files": {name: str(path) for name, path in condition.files.items()},
            "corpus": self.corpus,
            "voices": [[voice.path, voice.sha256] for voice in self.voices],
        }
        return json.dumps(content, sort_keys=True)


def applied(text: str) -> Applied | None:
    """What :meth:`Applied.to_text` wrote; nothing for the empty text of a clean item."""
    if not text:
        return None
    content: dict[str, Any] = json.loads(text)
    return Applied(
        condition=Condition(
            label=content["label"],
            group=content["group"],
            value=content["value"],
            settings=content["settings"],
            files={name: Path(path) for name, path in content["files"].items()},
        ),
        corpus=content["corpus"],
        voices=tuple(Voice(path=path, sha256=sha256) for path, sha256 in content["voices"]),
    )


def apply_to(condition: Condition, corpus: Corpus, item: Item) -> Applied:
    """The condition on an item of a corpus of clean recordings."""
    voices: tuple[Voice, ...] = ()
    if condition.settings.get("noise") == BABBLE_NOISE:
        voices = _voices(condition, corpus, item)
    return Applied(condition=condition, corpus=corpus.name, voices=voices)


def _voices(condition: Condition, corpus: Corpus, item: Item) -> tuple[Voice, ...]:
    """Utterances of other speakers, drawn without repetition; of the same where nobody is named."""
    named = any(other.speaker for other in corpus.items)
    others = [
        other
        for other in corpus.items
        if not other.problem and (other.speaker != item.speaker if named else other.id != item.id)
    ]
    draw = np.random.default_rng(condition.seed(corpus=corpus.name, item=item.id, step="voices"))
    chosen = draw.permutation(len(others))[:BABBLE_VOICES]
    return tuple(
        Voice(path=str(others[index].path), sha256=others[index].sha256) for index in chosen
    )
