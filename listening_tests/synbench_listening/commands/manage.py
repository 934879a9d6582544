"""What the experimenter does to a served study: see how far it is, pause it, delete from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError
from synbench_listening.commands.served_study import (
    STUDY,
    database_option,
    open_database,
    open_study,
)

if TYPE_CHECKING:
    from synbench_listening.server.database import Database

__all__ = ["pause", "progress", "purge"]


@click.command()
@click.argument("study", type=STUDY)
@database_option
def progress(study: Path, database: str | None) -> None:
    """Show how many listeners have finished each block; scores stay hidden."""
    from synbench_listening.server import progress as counted

    with open_database(database, study) as opened:
        counts = counted.progress(opened, open_study(study))
    click.echo(f"{counts.name}{' (paused)' if counts.paused else ''}")
    click.echo("  ".join(f"{count} {state}" for state, count in counts.states.items()))
    if counts.wanted is not None:
        click.echo(f"{counts.states['finished']} of at least {counts.wanted} listeners")
    for kind, count in counts.failed_checks.items():
        click.echo(f"{count} {kind} checks failed")
    if counts.simulated:
        click.echo(f"! {counts.simulated} of these sessions are SIMULATED")
    click.echo(f"{'block':<10}{'finished':>10}{'running':>10}")
    for block, (finished, running) in counts.blocks.items():
        click.echo(f"{block:<10}{finished:>10}{running:>10}")


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option("--resume", is_flag=True, help="Let new listeners start again.")
def pause(study: Path, database: str | None, resume: bool) -> None:
    """Stop new listeners from starting; those who have started can finish."""
    from synbench_listening.server.purge import set_paused

    served = open_study(study)
    with open_database(database, study) as opened:
        set_paused(opened, served.public.name, not resume)
    click.echo(f"{served.public.name} is {'open' if resume else 'paused'}")


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option("--session", "code", metavar="CODE", help="One listener's code, such as L-ABCDEFGH.")
@click.option("--platform-ids", is_flag=True, help="The hashed identities of crowd platforms.")
@click.option("--everything", is_flag=True, help="All sessions and answers of the study.")
@click.option("--simulated", is_flag=True, help="All simulated sessions.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(
    study: Path,
    database: str | None,
    code: str | None,
    platform_ids: bool,
    everything: bool,
    simulated: bool,
    yes: bool,
) -> None:
    """Delete answers or identities from the database for good."""
    from synbench_listening.server import purge as purging

    name = open_study(study).public.name
    chosen: list[Callable[[Database], str]] = []
    if code:
        chosen.append(lambda opened: f"{purging.purge_session(opened, name, code)} session")
    if platform_ids:
        chosen.append(lambda opened: f"{purging.purge_platform_ids(opened, name)} identities")
    if simulated:
        chosen.append(lambda opened: f"{purging.purge_simulated(opened, name)} simulated sessions")
    if everything:
        chosen.append(lambda opened: f"{purging.purge_study(opened, name)} sessions")
    if len(chosen) != 1:
        raise UsageError("say one of --session CODE, --platform-ids, --simulated, --everything")
    if not yes:
        click.confirm(f"Delete from {name} for good?", abort=True)
    with open_database(database, study) as opened:
        click.echo(f"deleted {chosen[0](opened)}")
        opened.forget()
