"""A study for webMUSHRA 07130f2 (2025-05): a config, its audio, and the key that stays here.

Files and stimulus ids are opaque, since config, addresses and page show them. webMUSHRA draws the
orders itself and gives the hidden reference the address of the open one; our anchors are ordinary
stimuli. The config is one line of JSON, which its old YAML parser reads exactly where it spoils
what PyYAML writes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synbench.audio import read_audio, resample
from synbench.errors import UsageError
from synbench.results.confined import inside, plain_name
from synbench_base.files import write_bytes
from synbench_listening.design.blocks import OPEN_REFERENCE
from synbench_listening.design.build_study import wav_bytes
from synbench_listening.design.stimuli import REFERENCE
from synbench_listening.design.study import Question, Text
from synbench_listening.design.study_folder import (
    BlockPage,
    Key,
    PublicStudy,
    Stimulus,
    StudyFolder,
)

USUAL_RATE = 48000
KEY_NAME = "webmushra_key.json"
# The first is the only answer that PHP 8 stores completely when no single-Likert page comes first.
HEARING_PAGE = "hearing"
CATEGORIES = {5: "Excellent", 4: "Good", 3: "Fair", 2: "Poor", 1: "Bad"}
TASKS = {
    "mushra": "Grade every version against the reference. One of them is the reference itself.",
    "bs1116": "One of A and B is the reference. Give it 5.0 and grade the other.",
    "paired_comparison": "Which one is the reference?",
    "likert_single_stimulus": "How good is the quality of the speech?",
}
PAGE_TYPES = {
    "mushra": "mushra",
    "bs1116": "bs1116",
    "abx": "paired_comparison",
    "acr": "likert_single_stimulus",
}

__all__ = ["KEY_NAME", "export_webmushra", "read_webmushra_key"]


@dataclass
class _Export:
    """What is collected on the way."""

    folder: StudyFolder
    key: Key
    out: Path
    rate: int
    paths: dict[str, str] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def path(self, stimulus: Stimulus) -> str:
        """Write a clip once, under a name that says nothing; its path from webMUSHRA's root."""
        if stimulus.id not in self.paths:
            name = f"configs/resources/{self.key.study}/{secrets.token_hex(8)}.wav"
            audio = read_audio(self.folder.clip_path(stimulus))
            wave = resample(audio.wave, sample_rate=audio.sample_rate, to=self.rate)
            write_bytes(self.out / name, wav_bytes(wave, sample_rate=self.rate))
            self.paths[stimulus.id] = name
        return self.paths[stimulus.id]


def export_webmushra(
    folder: StudyFolder, out: Path, *, sample_rate: int = USUAL_RATE, collector: str = ""
) -> Path:
    """Write ``configs/NAME.yaml`` and its audio below ``out``; the key goes into the study folder.

    Args:
        collector: address that takes the answers instead of webMUSHRA's own PHP.

    Raises:
        UsageError: webMUSHRA has no page for this test.
    """
    key, public = folder.key(), folder.public()
    kind = PAGE_TYPES.get(public.test)
    if kind is None or (public.test == "abx" and _between_systems(key)):
        raise UsageError(
            f"webMUSHRA has no page for {public.test} as it was designed; "
            f"it has pages for {', '.join(PAGE_TYPES)} (abx with the reference)"
        )
    if out.exists():
        raise UsageError(f"{out} is there already: remove it, or name another folder")
    export = _Export(folder, key, out, sample_rate)
    items = _items(key)
    training = [_page(export, item, kind, training=True) for item in items["training"]]
    trials = [_page(export, item, kind, training=False) for item in items["test"]]
    first = [] if collector else [_hearing_page(export, items)]
    config = {
        "testname": _text(public.title),
        "testId": public.name,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": collector or "service/write.php",
        "language": public.languages[0] if public.languages[0] in ("de", "fr") else "en",
        "pages": [
            # Consent comes before any sound.
            {
                "type": "generic",
                "id": "welcome",
                "name": _text(public.title),
                "content": _text(public.consent) or TASKS[kind],
            },
            *first,
            *training,
            ["random", *trials],
            _finish(public),
        ],
    }
    path = inside(out, f"configs/{plain_name(public.name, what='the study')}.yaml")
    write_bytes(path, encode_config(config))
    write_bytes(
        folder.path / KEY_NAME,
        json.dumps({"study": key.study, "pages": export.entries}, indent=1).encode(),
    )
    return path


def encode_config(config: Mapping[str, Any]) -> bytes:
    """One line of JSON in raw UTF-8, the form that webMUSHRA's parser reads without a loss."""
    return json.dumps(config, ensure_ascii=False).encode()


