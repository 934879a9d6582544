"""``synbench check``: the contract of a codec as a table of what holds."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import textwrap

import click

from synbench.codec_contract import KeptRule, check_codec, makers

INDENT = 35
NARROWEST = 60

__all__ = ["check"]


@click.command()
@click.argument("codec", metavar="CODEC")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(codec: str, as_json: bool) -> None:
    """Check that CODEC keeps the rules that every codec must keep.

    CODEC is a Python file that defines CODECS, such as `synbench new codec NAME` writes, or the
    name of a codec with its options. The file is run: check your own. Exit code 1 if a
    rule is broken.
    """
    all_hold = True
    facts = {}
    for number, (spec, make) in enumerate(makers(codec)):
        if not as_json:
            click.echo(click.style(spec, bold=True))
        rules: list[KeptRule] = []
        for kept in check_codec(make, source=codec, number=number):
            rules.append(kept)
            if not as_json:
                _print(kept)
        all_hold &= all(kept.holds for kept in rules)
        facts[spec] = [dataclasses.asdict(kept) for kept in rules]
    if as_json:
        click.echo(json.dumps({"holds": all_hold, "codecs": facts}, indent=2, ensure_ascii=False))
    sys.exit(0 if all_hold else 1)


def _print(kept: KeptRule) -> None:
    mark = click.style("ok", fg="green") if kept.holds else click.style("!!", fg="red")
    width = shutil.get_terminal_size().columns
    text = textwrap.fill(
        kept.detail,
        max(width, NARROWEST),
        initial_indent=" " * INDENT,
        subsequent_indent=" " * INDENT,
    )
    click.echo(f"{mark}  {kept.rule:<{INDENT - 4}}{text[INDENT:]}")
