"""How far the studies are: numbers for the experimenter, without a single score.

Scores are left out on purpose: who looks at results while listeners come in, and stops when they
please, has no p-value to report.
"""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from synbench_listening.server.database import Database, checks, collected, sessions, studies
from synbench_listening.server.sessions import LEASE_MS, ServedStudy, now_ms

STATES = ("running", "finished", "ended", "withdrawn")

__all__ = ["StudyProgress", "progress", "progress_page"]


@dataclass(frozen=True, kw_only=True)
class StudyProgress:
    """One study.

    Attributes:
        states: sessions by state; ``abandoned`` are running ones that lost their block.
        blocks: finished and running sessions by block.
        failed_checks: headphone and attention pages answered wrongly.
        collected: sessions that webMUSHRA sent.
        wanted: listeners that the design asks for at least.
    """

    name: str
    paused: bool
    states: dict[str, int]
    blocks: dict[str, tuple[int, int]]
    failed_checks: dict[str, int]
    collected: int
    simulated: int
    last_seen_ms: int | None
    wanted: int | None = None


def progress(database: Database, study: ServedStudy) -> StudyProgress:
    """Count the sessions of the version that is served."""
    name, version = study.public.name, study.public.version
    with database.reading() as connection:
        rows = connection.execute(
            select(sessions).where(sessions.c.study == name, sessions.c.version == version)
        ).all()
        paused = connection.scalar(select(studies.c.paused).where(studies.c.name == name))
        failed = connection.execute(
            select(checks.c.kind, func.count())
            .select_from(checks.join(sessions))
            .where(sessions.c.study == name, checks.c.passed.is_(False))
            .group_by(checks.c.kind)
        ).all()
        posts = connection.scalar(
            select(func.count()).select_from(collected).where(collected.c.study == name)
        )
    alive = now_ms() - LEASE_MS
    states = Counter(
        "abandoned" if row.state == "running" and row.seen_ms <= alive else row.state
        for row in rows
    )
    finished = Counter(row.block for row in rows if row.state == "finished")
    running = Counter(row.block for row in rows if row.state == "running" and row.seen_ms > alive)
    return StudyProgress(
        name=name,
        paused=bool(paused),
        states={state: states[state] for state in (*STATES, "abandoned")},
        blocks={
            block.name: (finished[block.name], running[block.name]) for block in study.key.blocks
        },
        failed_checks={kind: int(count) for kind, count in failed},
        collected=int(posts or 0),
        simulated=sum(row.simulated for row in rows),
        wanted=study.key.design.get("minimum_listeners"),
        last_seen_ms=max((row.seen_ms for row in rows), default=None),
    )


def progress_page(studies: list[StudyProgress]) -> str:
    """An HTML page that loads itself again every ten seconds."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="refresh" content="10">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>Progress</title><link rel="stylesheet" href="static/page.css"></head>'
        '<body class="plain"><main id="app"><div class="card"><h1>Progress</h1>'
    ]
    for study in studies:
        parts.append(f"<h2>{html.escape(study.name)}</h2><p>{html.escape(_summary(study))}</p>")
        parts.append('<table><thead><tr><th scope="col">Block</th><th scope="col">Finished</th>')
        parts.append('<th scope="col">Running</th></tr></thead><tbody>')
        for block, (finished, running) in study.blocks.items():
            cells = f"<td>{finished}</td><td>{running}</td>"
            parts.append(f'<tr><th scope="row">{html.escape(block)}</th>{cells}</tr>')
        parts.append("</tbody></table>")
    return "".join([*parts, "</div></main></body></html>\n"])


def _summary(study: StudyProgress) -> str:
    parts = [f"{count} {state}" for state, count in study.states.items()]
    parts += [f"{count} {kind} checks failed" for kind, count in study.failed_checks.items()]
    if study.wanted is not None:
        parts.append(f"at least {study.wanted} wanted")
    if study.collected:
        parts.append(f"{study.collected} sessions from webMUSHRA")
    if study.simulated:
        parts.append(f"{study.simulated} of these sessions are SIMULATED")
    if study.last_seen_ms is not None:
        parts.append(f"last answer {_length(now_ms() - study.last_seen_ms)} ago")
    return ("PAUSED; " if study.paused else "") + ", ".join(parts)


def _length(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