def read_webmushra_key(folder: StudyFolder) -> dict[str, dict[str, Any]]:
    """By page id: the item, whether it is training, and the condition of every stimulus id.

    Raises:
        UsageError: the study was never exported.
    """
    path = folder.path / KEY_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read {path}: {error}; make it with: synbench listen webmushra {folder.path}"
        ) from error
    pages: dict[str, dict[str, Any]] = content["pages"]
    return pages


def _between_systems(key: Key) -> bool:
    pages = [page for page in key.blocks[0].pages if page.kind == "abx"]
    return any(
        REFERENCE not in {key.stimuli[name].condition for name in page.stimuli} for page in pages
    )


def _items(key: Key) -> dict[str, list[str]]:
    """Item names of training and test, each once, over all blocks."""
    parts: dict[str, dict[str, None]] = {"training": {}, "test": {}}
    for block in key.blocks:
        for page in block.pages:
            if page.item and not page.check:
                parts["training" if page.training else "test"][page.item] = None
    return {part: list(names) for part, names in parts.items()}


def _page(export: _Export, item: str, kind: str, *, training: bool) -> dict[str, Any]:
    stimuli = [s for s in export.key.stimuli.values() if s.item == item]
    heard = _heard(export.key)
    reference = next(s for s in stimuli if s.role in ("reference", "hidden_reference"))
    rated = [s for s in stimuli if s.id in heard and s.role != "reference"]
    if kind != "likert_single_stimulus":
        # The hidden reference is webMUSHRA's own.
        rated = [s for s in rated if s.role != "hidden_reference"]
    # Not in the order of the key, which would tell.
    secrets.SystemRandom().shuffle(rated)
    names = {f"c{secrets.token_hex(4)}": stimulus for stimulus in rated}
    page_id = f"{'training' if training else 'trial'}_{secrets.token_hex(4)}"
    export.entries[page_id] = {
        "item": item,
        "training": training,
        "stimuli": {REFERENCE: REFERENCE} | {name: s.condition for name, s in names.items()},
    }
    page: dict[str, Any] = {
        "type": kind,
        "id": page_id,
        "name": "Training" if training else "",
        "content": TASKS[kind],
        "showWaveform": True,
        "stimuli": {name: export.path(stimulus) for name, stimulus in names.items()},
    }
    if kind == "likert_single_stimulus":
        return page | _likert(CATEGORIES)
    page |= {"reference": export.path(reference), "enableLooping": True}
    if kind in ("mushra", "bs1116"):
        page |= {"createAnchor35": False, "createAnchor70": False}
    if kind == "mushra":
        page |= {"randomize": True, "showConditionNames": False}
    return page


def _heard(key: Key) -> set[str]:
    """Stimuli that some page really has."""
    return {name for block in key.blocks for page in block.pages for name in _names(page)}


def _names(page: BlockPage) -> tuple[str, ...]:
    return (*page.stimuli, page.reference or OPEN_REFERENCE)


def _likert(labels: Mapping[int, str]) -> dict[str, Any]:
    return {
        "mustRate": True,
        "mustPlayback": "ended",
        "response": [{"value": value, "label": label} for value, label in labels.items()],
    }


def _hearing_page(export: _Export, items: Mapping[str, list[str]]) -> dict[str, Any]:
    """Webmushra's PHP stops halfway on PHP 8 unless the first trial is of this type."""
    item = (items["training"] or items["test"])[0]
    stimulus = next(s for s in export.key.stimuli.values() if s.item == item)
    export.entries[HEARING_PAGE] = {"item": item, "training": True, "stimuli": {}}
    return {
        "type": "likert_single_stimulus",
        "id": HEARING_PAGE,
        "name": "",
        "content": "Can you hear this?",
        "stimuli": {"sound": export.path(stimulus)},
        **_likert({1: "Yes", 0: "No"}),
    }


def _finish(public: PublicStudy) -> dict[str, Any]:
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Your answers are sent when you press the button.",
        "popupContent": "Your answers were sent.",
        "showResults": False,
        "showErrors": True,
        "writeResults": True,
        "questionnaire": [
            {"type": "text", "label": "Listener", "name": "listener"},
            *(_question(question) for question in public.questionnaire),
        ],
    }


def _question(question: Question) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "likert" if question.type == "choice" else question.type,
        "label": _text(question.label),
        "name": question.name,
        "optional": question.optional,
    }
    if question.type == "number":
        low = 0 if question.minimum is None else question.minimum
        high = 1000 if question.maximum is None else question.maximum
        made |= {"min": low, "max": high, "default": low}
    if question.type == "choice":
        made["response"] = [
            {"value": choice_index, "label": _text(choice)}
            for choice_index, choice in enumerate(question.choices)
        ]
    return made


def _text(text: Text | Mapping[Any, str]) -> str:
    """A text in the study's first language. It is markup there, so it must not contain any."""
    import html

    plain = text if isinstance(text, str) else next(iter(text.values()), "")
    return html.escape(plain, quote=False).replace("\n", "<br/>")
