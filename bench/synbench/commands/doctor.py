"""``synbench doctor``: what works on this machine, what is missing, and what to type for it."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

import synbench_codecs
import synbench_metrics
from synbench.commands.listing import codec_facts, metric_facts
from synbench.machine import Finding, machine_findings, package_findings, program_findings
from synbench.weights import known_checkpoints, state

# The messages of what is absent end with, or hold, what to type.
COMMAND = re.compile(
    r"(?:\S*pip|\S+ -m pip) install [^;]+|apt-get install [^;]+|synbench weights fetch [\w.-]+"
)
STATE_MARKS = {(True, True): "ok", (True, False): "ok", (False, False): "--", (False, True): "!!"}
COLOURS = {"ok": "green", "--": "yellow", "!!": "red"}
# An environment fault, as everywhere in the command line.
FAULT_EXIT_CODE = 3

__all__ = ["doctor"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Check what works on this machine, what is missing, and which command installs it.

    `ok` works; `--` is missing, but everything else runs without it; `!!` must be fixed first, and
    then the exit code is 3. Every codec and metric is loaded; nothing is downloaded.
    """
    findings: list[Finding] = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            _print(finding)
    healthy = all(finding.works for finding in findings if finding.needed)
    if as_json:
        facts = [dataclasses.asdict(finding) for finding in findings]
        click.echo(json.dumps({"works": healthy, "findings": facts}, indent=2, ensure_ascii=False))
    sys.exit(0 if healthy else FAULT_EXIT_CODE)


def _print(finding: Finding) -> None:
    mark = STATE_MARKS[finding.works, finding.needed]
    click.echo(f"{click.style(mark, fg=COLOURS[mark])}  {finding.part:<17} {finding.state}")
    if finding.command:
        click.echo(f"      {click.style(finding.command, bold=True)}")


def _findings() -> Iterator[Finding]:
    yield from machine_findings()
    yield from package_findings()
    yield from program_findings()
    codecs = [fact for name in synbench_codecs.names() for fact in codec_facts(name)]
    yield from _loaded("codecs", codecs, key="spec")
    metrics = [metric_facts(name) for name in synbench_metrics.names()]
    yield from _loaded("metrics", metrics, key="column")
    yield from _weights()


def _loaded(part: str, facts: Iterable[dict[str, Any]], *, key: str) -> Iterator[Finding]:
    """How many of them run; then one finding for each reason why others do not."""
    facts = list(facts)
    reasons: dict[str, list[str]] = {}
    for fact in facts:
        if fact["unavailable"]:
            reasons.setdefault(fact["unavailable"], []).append(fact[key])
    absent = sum(map(len, reasons.values()))
    count = len(facts) - absent
    yield Finding(
        part=part,
        works=count > 0,
        state=f"{count} of {len(facts)} run here; all: synbench {part}",
        needed=True,
    )
    for reason, names in reasons.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        command = COMMAND.search(reason)
        # What is typed has a line of its own.
        said = (
            reason[: command.start()].removesuffix("; type: ").rstrip(": ") if command else reason
        )
        yield Finding(
            part=part,
            works=False,
            state=f"{', '.join(names[:3])}{more}: {said.rstrip(': ')}",
            command=command[0].strip() if command else "",
        )


def _weights() -> Iterator[Finding]:
    """How many checkpoints are here; then one finding for each that is not what it should be."""
    states = {
        name: {state(source) for source in known.checkpoint.files}
        for name, known in known_checkpoints().items()
    }
    present = sum(file_states == {"present"} for file_states in states.values())
    yield Finding(
        part="weights",
        works=True,
        state=f"{present} of {len(states)} checkpoints are here; all: synbench weights list",
    )
    for name, file_states in states.items():
        if "wrong" in file_states:
            yield Finding(
                part="weights",
                works=False,
                state=f"{name} has another size than the pinned file",
                command=f"synbench weights fetch {name}",
            )
