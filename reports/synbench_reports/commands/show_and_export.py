"""``synbench show`` and ``synbench export``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from synbench.errors import UsageError
from synbench_base.collector import paused_collector
from synbench_base.outputs import output_file

if TYPE_CHECKING:
    from synbench.results.planned import PlannedRun
    from synbench_reports.render.paper_grid import PaperTable

__all__ = ["export", "show", "show_run"]

WIDTH_OF_FILES = 100
PAPER_FORMATS = ("latex", "typst", "word")


def _split(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in value.split(","))))


def limit_options(command: Any) -> Any:
    """``--limits`` and ``--within`` of the commands that print or write tables."""
    for option in (
        click.option("--within", is_flag=True, help="Show only codecs that keep the limits."),
        click.option(
            "--limits",
            default="",
            metavar="A=N,B=N",
            help="Limits such as latency_ms=30,giga_macs=0.7 [default: the suite's].",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("run")
@click.option("--corpus", metavar="NAME", help="Use only this corpus.")
@click.option(
    "--metrics", default="", callback=_split, metavar="A,B", help="Show only these metrics."
)
@limit_options
@click.option(
    "--width",
    type=click.IntRange(min=40),
    help="Width in characters [default: that of the terminal].",
)
@click.option(
    "--notes", is_flag=True, help="Print how each number is made: versions, rules, policy."
)
@click.option(
    "--by",
    type=click.Choice(["gender", "language", "accent", "length", "speaker"]),
    help="Print scores by groups of items, and name the worst group.",
)
def show(
    run: str,
    corpus: str | None,
    metrics: tuple[str, ...],
    limits: str,
    within: bool,
    width: int | None,
    notes: bool,
    by: str | None,
) -> None:
    """Print the table of RUN: a run folder, or NAME for runs/NAME.

    Each number is a mean over items with half of its 95 % interval. A count such as (11/12) appears
    where some of the planned items have no score. Under noise and the like, columns named (input)
    compare with what the codecs were given, all others with the clean recording.
    """
    from synbench.results.find_run import find_run

    folder = find_run(run)
    if by is not None:
        _show_groups(folder, by, corpus=corpus, metrics=metrics)
        return
    show_run(
        folder,
        corpus=corpus,
        metrics=metrics,
        limits=limits,
        within=within,
        width=width,
        notes=notes,
    )


def _show_groups(folder: Path, by: str, *, corpus: str | None, metrics: tuple[str, ...]) -> None:
    from synbench_reports.boards.combine import boards_of
    from synbench_reports.render.groups_text import groups_text
    from synbench_reports.tables.build_report import read_selection

    for board in boards_of([read_selection(folder, corpus=corpus, metrics=metrics)]):
        click.echo("\n".join(groups_text(board, by)))
    click.echo("\n± is half of the 95 % interval; some group is always the worst")


@paused_collector()
def show_run(
    folder: Path,
    *,
    corpus: str | None = None,
    metrics: tuple[str, ...] = (),
    limits: str = "",
    within: bool = False,
    width: int | None = None,
    notes: bool = False,
    compact: bool = False,
) -> None:
    """Print the table of a run folder, and what to type next.

    Args:
        compact: rates and scores alone, as a run ends with.
        notes: say of every number how it is made, not the warnings alone.
        limits: such as ``latency_ms=30,giga_macs=0.7``, in place of the suite's own.
        within: only the codecs that keep to them.
        width: in columns.
    """
    from synbench.console import OutputConsole
    from synbench_reports.render.terminal import print_report
    from synbench_reports.tables.build_report import (
        build_report,
        limited,
        read_selection,
        within_limits,
    )

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot print a plus-minus sign shows a question mark, not a traceback.
        sys.stdout.reconfigure(errors="replace")
    planned = limited(read_selection(folder, corpus=corpus, metrics=metrics), limits)
    report = build_report(planned)
    report = within_limits(report) if within else report
    console = OutputConsole(highlight=False, markup=False, emoji=False)
    if width or not console.is_terminal:
        console.width = width or WIDTH_OF_FILES
    print_report(report, console, notes=notes, compact=compact)
    console.print()
    for label, text in (
        ("Run", str(folder)),
        ("Reconstructions", str(folder / "reconstructions")),
        *([("Delays, times", f"synbench show {folder}")] if compact else []),
        *([] if notes else [("How it was made", f"synbench show {folder} --notes")]),
        ("Next", f"synbench export {folder} --format markdown"),
        ("", f"synbench export {folder} --format csv --rows"),
    ):
        console.print(f"{label:<16} {text}", soft_wrap=True)


@click.command()
@click.argument("run")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "markdown", *PAPER_FORMATS]),
    required=True,
    help="Output format.",
)
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: standard output].")
@click.option("--document", is_flag=True, help="Write a complete LaTeX document.")
@click.option(
    "--rows", is_flag=True, help="Write one line per item, codec and metric (csv, parquet)."
)
@click.option("--corpus", metavar="NAME", help="Use only this corpus.")
@click.option(
    "--metrics", default="", callback=_split, metavar="A,B", help="Show only these metrics."
)
@click.option(
    "--codecs",
    default="",
    callback=_split,
    metavar="A,B",
    help="Use only the codecs with these labels.",
)
@limit_options
@click.option("--full", is_flag=True, help="Include costs, counts and all notes (latex).")
@click.option("--order", metavar="COLUMN", help="Sort by rate, or by a metric with the best first.")
@click.option("--decimals", type=click.IntRange(0, 6), help="Decimals of the metrics.")
@click.option("--transpose", is_flag=True, help="Show codecs as columns, metrics as rows.")
@click.option("--spanning", is_flag=True, help="Show corpora and conditions side by side.")
@click.option(
    "--with",
    "more",
    default="",
    callback=_split,
    metavar="A,B",
    help="Also show rtf, counts or identities.",
)
@click.option("--caption", metavar="TEXT", help="Caption, in the language of the format.")
@click.option("--label", metavar="NAME", help="Label for references [default: tab:RUN].")
@click.option(
    "--columns",
    type=click.Choice(["1", "2"]),
    help="Columns of the page that it spans [default: 2].",
)
@click.option(
    "--width",
    type=click.FloatRange(min=20),
    metavar="MM",
    help="Width of the text in mm [default: 80 for one column, 170 for two].",
)
def export(
    run: str,
    form: str,
    out: str | None,
    document: bool,
    rows: bool,
    corpus: str | None,
    metrics: tuple[str, ...],
    codecs: tuple[str, ...],
    limits: str,
    within: bool,
    full: bool,
    order: str | None,
    decimals: int | None,
    transpose: bool,
    spanning: bool,
    more: tuple[str, ...],
    caption: str | None,
    label: str | None,
    columns: str | None,
    width: float | None,
) -> None:
    """Save the table of RUN: a run folder, or NAME for runs/NAME.

    csv and parquet have one line per corpus, codec and metric, with the mean, both ends of the 95 %
    interval and all counts. With --rows, they have one line per item, codec and metric, with its
    status, value, weight in the mean (the number of reference words for error rates, otherwise 1)
    and reason. latex, typst and word are one table for a paper, with rates and metrics; everything
    else that a reader may need is in its comments. The options from --order on are for these three.
    """
    from synbench.results.find_run import find_run
    from synbench_reports.tables.build_report import limited, read_selection

    if rows and within:
        raise UsageError("--within is about tables, not about --rows")
    if rows and form not in ("csv", "parquet"):
        raise UsageError(f"--rows needs --format csv or parquet, got {form}")
    if document and form != "latex":
        raise UsageError(f"--document needs --format latex, got {form}")
    looks = {
        "order": order,
        "decimals": decimals,
        "caption": caption,
        "label": label,
        "columns": columns,
        "width": width,
        "transpose": transpose or None,
        "spanning": spanning or None,
        "with": more or None,
    }
    asked = [f"--{name}" for name, value in looks.items() if value is not None]
    if full and form != "latex":
        raise UsageError(f"--full needs --format latex, got {form}")
    if asked and (form not in PAPER_FORMATS or full):
        raise UsageError(f"{asked[0]} needs --format latex without --full, typst or word")
    if form in ("parquet", "word") and out is None and sys.stdout.isatty():
        raise UsageError(f"{form} is no text for a terminal: name a file with --out FILE")
    planned = read_selection(find_run(run), corpus=corpus, metrics=metrics, codecs=codecs)
    planned = limited(planned, limits)
    names = ["rate", *(metric.column for metric in planned.metrics)]
    if order is not None and order not in names:
        raise UsageError(f"expected --order with one of {', '.join(names)}, got {order!r}")
    paper = None
    if not full:
        from synbench_reports.render.paper_grid import MORE, PaperTable

        if unknown := [name for name in more if name not in MORE]:
            raise UsageError(f"expected --with some of {', '.join(MORE)}, got {unknown[0]!r}")
        paper = PaperTable(
            columns=int(columns or 2),
            decimals=decimals,
            order=order or "",
            transposed=transpose,
            spanning=spanning,
            more=tuple(name for name in MORE if name in more),
            width_mm=width,
            caption=caption,
            label=label,
        )
    if out is None:
        _write(sys.stdout.buffer, planned, form, rows, paper, whole=document, within=within)
        return
    with output_file(Path(out)) as target:
        _write(target, planned, form, rows, paper, whole=document, within=within)


def _write(
    target: IO[bytes],
    planned: PlannedRun,
    form: str,
    rows: bool,
    paper: PaperTable | None,
    *,
    whole: bool,
    within: bool,
) -> None:
    from synbench.results.cells import ROW_COLUMNS, Store
    from synbench_reports.render.csv_parquet import write_csv, write_parquet
    from synbench_reports.render.latex import document, render_latex
    from synbench_reports.render.latex_paper import render_paper
    from synbench_reports.render.markdown import render_markdown
    from synbench_reports.render.paper_grid import paper_grid
    from synbench_reports.render.typst_paper import render_typst
    from synbench_reports.render.word import render_word
    from synbench_reports.tables.build_report import build_report, within_limits
    from synbench_reports.tables.tidy import COLUMNS, tidy_lines

    if not rows:
        report = build_report(planned)
        report = within_limits(report) if within else report
    if form in PAPER_FORMATS and paper is not None and not paper_grid(report, paper).fits:
        click.echo(
            "the table is wider than the page, even in small letters and without intervals: name "
            "fewer columns with --metrics, or try --columns 2 or --transpose",
            err=True,
        )
    if form == "word" and paper is not None:
        target.write(render_word(report, paper))
        return
    if form in ("markdown", "latex", "typst"):
        if form == "typst" and paper is not None:
            text = render_typst(report, paper)
        elif form == "markdown":
            text = render_markdown(report)
        else:
            text = render_latex(report) if paper is None else render_paper(report, paper)
        target.write((document(text) if whole else text).encode())
        return
    write = write_csv if form == "csv" else write_parquet
    if rows:
        write(target, ROW_COLUMNS, Store(planned).rows())
    else:
        write(target, COLUMNS, [list(tidy_lines(report))])
