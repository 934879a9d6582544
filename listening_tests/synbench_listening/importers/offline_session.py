"""The file that a listener of an offline study hands back; the study's key says what was heard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from synbench.errors import UsageError
from synbench_listening.answers.protocol import ResultFile
from synbench_listening.answers.session_ratings import session_ratings
from synbench_listening.answers.submission import find_problems
from synbench_listening.design.session_plan import plan_session
from synbench_listening.design.study_folder import StudyFolder
from synbench_listening.importers.report import Imported

__all__ = ["is_result_file", "read_offline_sessions"]


def is_result_file(path: Path) -> bool:
    """Whether it may be a result file; anything else was collected by another tool."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"answers", "version"} <= content.keys()


def read_offline_sessions(paths: Sequence[Path], study: StudyFolder) -> Imported:
    """Read result files of one study. Answers that the page should not have given are refused.

    Raises:
        UsageError: a file is of another study or version, or no result file at all.
    """
    key, public = study.key(), study.public()
    done = Imported()
    seen: set[str] = set()
    for path in paths:
        try:
            file = ResultFile.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UsageError(f"{path} is no result file of an offline study: {error}") from error
        if (file.study, file.version) != (public.name, public.version):
            raise UsageError(
                f"{path} is of {file.study}, version {file.version[:12]}; "
                f"{study.path} is {public.name}, version {public.version[:12]}"
            )
        try:
            plan, _ = plan_session(key, key.block(file.block))
        except KeyError:
            raise UsageError(f"{path}: the study has no block {file.block!r}") from None
        if file.session in seen:
            done.refuse(path.name, 0, f"session {file.session} was already read")
            continue
        seen.add(file.session)
        answers = {}
        for number, sent in file.answers.items():
            done.read += 1
            n = int(number) if number.isdigit() else -1
            if not 0 <= n < len(plan.pages):
                done.refuse(path.name, 0, f"page {number!r} does not exist")
            elif problems := find_problems(plan.pages[n], sent.answer, public):
                done.refuse(path.name, 0, f"page {n}: {', '.join(problems)}")
            else:
                answers[n] = sent.answer
        done.ratings += session_ratings(
            key, public, block=file.block, session=file.session, answers=answers, simulated=False
        )
    return done
