"""Running the suites that measure a paper's table: what is missing, and only that.

A suite of a paper names every codec and metric that the paper compares. Where this installation
lacks one, the rest runs, and the reason is handed on to stand under the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from synbench.errors import SynbenchError, UsageError
from synbench.results.store import RunFolder
from synbench.suite import CodecEntry, CorpusEntry, Suite, anchored, find_suite, load_suite
from synbench_base.close_names import suggestion

__all__ = ["SuiteRun", "parse_codecs", "parse_corpora", "run_suite", "suite_for"]


@dataclass(frozen=True, kw_only=True)
class SuiteRun:
    """A suite's run folder, ``None`` where there is none, and what could not be run, and why."""

    name: str
    folder: Path | None
    absent: tuple[tuple[str, str], ...]


def suite_for(
    name: str,
    *,
    corpora: Mapping[str, str] | None = None,
    codecs: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Suite:
    """A packaged suite, on other corpora, with other codecs or fewer items where asked.

    Args:
        corpora: the name of a corpus of the suite to the spec of the one to take instead; names of
            other suites' corpora are passed over.
        codecs: a label of the suite to the spec of what stands for it instead, such as recordings
            of the authors' or weights of one's own; labels of other suites are passed over.
        limit: items per corpus.
    """
    suite = load_suite(find_suite(name))
    swapped = [_other_codec(entry, codecs or {}) for entry in suite.codecs]
    entries = []
    replaced = swapped != suite.codecs
    for entry in suite.corpora:
        other = (corpora or {}).get(entry.name or entry.corpus)
        taken = entry if other is None else _entry(other)
        replaced = replaced or other is not None
        entries.append(taken.model_copy(update={"limit": limit}) if limit else taken)
    # Scores on other material go into a folder of their own: they are another experiment.
    changes = {
        "corpora": entries,
        "codecs": swapped,
        "name": f"{suite.name}-custom" if replaced else suite.name,
    }
    return suite.model_copy(update=changes)


def _other_codec(entry: CodecEntry, codecs: Mapping[str, str]) -> CodecEntry:
    from synbench_codecs import parse_spec

    label = entry.label or entry.codec
    if label not in codecs:
        return entry
    name, options = parse_spec(codecs[label])
    if name == "recordings":
        options = {"label": label, **options}
    return CodecEntry(codec=name, options=anchored(options, Path.cwd()), label=label)


def _entry(spec: str) -> CorpusEntry:
    from synbench_codecs import parse_spec

    name, options = parse_spec(spec)
    return CorpusEntry(corpus=name, options=anchored(options, Path.cwd()))


def run_suite(
    suite: Suite, *, out: Path, workers: int | None = None, only_plan: bool = False
) -> SuiteRun:
    """Compute what is missing of a suite; what was there already is read even when nothing can run.

    Args:
        out: the folder of run folders; the suite as it was run is written there too.
        only_plan: print the plan, compute nothing.
    """
    from rich.console import Console

    from synbench.commands.plan import print_plan
    from synbench.running import complete_run

    suite, absent = _available(suite)
    folder = out / suite.name
    if suite.codecs and suite.metrics:
        _write(out / f"{suite.name}.yaml", suite)
        try:
            if only_plan:
                print_plan(suite, out=str(folder), workers=workers)
            else:  # more failures than allowed are no error: each is in the table's counts
                summary = complete_run(
                    suite, out=folder, workers=workers, console=Console(stderr=True)
                )
                for line in summary.lines():
                    click.echo(line, err=True)
        except SynbenchError as error:
            absent.append((f"suite {suite.name}", str(error)))
    exists = RunFolder(folder).exists()
    return SuiteRun(name=suite.name, folder=folder if exists else None, absent=tuple(absent))


def _available(suite: Suite) -> tuple[Suite, list[tuple[str, str]]]:
    """The suite without what this version of synbench does not know."""
    import synbench_codecs
    import synbench_metrics

    codecs = synbench_codecs.names()
    columns = synbench_metrics.names()
    known = [entry for entry in suite.codecs if _name(entry.codec) in codecs]
    absent = [
        (entry.label or entry.codec, f"no codec {entry.codec!r} here")
        for entry in suite.codecs
        if entry not in known
    ]
    absent += [(column, "no such metric here") for column in suite.metrics if column not in columns]
    changes = {
        "codecs": known,
        "metrics": [column for column in suite.metrics if column in columns],
    }
    return suite.model_copy(update=changes), absent


def _name(spec: str) -> str:
    return spec.partition(":")[0]


def _write(path: Path, suite: Suite) -> None:
    import yaml

    from synbench_base.files import write_bytes

    text = yaml.safe_dump(suite.model_dump(exclude_defaults=True), sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.encode())


def parse_corpora(texts: Sequence[str]) -> dict[str, str]:
    """``NAME=SPEC`` as a mapping.

    Raises:
        UsageError: a text without a name.
    """
    specs = {}
    for text in texts:
        name, equals, spec = text.partition("=")
        if not equals or not name.isidentifier() or not spec:
            raise UsageError(
                f"expected NAME=SPEC such as libritts=folder:path=speech, got {text!r}"
            )
        specs[name] = spec
    return specs


def parse_codecs(texts: Sequence[str], suites: Sequence[Suite]) -> dict[str, str]:
    """``LABEL=SPEC`` as a mapping.

    Args:
        suites: whose codecs the labels are.

    Raises:
        UsageError: a text without a label, or a label that no suite has.
    """
    known = list(
        dict.fromkeys(entry.label or entry.codec for suite in suites for entry in suite.codecs)
    )
    specs = {}
    for text in texts:
        label, equals, spec = text.partition("=")
        if not equals or not spec:
            raise UsageError(
                "expected LABEL=SPEC such as DAC=recordings:folder=dac,bitrate_bps=500, "
                f"got {text!r}"
            )
        if label not in known:
            raise UsageError(
                f"no codec is called {label!r} in the paper's suites; {suggestion(label, known)}"
            )
        specs[label] = spec
    return specs
