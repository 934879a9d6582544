"""A small study made by hand: two trials of four stimuli, every file a tone of its own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench_listening.folder import Block, BlockPage, Key, PublicStudy, Stimulus, StudyFolder
from synbench_listening.study import Headphones, Listening, Question

RATE = 16000
SAMPLES = 16000
CONDITIONS = {
    "reference": "hidden_reference",
    "anchor35": "low_anchor",
    "anchor70": "mid_anchor",
    "SecretCodec": "system",
}


def tone_file(frequency: float) -> bytes:
    wave = 0.3 * np.sin(2 * np.pi * frequency * np.arange(SAMPLES) / RATE)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


@pytest.fixture
def study_by_hand(tmp_path: Path) -> Callable[..., StudyFolder]:
    """Writes a built MUSHRA study with two blocks; keyword arguments replace public fields."""

    def write(**changes: Any) -> StudyFolder:
        folder = StudyFolder(tmp_path / "study")
        stimuli: dict[str, Stimulus] = {}
        (folder.path / "clips").mkdir(parents=True)
        frequency = 200.0
        for item in ("item-a", "item-b"):
            for condition, role in {"open": "reference", **CONDITIONS}.items():
                frequency += 40
                data = tone_file(frequency)
                name = hashlib.sha256(f"{item} {condition}".encode()).hexdigest()[:32]
                stimuli[name] = Stimulus(
                    id=name,
                    role=role,  # type: ignore[arg-type]
                    condition="reference" if condition == "open" else condition,
                    item=item,
                    samples=SAMPLES,
                    sha256=hashlib.sha256(data).hexdigest(),
                )
                folder.clip_path(stimuli[name]).write_bytes(data)
        blocks = tuple(_block(name, turn, stimuli) for turn, name in enumerate("AB"))
        key = Key(
            study="by-hand",
            made="2026-01-01T00:00:00Z",
            run="runs/made",
            run_started="2026-01-01T00:00:00Z",
            sample_rate=RATE,
            seed=1,
            design={"name": "by-hand", "test": "mushra"},
            systems=("SecretCodec",),
            stimuli=stimuli,
            blocks=blocks,
            peaks={s.id: (-50, 50) * 4 for s in stimuli.values() if s.role == "reference"},
            completion_code="C0DE",
        )
        values: dict[str, Any] = {
            "name": "by-hand",
            "version": hashlib.sha256(key.encode()).hexdigest(),
            "test": "mushra",
            "title": {"en": "By hand"},
            "languages": ("en",),
            "sample_rate": RATE,
            "consent": {"en": "You may stop at any time."},
            "consent_version": "0" * 16,
            "instructions": {"en": ""},
            "questionnaire": (
                Question(name="age", label="Age", type="number", minimum=18, maximum=120),
                Question(name="remark", label="Remark", type="long_text", optional=True),
            ),
            "headphones": Headphones(),
            "listening": Listening(),
            "no_preference": True,
            "comments": True,
            "scale": (0, 100),
            "scale_step": 1,
            "asks_consent": True,
        }
        folder.write(key, PublicStudy(**values | changes))
        return folder

    return write


def _block(name: str, turn: int, stimuli: dict[str, Stimulus]) -> Block:
    pages = [BlockPage(kind="consent"), BlockPage(kind="questionnaire")]
    for item in ("item-a", "item-b"):
        here = [s.id for s in stimuli.values() if s.item == item]
        rated = here[1:]
        pages.append(
            BlockPage(
                kind="mushra",
                item=item,
                reference=here[0],
                stimuli=(*rated[turn:], *rated[:turn]),
            )
        )
    return Block(name=name, pages=(*pages, BlockPage(kind="finish")))
