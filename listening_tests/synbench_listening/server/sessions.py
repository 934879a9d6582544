"""What a listener's browser can do: begin, go on, fetch clips, save, finish, withdraw.

Plain functions on a database, without HTTP. Whatever a request may not do is a
:class:`SessionRefusal` with a status and codes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from synbench_listening.answers.protocol import SaveReply, SessionRequest
from synbench_listening.answers.session_ratings import CHECKS
from synbench_listening.answers.submission import (
    Answer,
    Event,
    QualifyingAnswer,
    Submission,
    find_problems,
    is_right,
)
from synbench_listening.design.session_plan import (
    TRIAL_KINDS,
    PlanPage,
    SessionPlan,
    SessionState,
    plan_session,
)
from synbench_listening.design.study_folder import Key, PublicStudy, StudyFolder
from synbench_listening.server.database import (
    Database,
    answers,
    checks,
    clips,
    events,
    platform_ids,
    sessions,
    studies,
)
from synbench_listening.server.people import (
    SIMULATED,
    finished_elsewhere,
    identity_rows,
    taken_part,
)
from synbench_listening.server.plausible import in_time, seconds_needed

# A session that was not heard of for so long no longer holds its block.
LEASE_MS = 2 * 3600 * 1000
# Corrections of one answer, and events of one session, that are kept.
MOST_REVISIONS = 50
MOST_EVENTS = 20_000
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)

__all__ = ["LEASE_MS", "SIMULATED", "ServedStudy", "Service", "SessionRefusal"]


class SessionRefusal(Exception):
    """A request that is refused for good: an HTTP status and codes for the page."""

    def __init__(self, status: int, *codes: str) -> None:
        super().__init__(f"{status}: {', '.join(codes)}")
        self.status = status
        self.codes = codes


@dataclass(frozen=True)
class ServedStudy:
    """A study folder, read once."""

    folder: StudyFolder
    key: Key
    public: PublicStudy

    @classmethod
    def of(cls, folder: StudyFolder) -> ServedStudy:
        """Read key and public part."""
        return cls(folder=folder, key=folder.key(), public=folder.public())


class Service:
    """The studies of one database.

    ``lab``: listeners are told apart by the numbers that the experimenter gives them, on computers
    that the experimenter trusts: a number comes back to its own unfinished session.
    """

    def __init__(
        self, database: Database, served: Sequence[ServedStudy], *, lab: bool = False
    ) -> None:
        self.database = database
        self.lab = lab
        self.studies = {study.public.name: study for study in served}
        with database.writing() as connection:
            for study in served:
                register(connection, study.public.name, study.public.version)

    def begin(self, request: SessionRequest) -> SessionState:
        """A new session, in the block with the fewest sessions that are finished or under way.

        The same request again, where its reply was lost, gives the same session a new token.
        """
        study = self.studies.get(request.study)
        if study is None or request.version != study.public.version:
            raise SessionRefusal(404, "unknown_study")
        if request.language not in study.public.languages:
            raise SessionRefusal(422, "language")
        wanted = study.public.consent_version if study.public.asks_consent else None
        if request.consent != wanted:
            raise SessionRefusal(422, "consent")
        if self.lab and not request.listener.strip() and SIMULATED not in request.platform:
            raise SessionRefusal(422, "listener_number")
        proof = request.platform.get(SIMULATED)
        if proof is not None and not hmac.compare_digest(
            proof.encode(), study.folder.simulation_proof().encode()
        ):
            raise SessionRefusal(403, "simulation")
        token = secrets.token_hex(32)
        with self.database.writing() as connection:
            row = self._locked_study(connection, study)
            again = self._repeated(connection, request) or self._unfinished(connection, request)
            if again is not None:
                connection.execute(
                    update(sessions)
                    .where(sessions.c.id == again.id)
                    .values(token_hash=_hash(token), seen_ms=now_ms())
                )
                return self._state(connection, again, token=token)
            if row.paused:
                raise SessionRefusal(409, "paused")
            hashes = identity_rows(request.platform, salt=self.database.salt)
            if taken_part(connection, study.public.name, hashes, request.listener.strip() or None):
                raise SessionRefusal(409, "already_taken_part")
            session = self._create(connection, study, request, token)
            rows = [
                {"session": session.id, "name": name, "hash": hashed}
                for name, hashed in hashes.items()
            ]
            if rows:
                connection.execute(insert(platform_ids), rows)
            return self._state(connection, session, token=token)

    def knows(self, token: str) -> bool:
        """Whether a session of this database has the token."""
        query = select(func.count()).select_from(sessions)
        with self.database.reading() as connection:
            session_id = connection.scalar(query.where(sessions.c.token_hash == _hash(token)))
        return bool(session_id)

    def state(self, token: str) -> SessionState:
        """Everything for going on after a reload."""
        with self.database.reading() as connection:
            return self._state(connection, self._session(connection, token))

    def clip(self, token: str, clip_id: str) -> bytes:
        """The WAV of a clip of this very session; that it was fetched is recorded."""
        with self.database.writing() as connection:
            session = self._session(connection, token)
            clip_row = connection.execute(
                select(clips).where(clips.c.id == clip_id, clips.c.session == session.id)
            ).one_or_none()
            if clip_row is None:
                raise SessionRefusal(404, "no_clip")
            values = {
                "fetched": clip_row.fetched + 1,
                "fetched_ms": clip_row.fetched_ms or now_ms(),
            }
            connection.execute(update(clips).where(clips.c.id == clip_id).values(**values))
        study = self.studies[session.study]
        return study.folder.clip_path(study.key.stimuli[clip_row.stimulus]).read_bytes()

    def save(self, token: str, n: int, sent: Submission) -> SaveReply:
        """Store an answer. The same ``uuid`` again stores nothing, and is answered as before."""
        with self.database.writing() as connection:
            session = self._session(connection, token, lock=True)
            plan = SessionPlan.model_validate_json(session.plan)
            if not 0 <= n < len(plan.pages) - 1:
                raise SessionRefusal(404, "no_page")
            stored = _stored(connection, session.id)
            known = connection.execute(
                select(answers.c.payload).where(
                    answers.c.session == session.id,
                    answers.c.page == n,
                    answers.c.uuid == sent.uuid,
                )
            ).scalar_one_or_none()
            if known is not None:
                if _ANSWER.validate_json(known) != sent.answer:
                    raise SessionRefusal(409, "other_answer_under_the_same_uuid")
                return self._reply(connection, session, plan.pages[n], sent)
            if session.state != "running":
                raise SessionRefusal(409, session.state)
            if n > _next_page(plan, stored):
                raise SessionRefusal(409, "out_of_order")
            self._check(connection, session, plan, plan.pages[n], sent, stored)
            _check_revision(connection, session.id, n, stored.get(n), sent)
            self._store(connection, session, n, sent)
            return self._reply(connection, session, plan.pages[n], sent)

    def log(self, token: str, batch: Sequence[Event]) -> None:
        """Keep events; beyond the limit of a session they are dropped."""
        with self.database.writing() as connection:
            session = self._session(connection, token)
            count = connection.scalar(
                select(func.count()).select_from(events).where(events.c.session == session.id)
            )
            room = max(0, MOST_EVENTS - int(count or 0))
            rows = [
                {
                    "session": session.id,
                    "n": entry.n,
                    "t_ms": entry.t_ms,
                    "type": entry.type,
                    "data": json.dumps(entry.data, ensure_ascii=False),
                    "server_ms": now_ms(),
                }
                for entry in batch[:room]
            ]
            if rows:
                connection.execute(insert(events), rows)

    def finish(self, token: str) -> SessionState:
        """Close the session if every page has an answer; only then the completion is told.

        A second session of a person who has finished another in the meantime ends without one.
        """
        with self.database.writing() as connection:
            session = self._session(connection, token)
            self._locked_study(connection, self.studies[session.study])
            session = self._session(connection, token, lock=True)
            if session.state == "running":
                plan = SessionPlan.model_validate_json(session.plan)
                if _next_page(plan, _stored(connection, session.id)) < len(plan.pages) - 1:
                    raise SessionRefusal(409, "unfinished")
                state = "ended" if finished_elsewhere(connection, session) else "finished"
                values = {"state": state, "finished_ms": now_ms(), "seen_ms": now_ms()}
                connection.execute(
                    update(sessions).where(sessions.c.id == session.id).values(**values)
                )
                session = self._session(connection, token)
            return self._state(connection, session, completed=session.state == "finished")

    def withdraw(self, token: str) -> None:
        """Delete all that the listener gave; the code stays as withdrawn."""
        with self.database.writing() as connection:
            session = self._session(connection, token, lock=True, withdrawn=True)
            erase(connection, session.id)
        self.database.forget()

    def _locked_study(self, connection: Connection, study: ServedStudy) -> Row[Any]:
        """The study's row, held until the end, so that two sessions never count at once."""
        return connection.execute(
            select(studies).where(studies.c.name == study.public.name).with_for_update()
        ).one()

    def _repeated(self, connection: Connection, request: SessionRequest) -> Row[Any] | None:
        repeated = connection.execute(
            select(sessions).where(sessions.c.request_hash == _hash(request.uuid))
        ).one_or_none()
        if repeated is None:
            return None
        if repeated.state != "running" or _stored(connection, repeated.id):
            raise SessionRefusal(409, "already_begun")
        return repeated

    def _unfinished(self, connection: Connection, request: SessionRequest) -> Row[Any] | None:
        """In a laboratory: the session that this number has begun and not finished."""
        if not self.lab or not request.listener.strip():
            return None
        query = select(sessions).where(
            sessions.c.study == request.study,
            sessions.c.version == request.version,
            sessions.c.listener == request.listener.strip(),
            sessions.c.state == "running",
        )
        return connection.execute(query.order_by(sessions.c.id.desc())).first()

    def _create(
        self, connection: Connection, study: ServedStudy, request: SessionRequest, token: str
    ) -> Row[Any]:
        block = least_filled_block(connection, study)
        plan, stimulus_of = plan_session(study.key, study.key.block(block))
        moment = now_ms()
        values = {
            "code": "L-" + "".join(secrets.choice(CODE_LETTERS) for _ in range(8)),
            "study": study.public.name,
            "version": study.public.version,
            "token_hash": _hash(token),
            "request_hash": _hash(request.uuid),
            "block": block,
            "language": request.language,
            "consent": request.consent,
            "state": "running",
            "plan": plan.model_dump_json(),
            "simulated": SIMULATED in request.platform,
            "listener": request.listener.strip() or None,
            "client": request.client.model_dump_json(),
            "begun_ms": moment,
            "seen_ms": moment,
        }
        number = connection.execute(
            insert(sessions).values(**values).returning(sessions.c.id)
        ).scalar_one()
        rows = [
            {"id": name, "session": number, "stimulus": stimulus, "fetched": 0}
            for name, stimulus in stimulus_of.items()
        ]
        connection.execute(insert(clips), rows)
        return connection.execute(select(sessions).where(sessions.c.id == number)).one()

    def _session(
        self,
        connection: Connection,
        token: str,
        *,
        lock: bool = False,
        withdrawn: bool = False,
    ) -> Row[Any]:
        query = select(sessions).where(sessions.c.token_hash == _hash(token))
        session = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if session is None or (session.state == "withdrawn" and not withdrawn):
            raise SessionRefusal(401, "unknown_token")
        study = self.studies.get(session.study)
        if study is None or study.public.version != session.version:
            raise SessionRefusal(410, "study_changed")
        return session

    def _check(
        self,
        connection: Connection,
        session: Row[Any],
        plan: SessionPlan,
        page: PlanPage,
        sent: Submission,
        stored: Mapping[int, Row[Any]],
    ) -> None:
        """Refuse what the page should not have sent, and what nobody can have heard so fast."""
        public = self.studies[session.study].public
        problems = find_problems(page, sent.answer, public)
        if page.kind in TRIAL_KINDS and public.listening.minimum_share > 0:
            ids = [clip.id for clip in page.stimuli]
            ids += [page.reference.id] if page.reference else []
            fetched = connection.scalar(
                select(func.count())
                .select_from(clips)
                .where(clips.c.id.in_(ids), clips.c.fetched > 0)
            )
            if fetched != len(ids) and "unheard" not in problems:
                problems.append("unheard")
        if not problems and not self._in_time(connection, session, plan, page, sent, stored):
            problems.append("too_fast")
        if problems:
            raise SessionRefusal(422, *problems)

    def _in_time(
        self,
        connection: Connection,
        session: Row[Any],
        plan: SessionPlan,
        page: PlanPage,
        sent: Submission,
        stored: Mapping[int, Row[Any]],
    ) -> bool:
        if session.simulated:
            return True
        rate = plan.sample_rate
        needed = seconds_needed(page, sent.answer, sample_rate=rate)
        others = [
            seconds_needed(plan.pages[n], _ANSWER.validate_json(row.payload), sample_rate=rate)
            for n, row in stored.items()
            if n != page.n
        ]
        ids = [clip.id for clip in page.stimuli]
        ids += [page.reference.id] if page.reference else []
        first = connection.scalar(select(func.min(clips.c.fetched_ms)).where(clips.c.id.in_(ids)))
        moment = now_ms()
        return in_time(
            needed,
            others,
            since_fetched=None if first is None else (moment - first) / 1000,
            since_begun=(moment - session.begun_ms) / 1000,
        )

    def _store(self, connection: Connection, session: Row[Any], n: int, sent: Submission) -> None:
        row = {
            "session": session.id,
            "page": n,
            "uuid": sent.uuid,
            "revision": sent.revision,
            "payload": sent.answer.model_dump_json(),
            "client_ms": sent.client_ms,
            "server_ms": now_ms(),
        }
        try:
            connection.execute(insert(answers).values(**row))
        except IntegrityError:  # pragma: no cover - the session's row is locked
            raise SessionRefusal(409, "stored_twice") from None
        connection.execute(
            update(sessions).where(sessions.c.id == session.id).values(seen_ms=now_ms())
        )
        study = self.studies[session.study]
        page = study.key.block(session.block).pages[n]
        passed = is_right(study.key, study.public, page, sent.answer)
        kind = page.check or page.kind
        if passed is not None and kind in CHECKS:
            check = {"session": session.id, "page": n, "kind": kind, "passed": passed}
            connection.execute(insert(checks).values(**check, server_ms=now_ms()))

    def _reply(
        self, connection: Connection, session: Row[Any], page: PlanPage, sent: Submission
    ) -> SaveReply:
        study = self.studies[session.study]
        rules = study.public.qualification(page.kind)
        if rules is None:
            return SaveReply(state=session.state)
        block_page = study.key.block(session.block).pages[page.n]
        passed = bool(is_right(study.key, study.public, block_page, sent.answer))
        state = session.state
        if not passed and rules.required and state == "running":
            failed = connection.scalar(
                select(func.count())
                .select_from(checks)
                .where(checks.c.session == session.id, checks.c.kind == page.kind)
            )
            # Counted here: a page that always says "first attempt" ends as well.
            if int(failed or 0) >= rules.attempts:
                state = "ended"
                connection.execute(
                    update(sessions)
                    .where(sessions.c.id == session.id)
                    .values(state=state, finished_ms=now_ms())
                )
        return SaveReply(passed=passed, state=state)

    def _state(
        self,
        connection: Connection,
        session: Row[Any],
        *,
        token: str | None = None,
        completed: bool = False,
    ) -> SessionState:
        plan = SessionPlan.model_validate_json(session.plan)
        stored = _stored(connection, session.id)
        key = self.studies[session.study].key
        return SessionState(
            session=session.code,
            token=token,
            state=session.state,
            language=session.language,
            plan=plan,
            next=_next_page(plan, stored),
            answers={str(n): json.loads(row.payload) for n, row in sorted(stored.items())},
            completion_url=key.completion_url if completed else "",
            completion_code=key.completion_code if completed else "",
        )


