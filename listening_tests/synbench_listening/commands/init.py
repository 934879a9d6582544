"""``synbench listen init``: a design to begin with."""

from __future__ import annotations

import itertools
import json
import textwrap
from importlib import resources
from pathlib import Path

import click

from synbench.errors import EnvironmentFault, UsageError

USUAL_TEMPLATE = "mushra"
LIST_WIDTH = 100

__all__ = ["init", "template_names", "template_text"]


def template_names() -> list[str]:
    """All templates, in the order of their names."""
    folder = resources.files("synbench_listening.design") / "templates"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir())


def template_text(name: str) -> str:
    """The text of a template.

    Raises:
        UsageError: there is none of that name; the others are named.
    """
    if name not in template_names():
        raise UsageError(f"no template {name!r}; there are: {', '.join(template_names())}")
    folder = resources.files("synbench_listening.design") / "templates"
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


@click.command()
@click.argument("template", default=USUAL_TEMPLATE)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("study.yaml"),
    show_default=True,
    help="File to write; an existing one is kept.",
)
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of study.yaml.")
def init(template: str, out: Path, listing: bool, schema: bool) -> None:
    """Write a study design to start from: TEMPLATE is mushra, p808-acr, p2psyncodec-preference, ...

    All keys of study.yaml, with their meanings and defaults, follow at the end as comments.
    """
    from synbench_listening.design.study import StudyDesign

    if listing:
        for name in template_names():
            about = _first_sentence(template_text(name))
            first, rest = f"{name:<24}", " " * 24
            line = textwrap.fill(about, LIST_WIDTH, initial_indent=first, subsequent_indent=rest)
            click.echo(line)
        return
    if schema:
        click.echo(json.dumps(StudyDesign.model_json_schema(), indent=1, ensure_ascii=False))
        return
    text = template_text(template)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8") as file:
            file.write(text + _all_keys())
    except FileExistsError:
        raise UsageError(f"{out} is there already: remove it, or say --out FILE") from None
    except OSError as error:
        raise EnvironmentFault(f"cannot write {out}: {error.strerror}") from error
    click.echo(f"{out}: the design {template}")
    click.echo(f"Next: synbench listen build RUN --design {out}")


def _first_sentence(text: str) -> str:
    """Of the comment that a template begins with."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), text.split("\n"))
    return " ".join(line.lstrip("# ") for line in comment).partition(". ")[0].rstrip(".") + "."


def _all_keys() -> str:
    """Every key as a comment: what it is, and what it is without being said."""
    from pydantic import BaseModel

    from synbench_listening.design.study import (
        Digits,
        Environment,
        Headphones,
        Items,
        Listening,
        Question,
        StudyDesign,
    )

    parts: list[tuple[str, type[BaseModel]]] = [
        ("All keys and their defaults", StudyDesign),
        ("Keys of items", Items),
        ("Keys of listening", Listening),
        ("Keys of headphones", Headphones),
        ("Keys of environment", Environment),
        ("Keys of digits", Digits),
        ("Keys of each question of questionnaire", Question),
    ]
    lines = []
    for title, model in parts:
        lines += ["", f"# {title}"]
        for name, field in model.model_fields.items():
            usual = field.get_default(call_default_factory=True)
            if isinstance(usual, BaseModel):
                shown = "see below"
            elif field.is_required():
                shown = "needed"
            else:
                shown = json.dumps(usual, ensure_ascii=False)
            meaning = f"  ({field.description})" if field.description else ""
            lines.append(f"#   {name}: {shown}{meaning}")
    return "\n".join(lines) + "\n"
