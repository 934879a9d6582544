"""What was complete and has not changed since needs no plan.

To find that nothing is left to do, a plan of 100,000 items takes seconds: facts of every file, a
digest of every item, a look for every cell. So a run that ends complete notes in this machine's
cache what it was made from, in one digest: the suite, what its codecs and metrics are here, machine
and packages, the corpora by the marks of their files, the manifest, the items, all files of rows.
Where the next start finds the same, every cell is there.

Nothing is believed that a plan would not believe. Recordings are known by the stamps of their
files, as ever; those that changed a moment ago give no mark, and then nothing is noted. Files of
rows are read and held against their names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synbench import corpora
from synbench.corpora.whereabouts import are_known
from synbench.execution.manifest import describe_run
from synbench.execution.plan import Plan, corpus_spec, is_complete_now, suite_alone
from synbench.results.store import RunFolder
from synbench.suite import Suite
from synbench_base.cache import cache_folder
from synbench_base.collector import paused_collector
from synbench_base.files import write_bytes

__all__ = ["Completed", "completed_before", "remember_completed"]


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A run that was complete.

    Attributes:
        total_scores: of its plan.
        failures: reason to count, over the scores that failed for good.
        announcement: what its start said of corpora, codecs and metrics.
    """

    total_scores: int
    failures: Counter[str]
    announcement: tuple[str, ...]


@paused_collector()
def completed_before(
    suite: Suite, run: RunFolder, *, progress: Callable[[int, int], None] | None = None
) -> Completed | None:
    """What was noted of this run, if it is complete and unchanged; else nothing.

    Raises:
        UsageError, Unavailable, EnvironmentFault: as :func:`synbench.execution.plan.make_plan`.
    """
    try:
        note = json.loads(_note(run).read_text(encoding="utf-8"))
        completed = Completed(
            total_scores=int(note["total_scores"]),
            failures=Counter({str(key): int(count) for key, count in note["failures"].items()}),
            announcement=tuple(map(str, note["announcement"])),
        )
        rows, made_from, digests = note["rows"], note["made_from"], list(note["corpora"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    # The quick questions first.
    if not run.exists() or not all(map(are_known, digests)) or run.digest() != rows:
        return None
    alone = suite_alone(suite)
    marks = [
        corpora.mark_of(corpus_spec(entry), limit=entry.limit, progress=progress)
        for entry in suite.corpora
    ]
    return completed if _made_from(alone, marks) == made_from else None


def remember_completed(
    plan: Plan, run: RunFolder, failures: Counter[str], announcement: Sequence[str]
) -> None:
    """Note that a run is complete, where it is; a cache that cannot be written costs time only.

    Args:
        plan: of the start that ends; its files were not changed since it was made, or their marks
            are no longer the same.
    """
    # Of a corpus under conditions the marks are those of the recordings.
    marks = list({group.clean.name: group.clean.mark for group in plan.groups}.values())
    if not all(marks) or not (plan.complete or is_complete_now(plan, run)):
        return
    note = {
        "rows": run.digest(),
        "made_from": _made_from(plan, marks),
        "corpora": [corpus.digest for corpus in plan.corpora],
        "total_scores": plan.total_scores,
        "failures": dict(failures),
        "announcement": list(announcement),
    }
    try:
        write_bytes(_note(run), json.dumps(note).encode())
    except OSError:
        return


def _made_from(plan: Plan, marks: Sequence[str]) -> str:
    """A digest of suite, codecs, metrics, conditions, machine, packages and corpora."""
    described: dict[str, Any] = describe_run(dataclasses.replace(plan, groups=(), items=()))
    described.pop("started")
    conditions = [[one.label, one.identity] for one in plan.suite.read_conditions()]
    content = [described, str(plan.suite.folder), conditions, list(marks)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _note(run: RunFolder) -> Path:
    name = hashlib.sha256(str(run.path.resolve()).encode(errors="surrogateescape")).hexdigest()
    return cache_folder() / "complete" / f"{name[:32]}.json"