def now_ms() -> int:
    """The server's clock, ms since 1970."""
    return time.time_ns() // 1_000_000


def register(connection: Connection, name: str, version: str) -> None:
    """Make the row of a study, or bring it to the version that is served."""
    study_row = connection.execute(select(studies).where(studies.c.name == name)).one_or_none()
    if study_row is None:
        connection.execute(insert(studies).values(name=name, version=version, paused=False))
    elif study_row.version != version:
        connection.execute(update(studies).where(studies.c.name == name).values(version=version))


def least_filled_block(connection: Connection, study: ServedStudy) -> str:
    """The block with the fewest finished sessions and leases; then the fewest ever begun."""
    rows = connection.execute(
        select(sessions.c.block, sessions.c.state, sessions.c.seen_ms).where(
            sessions.c.study == study.public.name, sessions.c.version == study.public.version
        )
    ).all()
    alive = now_ms() - LEASE_MS
    held = Counter(
        row.block
        for row in rows
        if row.state == "finished" or (row.state == "running" and row.seen_ms > alive)
    )
    begun = Counter(row.block for row in rows)
    names = [block.name for block in study.key.blocks]
    return min(names, key=lambda name: (held[name], begun[name], names.index(name)))


def erase(connection: Connection, session: int) -> None:
    """Delete answers, events, checks and identities of a session, and mark it withdrawn."""
    for table in (answers, events, checks, platform_ids):
        connection.execute(delete(table).where(table.c.session == session))
    connection.execute(
        update(sessions)
        .where(sessions.c.id == session)
        .values(state="withdrawn", finished_ms=now_ms(), listener=None, client=None)
    )


def _check_revision(
    connection: Connection, session: int, n: int, stored: Row[Any] | None, sent: Submission
) -> None:
    if stored is None:
        return
    # After a reload the page does not know its revisions; a further attempt is a further answer.
    if isinstance(sent.answer, QualifyingAnswer):
        before = int(json.loads(stored.payload)["attempt"])
        newer = (sent.answer.attempt, sent.revision) > (before, stored.revision)
    else:
        newer = sent.revision > stored.revision
    if not newer:
        raise SessionRefusal(409, "older_revision")
    count = connection.scalar(
        select(func.count())
        .select_from(answers)
        .where(answers.c.session == session, answers.c.page == n)
    )
    if int(count or 0) >= MOST_REVISIONS:
        raise SessionRefusal(409, "too_many_revisions")


def _stored(connection: Connection, session: int) -> dict[int, Row[Any]]:
    """The valid answer of each page: the one stored last."""
    rows = connection.execute(
        select(answers).where(answers.c.session == session).order_by(answers.c.id)
    )
    return {row.page: row for row in rows}


def _next_page(plan: SessionPlan, stored: dict[int, Row[Any]]) -> int:
    return next((p.n for p in plan.pages[:-1] if p.n not in stored), len(plan.pages) - 1)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
