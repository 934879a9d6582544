"""A run as one HTML file that asks nothing of any server: table, figures, listening, provenance.

Audio is linked relative to the file, or embedded. The same rows give the same bytes.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from synbench.store import RunFolder
from synbench_reports.build_report import build_report
from synbench_reports.cells import MISSING, OK, STATUS_NAMES, Cells, Store
from synbench_reports.figure_style import saved
from synbench_reports.figures import rate_quality, score_spread
from synbench_reports.layout import ARROWS, cell_text
from synbench_reports.planned import PlannedRun
from synbench_reports.table import Cell, Column, Note, Table

KINDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}
# No request leaves the file: only what is inside it or beside it may be loaded.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src 'self' data: file:; img-src data:"
)

__all__ = ["render_html"]


def render_html(planned: PlannedRun, *, beside: Path, embed_audio: bool = False) -> str:
    """The whole page.

    Args:
        beside: the folder in which the file will lie; audio links count from it.
        embed_audio: put the audio into the file, which grows by a third more than its size.
    """
    report, store = build_report(planned), Store(planned)
    parts = []
    for place, table in enumerate(report.tables):
        name = table.corpus.name
        cells = store.cells(name)
        parts += [
            f"<section><h2>{escape(name)} <small>{table.corpus.items} items</small></h2>",
            _notes(table.notes),
            _table(table),
            *_figures(planned, table, cells),
            _listening(planned, name, cells, place, beside, embed_audio),
            "</section>",
        ]
    manifest = json.dumps(RunFolder(planned.folder).manifest(), indent=1, ensure_ascii=False)
    title = escape(f"{planned.name}: speech codecs compared")
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_part('css')}</style></head><body><main>",
            f"<h1>{title}</h1><p>Started {escape(planned.started)}.</p>",
            *parts,
            "<section><h2>How the numbers were made, and what to cite</h2>",
            _notes(report.notes),
            "</section><section><h2>Manifest</h2><details><summary>All settings</summary>",
            f"<pre>{escape(manifest)}</pre></details></section></main>",
            f"<script>{_part('js')}</script></body></html>",
            "",
        )
    )


def _part(suffix: str) -> str:
    name = f"report_page.{suffix}"
    return (resources.files("synbench_reports") / name).read_text(encoding="utf-8")


def _notes(notes: Iterable[Note]) -> str:
    ordered = sorted(notes, key=lambda note: note.level != "warning")
    lines = [
        f'<li class="{note.level}">{"<b>Warning.</b> " if note.level == "warning" else ""}'
        f"{_raised(note.mark)}<b>{escape(note.subject)}</b>: {escape(note.text)}</li>"
        for note in ordered
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _table(table: Table) -> str:
    shown = [
        place
        for place in range(len(table.columns))
        if any(row.cells[place].mean is not None for row in table.rows)
    ]
    heads = ["Codec", *(_heading(table.columns[place]) for place in shown)]
    head = "".join(f'<th scope="col"><button type="button">{text}</button></th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row" data-value="{escape(row.codec.label)}">{escape(row.codec.label)}'
        f"{_raised(row.mark)}</th>"
        + "".join(_cell(table.columns[place], row.cells[place]) for place in shown)
        + "</tr>"
        for row in table.rows
    )
    label = escape(f"Scores on {table.corpus.name}")
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


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
    return f'<td data-value="{value}">{mean}{"~" if cell.tied else ""}{half}{count}</td>'


def _figures(planned: PlannedRun, table: Table, cells: Cells) -> Iterable[str]:
    for place, metric in enumerate(planned.metrics):
        if not (cells.status[:, :, place] == OK).any():
            continue
        figures = (
            (f"{metric.label} against bit rate", rate_quality(table, metric.column)),
            (f"{metric.label} of all items", score_spread(planned, cells, place)),
        )
        for caption, figure in figures:
            svg = saved(figure, "svg").decode().partition("<svg")[2]
            label = escape(caption)
            yield (
                f"<details{' open' if place == 0 else ''}><summary>{label}</summary><figure>"
                f'<svg role="img" aria-label="{label}"{svg}</figure></details>'
            )


def _listening(
    planned: PlannedRun, corpus: str, cells: Cells, place: int, beside: Path, embed: bool
) -> str:
    data = {
        "systems": ["Original", *(codec.label for codec in planned.codecs)],
        "items": _items(planned, corpus, cells, beside, embed),
    }
    # A text that ends the script element must not do so.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    heads = "".join(f"<th>{escape(metric.label)}</th>" for metric in planned.metrics)
    return (
        '<div class="listen"><h3>Listen</h3>'
        f'<p><label for="item{place}">Item</label> <select id="item{place}"></select></p>'
        '<p class="words"></p><div class="codecs" role="group" aria-label="System"></div>'
        '<p><audio controls preload="none" aria-label="Chosen item and system"></audio></p>'
        f'<div class="wide" tabindex="0"><table class="scores"><thead><tr><th>Codec</th>{heads}'
        "</tr></thead><tbody></tbody></table></div>"
        f'<script type="application/json">{text}</script></div>'
    )


def _items(
    planned: PlannedRun, corpus: str, cells: Cells, beside: Path, embed: bool
) -> list[dict[str, Any]]:
    import duckdb

    with duckdb.connect() as connection:
        items = connection.execute(
            "SELECT item, item_digest, path, coalesce(transcript, '') "
            "FROM read_parquet(?, file_row_number = true) WHERE corpus = ? "
            "ORDER BY file_row_number",
            [str(planned.folder / "items.parquet"), corpus],
        ).fetchall()
    run = RunFolder(planned.folder)
    columns = ("corpus", "item", "item_digest", "codec_id", "policy_id", "reconstruction")
    files = {tuple(key): file for *key, file in run.rows("decodes", columns) if file}
    failed = _reasons(run)
    found = []
    for number, (item, digest, path, words) in enumerate(items):
        keys = [
            (corpus, item, digest, codec.codec_id, planned.policy_id) for codec in planned.codecs
        ]
        made = [planned.folder / files[key] if key in files else None for key in keys]
        scores = [
            [
                _score(cells, number, codec, metric, failed.get((*key, other.metric_id), ""))
                for metric, other in enumerate(planned.metrics)
            ]
            for codec, key in enumerate(keys)
        ]
        sources = [Path(path) if path else None, *made]
        found.append(
            {
                "name": item,
                "words": words,
                "files": [_source(file, beside, embed) for file in sources],
                "scores": scores,
            }
        )
    return found


def _reasons(run: RunFolder) -> dict[tuple[str, ...], str]:
    rows = run.query(
        "scores",
        "SELECT corpus, item, item_digest, codec_id, policy_id, metric_id, "
        "arg_max(reason, written), arg_max(status, written) AS latest "
        "FROM rows GROUP BY ALL HAVING latest <> 'ok'",
    )
    return {tuple(key): reason or "" for *key, reason, _ in rows}


def _score(cells: Cells, item: int, codec: int, metric: int, reason: str) -> float | str | None:
    status = int(cells.status[item, codec, metric])
    if status == OK:
        return round(float(cells.values[item, codec, metric]), 6)
    if status == MISSING:
        return "missing"
    return f"{STATUS_NAMES[status].replace('_', ' ')}: {reason}".removesuffix(": ")


def _source(file: Path | None, beside: Path, embed: bool) -> str | None:
    """Where the player finds a file; ``None`` where it is gone."""
    if file is None or not file.is_file():
        return None
    if not embed:
        return quote(Path(os.path.relpath(file.resolve(), beside.resolve())).as_posix())
    kind = KINDS.get(file.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
