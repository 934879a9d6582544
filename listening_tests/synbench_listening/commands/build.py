"""``synbench listen build``: a study folder from a run and a design."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

__all__ = ["build"]


@click.command()
@click.argument("run")
@click.option(
    "--design",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("study.yaml"),
    show_default=True,
    help="As `synbench listen init` writes it.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Study folder [default: studies/NAME]."
)
def build(run: str, design: Path, out: Path | None) -> None:
    """Make a listening test from the reconstructions of RUN, a folder or the name of a suite."""
    from synbench.results.find_run import find_run
    from synbench_listening.design.build_study import build_study
    from synbench_listening.design.session_plan import TRIAL_KINDS
    from synbench_listening.design.study import load_study

    if not design.exists():
        raise UsageError(
            f"there is no design {design}: write one with synbench listen init, "
            "or name it: --design FILE"
        )
    study = load_study(design)
    path = out or Path("studies") / study.name
    built = build_study(find_run(run), study, path, listener=lambda item: click.echo(f"  {item}"))
    key = built.key()
    block = key.blocks[0]
    trials = sum(page.kind in TRIAL_KINDS and not page.training for page in block.pages)
    click.echo(f"{study.test} of {len(key.systems)} systems: {', '.join(key.systems)}")
    click.echo(
        f"{len(key.stimuli)} clips at {key.sample_rate} Hz, {len(key.blocks)} blocks, "
        f"{trials} trials for each listener"
    )
    for note in key.notes:
        click.echo(f"! {note}")
    click.echo(f"Study    {path}   (key.json tells which clip is what: keep it to yourself)")
    click.echo(f"Next     synbench listen serve {path}")
