"""``synbench listen webmushra``: a built study as a config of webMUSHRA."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["webmushra"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder [default: STUDY-webmushra].")
@click.option("--sample-rate", type=click.IntRange(8000, 192000), default=48000, show_default=True)
@click.option(
    "--collector", default="", metavar="URL", help="Address that collects answers (remoteService)."
)
def webmushra(study: Path, out: Path | None, sample_rate: int, collector: str) -> None:
    """Write STUDY, a built study, as config and audio to copy into a checkout of webMUSHRA."""
    from synbench_listening.delivery.webmushra_export import KEY_NAME, export_webmushra
    from synbench_listening.design.study_folder import StudyFolder

    path = out or study.with_name(study.name + "-webmushra")
    config = export_webmushra(
        StudyFolder(study), path, sample_rate=sample_rate, collector=collector
    )
    click.echo(f"{config}: copy {path / 'configs'} into the checkout")
    click.echo(f"It opens as ?config={config.name}; the key is {study / KEY_NAME}")
