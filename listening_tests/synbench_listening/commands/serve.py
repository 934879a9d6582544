"""``synbench listen serve``."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synbench.errors import EnvironmentFault, UsageError
from synbench_base.packages import install
from synbench_listening.commands.served_study import (
    STUDY,
    database_option,
    open_database,
    open_study,
)

if TYPE_CHECKING:
    from synbench_listening.server.sessions import ServedStudy

PASSWORD_VARIABLE = "SYNBENCH_LISTEN_PASSWORD"
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")

__all__ = ["check_clips", "serve"]


@click.command()
@click.argument("studies", nargs=-1, required=True, type=STUDY)
@database_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--lab", is_flag=True, help="Ask each listener for a number, or take it from ?listener=07."
)
@click.option(
    "--prefix", default="", metavar="/PATH", help="Path to serve below, for a proxy that keeps it."
)
@click.option(
    "--collect-webmushra",
    is_flag=True,
    help="Also accept answers from webMUSHRA at /compat/webmushra/NAME (no token protects it).",
)
def serve(
    studies: tuple[Path, ...],
    database: str | None,
    host: str,
    port: int,
    lab: bool,
    prefix: str,
    collect_webmushra: bool,
) -> None:
    """Serve STUDIES, built folders, until interrupted. Every answer is on disk once it is accepted.

    For listeners outside this machine put a proxy with TLS in front. The progress page asks for a
    password: $SYNBENCH_LISTEN_PASSWORD, or a random one that is printed. Several studies have
    their answers in their own folders, unless --database names one for all.
    """
    try:
        import uvicorn

        from synbench_listening.server.app import make_app
        from synbench_listening.server.sessions import Service
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"{error.name} is missing; type: {install('listening')}") from error
    served = [open_study(folder) for folder in studies]
    names = [study.public.name for study in served]
    if len(set(names)) < len(names):
        raise UsageError(f"two studies of one name: {', '.join(names)}")
    if prefix and not PREFIX.fullmatch(prefix):
        raise UsageError(f"expected a prefix such as /listen, got {prefix!r}")
    for study in served:
        check_clips(study)
    given = os.environ.get(PASSWORD_VARIABLE)
    password = given or secrets.token_urlsafe(12)
    groups = [(studies[0], served)] if database else [(s.folder.path, [s]) for s in served]
    with ExitStack() as open_until_the_end:
        bound = open_until_the_end.enter_context(_socket(host, port))
        services = []
        for folder, group in groups:
            opened = open_until_the_end.enter_context(open_database(database, folder))
            services.append(Service(opened, group, lab=lab))
        app = make_app(
            services,
            admin_password=password,
            collect_webmushra=collect_webmushra,
            prefix=prefix,
        )
        shown = f"http://{host}:{bound.getsockname()[1]}{prefix.rstrip('/')}"
        for name in names:
            click.echo(f"Listeners  {shown}/s/{name}{'?listener=01' if lab else ''}")
        how = f"from ${PASSWORD_VARIABLE}" if given else password
        click.echo(f"Progress   {shown}/admin   (any name, password {how})")
        for service in services:
            url = service.database.engine.url.render_as_string(hide_password=True)
            click.echo(f"Answers    {url}")
        if collect_webmushra:
            click.echo("! /compat/webmushra takes answers from anybody: they are exported apart")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=16_384,
        )
        uvicorn.Server(config).run(sockets=[bound])


def check_clips(study: ServedStudy) -> None:
    """Compare every file with the digest in the key, before any listener gets it.

    Raises:
        UsageError: a file is missing or altered.
    """
    import hashlib

    for stimulus in study.key.stimuli.values():
        path = study.folder.clip_path(stimulus)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(
                f"a clip of the study cannot be read: {error}; build it again"
            ) from error
        if digest != stimulus.sha256:
            raise UsageError(f"{path} was altered after the build: build the study again")


def _socket(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; try --port 0"
        ) from error
    return bound
