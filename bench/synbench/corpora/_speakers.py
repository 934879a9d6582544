"""What corpora state of their speakers, in one spelling."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._scan import read_text

GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}

__all__ = ["gender_of", "speaker_genders"]


def gender_of(text: str) -> str:
    """``female`` or ``male`` where a corpus writes that in some way, else the text as it is.

    >>> [gender_of(text) for text in ("F", "Male", "", "divers")]
    ['female', 'male', '', 'divers']
    """
    return GENDERS.get(text.strip().lower(), text.strip())


def speaker_genders(
    table: Path, *, gender_column: int = 1, separator: str | None = "|"
) -> dict[str, str]:
    """By the name of the speaker; empty where there is no such file.

    Args:
        table: one line a speaker, the name first; a line that starts with ``;`` is a comment.
        gender_column: which field it is, from 0.
        separator: of the fields; white space where ``None``.
    """
    genders = {}
    for line in read_text(table).splitlines():
        fields = [field.strip() for field in line.split(separator)]
        if not line.startswith(";") and len(fields) > gender_column:
            gender = gender_of(fields[gender_column])
            if gender in GENDERS.values():
                genders[fields[0]] = gender
    return genders
