"""The routes, and what guards them: sizes, rates, headers. Everything else is in ``sessions``."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synbench_listening.answers.protocol import TOKEN_HEADER, EventBatch, SessionRequest
from synbench_listening.answers.submission import Submission
from synbench_listening.delivery.page import (
    CONTENT_SECURITY_POLICY,
    STATIC_FILES,
    render_index,
    render_no_study,
    render_page,
    static_file,
)
from synbench_listening.server.collector import MOST_BYTES, collect
from synbench_listening.server.progress import progress, progress_page
from synbench_listening.server.rate_limit import RateLimit
from synbench_listening.server.sessions import ServedStudy, Service, SessionRefusal

TRIAL_BYTES = 64_000
EVENTS_BYTES = 512_000
SMALL_BYTES = 8_000
# Tokens whose database is remembered.
MOST_TOKENS = 10_000
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cache-control", b"no-store"),
)
LOG = logging.getLogger(__name__)
Model = TypeVar("Model", bound=BaseModel)

__all__ = ["make_app"]


class _Guarded:
    """All routes, with the services behind them: each has its studies and their database."""

    def __init__(
        self,
        services: Sequence[Service],
        admin_password: str,
        *,
        collect_webmushra: bool,
        prefix: str,
    ) -> None:
        self.services = services
        self.of_study = {name: service for service in services for name in service.studies}
        # Token to service, as found; a miss asks every database.
        self.of_token: dict[str, Service] = {}
        self.password = admin_password
        self.collects = collect_webmushra
        self.prefix = prefix
        # Twenty listeners of a laboratory come from one address.
        self.per_address = RateLimit(burst=3000, per_second=150)
        self.beginnings = RateLimit(burst=100, per_second=1)
        self.strangers = RateLimit(burst=60, per_second=1)
        self.per_token = RateLimit(burst=300, per_second=10)
        self.collections = RateLimit(burst=100, per_second=2)

    def routes(self) -> list[Route]:
        """Path, methods, function."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/", self.index),
            ("GET", "/s/{study}", self.page),
            ("GET", "/static/{name}", self.static),
            ("POST", "/api/sessions", self.begin),
            ("GET", "/api/session", self.state),
            ("DELETE", "/api/session", self.withdraw),
            ("GET", "/api/clip/{id}", self.clip),
            ("PUT", "/api/trials/{n:int}", self.save),
            ("POST", "/api/events", self.events),
            ("POST", "/api/finish", self.finish),
            ("GET", "/healthz", self.health),
            ("GET", "/admin", self.admin),
        ]
        if self.collects:
            table.append(("POST", "/compat/webmushra/{study}", self.collect))
        return [
            Route(self.prefix + path, self._refusing(go), methods=[verb])
            for verb, path, go in table
        ]

    async def index(self, _: Request) -> Response:
        studies = [study.public for service in self.services for study in service.studies.values()]
        return Response(render_index(studies), media_type="text/html")

    async def page(self, request: Request) -> Response:
        try:
            service, study = self._study(request)
        except SessionRefusal as refusal:
            return Response(render_no_study(), refusal.status, media_type="text/html")
        return Response(render_page(study.public, lab=service.lab), media_type="text/html")

    def _study(self, request: Request) -> tuple[Service, ServedStudy]:
        service = self.of_study.get(request.path_params["study"])
        if service is None:
            raise SessionRefusal(404, "unknown_study")
        return service, service.studies[request.path_params["study"]]

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC_FILES:
            raise SessionRefusal(404, "no_file")
        return Response(static_file(name), media_type=STATIC_FILES[name])

    async def begin(self, request: Request) -> Response:
        _limit(self.beginnings, _address(request))
        sent = await _model(request, SessionRequest, SMALL_BYTES)
        service = self.of_study.get(sent.study)
        if service is None:
            raise SessionRefusal(404, "unknown_study")
        return _json(201, await run_in_threadpool(service.begin, sent))

    async def state(self, request: Request) -> Response:
        return _json(200, await self._call(request, Service.state))

    async def withdraw(self, request: Request) -> Response:
        await self._call(request, Service.withdraw)
        return Response(status_code=204)

    async def clip(self, request: Request) -> Response:
        data = await self._call(request, Service.clip, request.path_params["id"])
        return Response(data, media_type="audio/wav")

    async def save(self, request: Request) -> Response:
        _token(request)
        sent = await _model(request, Submission, TRIAL_BYTES)
        n = request.path_params["n"]
        return _json(200, await self._call(request, Service.save, n, sent))

    async def events(self, request: Request) -> Response:
        _token(request)
        sent = await _model(request, EventBatch, EVENTS_BYTES)
        await self._call(request, Service.log, sent.events)
        return Response(status_code=204)

    async def finish(self, request: Request) -> Response:
        await _body(request, SMALL_BYTES)
        return _json(200, await self._call(request, Service.finish))

    async def collect(self, request: Request) -> Response:
        _limit(self.collections, _address(request))
        service, study = self._study(request)
        body = await _body(request, MOST_BYTES)
        await run_in_threadpool(collect, service.database, study, body)
        # The page may come from another origin, and has to see the status; there is no more to see.
        return Response(status_code=200, headers={"Access-Control-Allow-Origin": "*"})

    async def health(self, _: Request) -> Response:
        for service in self.services:
            await run_in_threadpool(_try_writing, service)
        return JSONResponse({"ok": True, "studies": len(self.of_study)})

    async def admin(self, request: Request) -> Response:
        if not _is_admin(request, self.password):
            _limit(self.strangers, _address(request))
            challenge = {"WWW-Authenticate": 'Basic realm="progress", charset="UTF-8"'}
            return Response("password needed", 401, challenge, "text/plain")

        def count() -> str:
            return progress_page(
                [
                    progress(service.database, study)
                    for service in self.services
                    for study in service.studies.values()
                ]
            )

        return Response(await run_in_threadpool(count), media_type="text/html")

    async def _call(self, request: Request, function: Callable[..., Any], *rest: Any) -> Any:
        """Call the service for a session; strangers are slowed down by address."""
        token = _token(request)
        _limit(self.per_token, token)
        try:
            service = await run_in_threadpool(self._service_of, token)
            return await run_in_threadpool(function, service, token, *rest)
        except SessionRefusal as refusal:
            if refusal.status == 401:
                _limit(self.strangers, _address(request))
            raise

    def _service_of(self, token: str) -> Service:
        """The service that knows a token; the last one refuses it if none does."""
        if len(self.services) == 1:
            return self.services[0]
        known = self.of_token.get(token)
        if known is None:
            known = next((s for s in self.services if s.knows(token)), self.services[-1])
            if known.knows(token) and len(self.of_token) < MOST_TOKENS:
                self.of_token[token] = known
        return known

    def _refusing(
        self, go: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                _limit(self.per_address, _address(request))
                return await go(request)
            except SessionRefusal as refusal:
                return _problems(refusal)
            except _TooMany as busy:
                headers = {"Retry-After": str(busy.seconds)}
                return JSONResponse({"problems": ["too_many_requests"]}, 429, headers)
            except ClientDisconnect:
                return Response(status_code=400)
            except (DBAPIError, OSError):
                LOG.exception("storage failed")
                return JSONResponse({"problems": ["storage"]}, 503, {"Retry-After": "2"})

        return answer


class _TooMany(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Headers:
    """Adds the headers that every reply has, also those of errors."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, receive, send_more if scope["type"] == "http" else send)


def make_app(
    services: Service | Sequence[Service],
    *,
    admin_password: str,
    collect_webmushra: bool = False,
    prefix: str = "",
) -> ASGIApp:
    """The ASGI application.

    Args:
        services: one for each database; their studies have different names.
        collect_webmushra: take what webMUSHRA's page sends for studies that were exported to it.
        prefix: path below which everything lies, such as ``/listen``.
    """

    async def not_found(_: Request, error: Exception) -> Response:
        return JSONResponse({"problems": ["not_found"]}, getattr(error, "status_code", 404))

    app = Starlette(
        routes=_Guarded(
            [services] if isinstance(services, Service) else list(services),
            admin_password,
            collect_webmushra=collect_webmushra,
            prefix=prefix.rstrip("/"),
        ).routes(),
        exception_handlers={404: not_found, 405: not_found},
    )
    app.router.redirect_slashes = False
    return _Headers(app)


def _problems(refusal: SessionRefusal) -> Response:
    return JSONResponse({"problems": list(refusal.codes)}, refusal.status)


def _json(status: int, model: BaseModel) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _token(request: Request) -> str:
    token = request.headers.get(TOKEN_HEADER, "")
    if len(token) != 64 or not token.isalnum():
        raise SessionRefusal(401, "unknown_token")
    return token


def _limit(limit: RateLimit, client: str) -> None:
    seconds = limit.wait_seconds(client)
    if seconds:
        raise _TooMany(seconds)


async def _body(request: Request, most: int) -> bytes:
    """The body, which is not read any further once it is too long."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > most:
        raise SessionRefusal(413, "too_large")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise SessionRefusal(413, "too_large")
        parts.append(part)
    return b"".join(parts)


async def _model(request: Request, model: type[Model], most: int) -> Model:
    body = await _body(request, most)
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise SessionRefusal(422, "schema") from None


def _is_admin(request: Request, password: str) -> bool:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        _, _, given = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return hmac.compare_digest(given.encode(), password.encode())


def _try_writing(service: Service) -> None:
    """Write and take back: storage that cannot be written is found before a listener comes."""
    from sqlalchemy import insert

    from synbench_listening.server.database import audit
    from synbench_listening.server.sessions import now_ms

    with service.database.engine.connect() as connection, connection.begin() as transaction:
        row = {"server_ms": now_ms(), "what": "health", "detail": ""}
        connection.execute(insert(audit).values(**row))
        transaction.rollback()
