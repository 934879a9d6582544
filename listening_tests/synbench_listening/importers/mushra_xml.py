"""XML sessions of Netflix's MUSHRA application, which is also the raw form of the ODAQ set.

A stimulus is named by its file; the condition is what follows the trial's name in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from synbench.errors import UsageError
from synbench_base.text_table import parse_number
from synbench_listening.answers.ratings import Rating, check_score
from synbench_listening.importers.report import Imported, number_trials

__all__ = ["read_mushra_xml"]


def read_mushra_xml(path: Path, *, names: Mapping[str, str]) -> Imported:
    """One listener's session.

    Args:
        names: condition in the file's name to the name wanted, where it should be another.

    Raises:
        UsageError: no such XML, or one with a document type, which could hide entities.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise UsageError(f"{path} declares a document type; a MUSHRA session has none")
        root = ElementTree.fromstring(text)
    except (OSError, UnicodeDecodeError, ElementTree.ParseError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    if root.tag != "MUSHRA":
        raise UsageError(f"{path}: expected the root MUSHRA, got {root.tag}")
    done = Imported()
    listener = root.findtext("info/subjectName", "").strip() or path.stem
    for trial, element in enumerate(root.iterfind("trials/trial"), 1):
        item = element.findtext("trialName", "").strip() or f"trial {trial}"
        for file in element.iterfind("testFile"):
            done.read += 1
            try:
                score = check_score("mushra", parse_number(file.findtext("score", "")))
                plays = int(file.findtext("plays", "0"))
            except ValueError as error:
                done.refuse(path.name, done.read, f"{item}: score or plays: {error}")
                continue
            condition = _condition(file.findtext("fileName", ""), item)
            done.ratings.append(
                Rating(
                    study=root.findtext("info/testName", "").strip(),
                    session=f"{listener} {root.findtext('info/startTime', '').strip()}".strip(),
                    listener=listener,
                    test="mushra",
                    item=item,
                    condition=names.get(condition, condition),
                    score=score,
                    n_plays=plays,
                    total_ms=_milliseconds(element.findtext("trialSeconds")),
                )
            )
    done.ratings = number_trials(done.ratings)
    return done


def _condition(file: str, item: str) -> str:
    stem = re.sub(r"\.[A-Za-z0-9]+$", "", file.replace("\\", "/").rpartition("/")[2])
    return stem.removeprefix(item).strip("_- .") or stem


def _milliseconds(seconds: str | None) -> float | None:
    try:
        return 1000 * float(seconds or "")
    except ValueError:
        return None
