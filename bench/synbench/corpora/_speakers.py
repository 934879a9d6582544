"""What corpora state of their speakers, in one spelling."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._scan import read_text

GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}

__all__ = ["gender_of", "speaker_facts", "speaker_genders"]


def gender_of(text: str) -> str:
    """``female`` or ``male`` where a corpus writes that in some way, else the text as it is.

    >>> [gender_of(text) for text in ("F", "Male", "", "divers")]
    ['female', 'male', '', 'divers']
    """
    return GENDERS.get(text.strip().lower(), text.strip())


def speaker_facts(table: Path, *, column: int, separator: str | None = "|") -> dict[str, str]:
    """One field by the name of the speaker; empty where there is no such file.

    Args:
        table: one line a speaker, the name first; a line that starts with ``;`` is a comment.
        column: which field it is, from 0.
        separator: of the fields; white space where ``None``.
    """
    lines = [line for line in read_text(table).splitlines() if not line.startswith(";")]
    split = [[field.strip() for field in line.split(separator)] for line in lines]
    return {fields[0]: fields[column] for fields in split if len(fields) > column}


def speaker_genders(table: Path, *, column: int = 1, separator: str | None = "|") -> dict[str, str]:
    """As :func:`speaker_facts`, of those speakers whose gender is told in a known way."""
    told = speaker_facts(table, column=column, separator=separator)
    genders = {name: gender_of(text) for name, text in told.items()}
    return {name: gender for name, gender in genders.items() if gender in GENDERS.values()}
