"""Trials whose answer is known beforehand, hidden among the others; they are never in the results.

**Gold** trials have a clean recording or a ruined one (noise as loud as the speech): whoever judges
by what they hear cannot miss which. **Traps** break off into beeps, and the instructions say that
the number of beeps is the answer: whoever answers without hearing does not know it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_listening.design.check_sounds import BEEP_HZ, TONE_LEVEL, tone
from synbench_listening.design.mnru import mnru
from synbench_listening.design.study import StudyDesign, Test
from synbench_listening.design.study_folder import BlockPage

RUINED_Q_DB = 0.0
# Of the recording that is heard before the beeps.
SPEECH_SHARE = 0.4
BEEP_SECONDS, BEEP_GAP_SECONDS = 0.25, 0.2
# Lowest and highest score that is right for a clean and for a ruined recording.
RATED_GRADES: Mapping[Test, tuple[tuple[float, float], tuple[float, float]]] = {
    "acr": ((4, 5), (1, 2)),
    "dcr": ((4, 5), (1, 2)),
    "effort": ((4, 5), (1, 3)),
    "mushra1s": ((80, 100), (0, 40)),
}
CHOICE_TESTS: tuple[Test, ...] = ("ab", "abx", "ccr")
TRAP_TESTS: tuple[Test, ...] = ("acr", "dcr", "effort")

__all__ = [
    "CHOICE_TESTS",
    "RATED_GRADES",
    "TRAP_TESTS",
    "Gold",
    "Trap",
    "check_pages",
    "ruined",
    "trap_wave",
]


@dataclass(frozen=True, kw_only=True)
class Gold:
    """Stimulus ids of one item: clean, ruined, and the open reference."""

    item: str
    clean: str
    ruined: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A stimulus that beeps so many times, and the open reference of its item."""

    item: str
    stimulus: str
    beeps: int
    reference: str


def ruined(wave: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    """A recording with noise as loud as the speech."""
    return mnru(wave, q_db=RUINED_Q_DB, seed=f"gold {seed}")


def trap_wave(wave: NDArray[np.float64], *, beeps: int, sample_rate: int) -> NDArray[np.float64]:
    """The beginning of a recording, then beeps; longer than the recording where it is short."""
    gap = np.zeros(round(BEEP_GAP_SECONDS * sample_rate))
    beep = TONE_LEVEL * tone(BEEP_HZ, BEEP_SECONDS, sample_rate)
    tail = np.concatenate([gap, *[piece for _ in range(beeps) for piece in (beep, gap)]])
    heard = wave[: round(SPEECH_SHARE * len(wave))]
    together = np.concatenate([heard, tail])
    return np.pad(together, (0, max(0, len(wave) - len(together))))


def check_pages(
    design: StudyDesign, gold: Sequence[Gold], traps: Sequence[Trap], generator: random.Random
) -> list[BlockPage]:
    """The checks of one block, in an order of its own; gold ones clean and ruined in turn."""
    pages = [
        _gold(
            design, entry, clean=bool((entry_index + design.seed) % 2), side=generator.randrange(2)
        )
        for entry_index, entry in enumerate(gold)
    ]
    shows = design.test == "dcr"
    pages += [
        BlockPage(
            kind=design.test,
            item=trap.item,
            reference=trap.reference if shows else None,
            stimuli=(trap.stimulus,),
            check="trap",
            expected=(trap.beeps, trap.beeps),
        )
        for trap in traps
    ]
    generator.shuffle(pages)
    return pages


def _gold(design: StudyDesign, gold: Gold, *, clean: bool, side: int) -> BlockPage:
    test = design.test
    if test in RATED_GRADES:
        good, bad = RATED_GRADES[test]
        stimuli: tuple[str, ...] = (gold.clean if clean else gold.ruined,)
        expected = good if clean else bad
    else:
        stimuli = (gold.clean, gold.ruined) if side == 0 else (gold.ruined, gold.clean)
        if test == "ccr":
            expected = (-3, -1) if side == 0 else (1, 3)
        elif test == "abx":
            x = int(clean)
            stimuli = (*stimuli, stimuli[x])
            expected = (x, x)
        else:
            expected = (side, side)
    shown = test in ("dcr", "mushra1s") or (test == "ab" and design.show_reference)
    return BlockPage(
        kind=test,
        item=gold.item,
        reference=gold.reference if shown else None,
        stimuli=stimuli,
        x=int(clean) if test == "abx" else None,
        check="gold",
        expected=expected,
    )
