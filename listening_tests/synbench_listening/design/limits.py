"""Where a design leaves the standard it is named after: refused, or a note that stays with it.

The rules are those of ITU-R BS.1534-3 (MUSHRA) and BS.1116-3, and of ITU-T P.800.
"""

from __future__ import annotations

from synbench.errors import UsageError
from synbench_listening.design.known_answers import CHOICE_TESTS, RATED_GRADES, TRAP_TESTS
from synbench_listening.design.study import ANCHORS, StudyDesign

MUSHRA_SIGNALS = 12
MUSHRA_SECONDS = 12.0

__all__ = ["advise", "check_limits"]


def check_limits(design: StudyDesign, *, systems: int, longest_seconds: float) -> list[str]:
    """What ``not_standard`` lets pass, as notes that are kept in the key.

    Raises:
        UsageError: the test cannot be built, or must not have its name and ``not_standard`` is off.
    """
    impossible = _impossible(design, systems)
    if impossible:
        raise UsageError(impossible)
    breaches = _breaches(design, systems, longest_seconds)
    if breaches and not design.not_standard:
        raise UsageError(
            "; ".join(breaches) + "; to build it all the same, and have it marked in every result, "
            "set not_standard: true"
        )
    return [f"not standard: {text}" for text in breaches]


def _impossible(design: StudyDesign, systems: int) -> str:
    if design.test in ("abx", "ab", "ccr") and design.pairs_are_between_systems and systems < 2:
        return f"{design.test} between systems needs two of them, the design has {systems}"
    if design.test == "mushra" and systems < 1:
        return "mushra needs at least one system"
    if design.gold_trials and design.test not in (*RATED_GRADES, *CHOICE_TESTS):
        return f"{design.test} has no gold_trials: its hidden reference and anchors tell as much"
    if design.test == "transcription" and design.replicates:
        return "transcription has no replicates: who has heard a sentence knows it"
    if design.listening.most_plays and design.test != "transcription":
        return f"listening.most_plays is for transcription: what {design.test} asks takes comparing"
    if design.traps and design.test not in TRAP_TESTS:
        return f"traps are for {', '.join(TRAP_TESTS)}: beeps say which category to choose"
    return ""


def _breaches(design: StudyDesign, systems: int, longest_seconds: float) -> list[str]:
    breaches = []
    if design.test == "mushra":
        signals = systems + 1 + len(design.anchor_names) + len(design.mnru)
        if len(design.anchor_names) < len(ANCHORS):
            breaches.append(
                "without both anchors, of 3.5 kHz and 7 kHz, and the hidden reference a test must "
                "not be called MUSHRA (BS.1534-3)"
            )
        if signals > MUSHRA_SIGNALS:
            breaches.append(
                f"{systems} systems, the hidden reference and {len(design.anchor_names)} anchors "
                + (f"and {len(design.mnru)} MNRU conditions " if design.mnru else "")
                + f"are {signals} signals in a trial; BS.1534-3 allows {MUSHRA_SIGNALS}, that is "
                "9 systems"
            )
        if longest_seconds > MUSHRA_SECONDS:
            breaches.append(
                f"the longest item lasts {longest_seconds:.1f} s; BS.1534-3 allows about 10, at "
                f"most {MUSHRA_SECONDS:.0f} s (items.maximum_seconds)"
            )
    if design.test in ("mushra", "bs1116") and (
        design.training_items < 1 or "training" not in design.pages
    ):
        breaches.append(f"{design.test} without training: the standard makes it mandatory")
    return breaches


def advise(design: StudyDesign, *, systems: int, sample_rate: int) -> list[str]:
    """What a standard recommends otherwise, as notes that are kept in the key."""
    notes = []
    per_listener = design.items_per_listener or design.items.count
    wanted = max(5, -(-3 * systems // 2))
    if design.test == "mushra" and per_listener < wanted:
        notes.append(
            f"{per_listener} items per listener; BS.1534-3 asks for 1.5 times the number of "
            f"systems and at least 5, that is {wanted}"
        )
    if "anchor70" in design.anchor_names and sample_rate < 18000:
        notes.append(
            f"at {sample_rate} Hz the 7 kHz anchor lacks only the band above 7 kHz; listeners may "
            "not tell it from the reference, and the mid-anchor rule of screening may exclude them"
        )
    if design.listening.rate_only_what_plays is False:
        notes.append("stimuli can be graded while they are not heard")
    if design.listening.minimum_share == 0:
        notes.append("nothing has to be heard before it is graded")
    if "consent" in design.pages and not design.consent:
        notes.append("consent is empty: listeners begin without having agreed to anything")
    return notes
