"""``synbench listen bundle``: a built study as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["bundle"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File [default: STUDY.html].")
def bundle(study: Path, out: Path | None) -> None:
    """Write STUDY, a built study, as one HTML file that listeners open from their disk."""
    from synbench_base.outputs import is_standard_output, write_output
    from synbench_listening.delivery.offline_bundle import bundle_study
    from synbench_listening.design.study_folder import StudyFolder

    path = out or study.with_name(study.name + ".html")
    content = bundle_study(StudyFolder(study))
    write_output(path, content)
    said = (
        f"{path}: {len(content) / 1e6:.1f} MB",
        "Listeners send back the file that the last page offers; give each a number from 1.",
        f"Next     synbench listen import RESULT.json ... --study {study} --out ratings.csv",
    )
    for line in said:
        click.echo(line, err=is_standard_output(path))
