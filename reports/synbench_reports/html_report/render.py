"""A run as one HTML file that asks nothing of any server: table, figures, listening, provenance.

Audio is linked relative to the file, or embedded. The same rows give the same bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from html import escape
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

from synbench.results.cells import OK, Cells, Store
from synbench.results.planned import PlannedCorpus, PlannedRun
from synbench.results.store import RunFolder
from synbench_reports.figures.correlation import metric_correlation
from synbench_reports.figures.rows import (
    has_costs,
    quality_complexity,
    rate_quality,
    score_spread,
)
from synbench_reports.figures.style import saved
from synbench_reports.html_report.html_items import failures, item_data
from synbench_reports.render.layout import ARROWS, cell_text
from synbench_reports.tables.build_report import build_table
from synbench_reports.tables.footnotes import codec_marks
from synbench_reports.tables.notes import run_notes
from synbench_reports.tables.table import Cell, Column, Note, Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No request leaves the file: only what is inside it or beside it may be loaded.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src 'self' data: file:; img-src data:"
)
MOST_SPECTROGRAMS = 12

__all__ = ["MOST_SPECTROGRAMS", "render_html"]


def render_html(
    planned: PlannedRun,
    *,
    beside: Path,
    embed_audio: bool = False,
    spectrograms: int = MOST_SPECTROGRAMS,
) -> str:
    """The whole page.

    Args:
        beside: the folder in which the file will lie; audio links count from it.
        embed_audio: put the audio into the file, which grows by a third more than its size.
        spectrograms: of this many items per corpus.
    """
    store = Store(planned)
    parts = []
    for index, (narrowed, corpus, cells) in enumerate(store.corpora()):
        table = build_table(narrowed, corpus, cells, daggers=codec_marks(planned))
        data = item_data(
            narrowed,
            corpus.name,
            cells,
            store.unscored(corpus.name),
            beside=beside,
            embed_audio=embed_audio,
            spectrograms=spectrograms,
        )
        # A text that ends the script element must not do so.
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        parts += [
            f'<section id="corpus{index}" aria-labelledby="head{index}">',
            f'<h2 id="head{index}">{escape(corpus.name)} <small>{corpus.items} items, '
            f"{corpus.seconds / 60:.1f} min</small></h2>",
            _notes(note for note in table.notes if note.level == "warning"),
            _table(table),
            _notes(note for note in table.notes if note.level == "note"),
            *_figures(narrowed, table, cells),
            _failures(narrowed, store, corpus),
            _part("html").replace("PLACE", str(index)),
            f'<script type="application/json" class="data">{text}</script>',
            "</section>",
        ]
    title = escape(f"{planned.name}: speech codecs compared")
    links = "".join(
        f'<li><a href="#corpus{index}">{escape(corpus.name)}</a></li>'
        for index, corpus in enumerate(planned.corpora)
    )
    manifest = json.dumps(RunFolder(planned.folder).manifest(), indent=1, ensure_ascii=False)
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_part('css')}</style></head><body>",
            f"<header><h1>{title}</h1><p>Started {escape(planned.started)}; measured on "
            f"{escape(planned.processor)}.</p><nav aria-label='Contents'><ul>{links}"
            '<li><a href="#made">How the numbers were made</a></li>'
            '<li><a href="#cite">What to cite</a></li>'
            '<li><a href="#manifest">Manifest</a></li></ul></nav></header><main>',
            _notes(note for note in run_notes(planned) if note.level == "warning"),
            *parts,
            '<section id="made"><h2>How the numbers were made</h2>',
            _notes(note for note in run_notes(planned) if note.level == "note"),
            '</section><section id="cite"><h2>What to cite</h2>',
            _citations(planned),
            '</section><section id="manifest"><h2>Manifest</h2><details>'
            "<summary>All settings, versions and digests</summary>",
            f'<pre tabindex="0">{escape(manifest)}</pre></details></section></main>',
            f"<script>{_part('js')}</script></body></html>",
            "",
        )
    )


def _part(suffix: str) -> str:
    name = f"report_page.{suffix}"
    return (resources.files("synbench_reports.html_report") / name).read_text(encoding="utf-8")


def _notes(notes: Iterable[Note]) -> str:
    lines = [
        f'<li class="{note.level}">{"<b>Warning.</b> " if note.level == "warning" else ""}'
        f"{_raised(note.mark)}<b>{escape(note.subject)}</b>: {escape(note.text)}</li>"
        for note in notes
    ]
    return f'<ul class="notes">{"".join(lines)}</ul>' if lines else ""


def _table(table: Table) -> str:
    shown = [
        index
        for index in range(len(table.columns))
        if any(row.cells[index].mean is not None for row in table.rows)
    ]
    heads = [("name", "Codec")]
    heads += [(table.columns[index].group, _heading(table.columns[index])) for index in shown]
    head = "".join(
        f'<th scope="col" class="{group}"><button type="button">{text}</button></th>'
        for group, text in heads
    )
    body = "".join(_row(table, row, shown) for row in table.rows)
    label = escape(f"Scores on {table.corpus.name}")
    return (
        '<p class="hint">Means \N{PLUS-MINUS SIGN} half of the 95 % interval; bold is best, '
        "underlined second, ~ not told from the best. Click a heading to sort.</p>"
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(table: Table, row: Row, shown: list[int]) -> str:
    label = escape(row.codec.label)
    kind = ' class="anchor"' if row.codec.is_anchor else ""
    cells = "".join(_cell(table.columns[index], row.cells[index]) for index in shown)
    head = f'<th scope="row" data-value="{label}">{label}{_raised(row.mark)}</th>'
    return f"<tr{kind}>{head}{cells}</tr>"


def _raised(mark: str) -> str:
    return f"<sup>{escape(mark)}</sup>" if mark else ""


def _heading(column: Column) -> str:
    second = " ".join(filter(None, (column.unit, ARROWS[column.direction])))
    return f"{escape(column.label)}{_raised(column.mark)} <small>{escape(second)}</small>"


def _cell(column: Column, cell: Cell) -> str:
    text = cell_text(column, cell)
    kind = "best" if cell.best else "second" if cell.second else ""
    mean = f'<span class="{kind}">{escape(text.mean)}</span>' if kind else escape(text.mean)
    half = f" <small>± {text.half_width}</small>" if text.half_width else ""
    count = f" <small>{text.count}</small>" if text.count else ""
    value = "" if cell.mean is None else repr(cell.mean)
    tie = "~" if cell.tied else ""
    return f'<td class="{column.group}" data-value="{value}">{mean}{tie}{half}{count}</td>'


def _figures(planned: PlannedRun, table: Table, cells: Cells) -> Iterator[str]:
    known = [
        index for index in range(len(planned.metrics)) if (cells.status[:, :, index] == OK).any()
    ]
    for index in known:
        metric = planned.metrics[index]
        figures = [
            (f"{metric.label} against bit rate", rate_quality(table, metric.column)),
            (f"{metric.label} of all items", score_spread(planned, cells, index)),
        ]
        if index == known[0] and has_costs(table, metric.column):
            cost = quality_complexity(table, metric.column)
            figures.append((f"{metric.label} against computing time", cost))
        yield _folded(metric.label, figures, is_open=index == known[0])
    if len(known) > 1:
        figures = [("Rank correlation of the metrics", metric_correlation(planned, cells))]
        yield _folded("Do the metrics agree?", figures)


def _folded(title: str, figures: list[tuple[str, Figure]], is_open: bool = False) -> str:
    pictures = "".join(
        f"<figure><img alt='{escape(caption)}' loading='lazy' src='data:image/svg+xml;base64,"
        f"{base64.b64encode(saved(figure, 'svg')).decode()}'>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, figure in figures
    )
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>"
        f'<div class="figures">{pictures}</div></details>'
    )


def _failures(planned: PlannedRun, store: Store, corpus: PlannedCorpus) -> str:
    failed = failures(planned, store, corpus.name)
    if not failed:
        return ""
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(text))}</td>' for text in entry)}</tr>" for entry in failed
    )
    heads = "".join(
        f'<th scope="col">{text}</th>'
        for text in ("Codec", "Metric", "Status", "Reason", "Items", "For example")
    )
    total = sum(entry[4] for entry in failed)
    return (
        f"<details><summary>{_absent(total)}, with reasons</summary>"
        '<div class="wide" tabindex="0" role="region" aria-label="Reasons"><table class="reasons">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _absent(count: int) -> str:
    return "1 score is absent" if count == 1 else f"{count} scores are absent"


def _citations(planned: PlannedRun) -> str:
    entries = [("synbench", f"version {metadata.version('synbench')}")]
    entries += [
        (
            metric.label,
            "; ".join(
                filter(
                    None,
                    (metric.source, f"{metric.implementation} {metric.version}", metric.mode),
                )
            ),
        )
        for metric in planned.metrics
    ]
    codecs: dict[str, list[str]] = {}
    for codec in planned.codecs:
        parts = (codec.source, codec.implementation, *codec.weights)
        codecs.setdefault("; ".join(filter(None, parts)), []).append(codec.label)
    entries += [(", ".join(labels), text) for text, labels in codecs.items()]
    entries += [
        (corpus.name, f"digest {corpus.digest}" + (f"; {corpus.licence}" if corpus.licence else ""))
        for corpus in planned.corpora
    ]
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries)
    return f"<dl>{lines}</dl>"
