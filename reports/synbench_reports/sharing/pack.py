"""What a supplement needs: everything of a run that others read, in one folder.

========================  =====================================================
README.md                 what this is, with the metadata of a model card
results.json              all numbers, see ``results.schema.json`` beside it
scores.parquet, table.csv one row per item, codec and metric; the table
table.md, table.tex       the table; the LaTeX is one float
report.html, audio        the report, with some items to listen to
listening/                tables of listening tests, without those about single listeners
CITATION.txt              what to cite for every metric and codec
LICENCES.md               of speech, codecs, weights and metrics
huggingface.yaml          ``model-index`` for cards of the codecs
snippet.md                a small table for somebody's README
manifest.json             settings, versions, digests
SHA256SUMS                of all other files
========================  =====================================================

Nothing names a person: what would lead through a home folder is refused, not packed.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench.published import HOMES, user_names
from synbench.results.cells import ROW_COLUMNS, Store
from synbench.results.confined import inside
from synbench.results.planned import PlannedRun
from synbench.results.store import RunFolder
from synbench_base.files import complete_file, write_bytes
from synbench_reports.boards.citations import citation_text, made_with
from synbench_reports.boards.combine import boards_of
from synbench_reports.boards.document import as_json, results_document, results_schema
from synbench_reports.boards.item_parts import board_files, telling
from synbench_reports.pages.report import page_of
from synbench_reports.render.csv_parquet import write_csv, write_parquet
from synbench_reports.render.latex_paper import render_paper
from synbench_reports.render.markdown import escaped_markdown, render_markdown
from synbench_reports.sharing.audio_copies import copied_audio
from synbench_reports.sharing.licences import licences_text
from synbench_reports.sharing.model_card import model_index_text, snippet
from synbench_reports.tables.build_report import build_report
from synbench_reports.tables.tidy import COLUMNS, tidy_lines

# The date of every file in an archive, so that the same run gives the same bytes.
MOMENT = (1980, 1, 1, 0, 0, 0)
HOME = re.compile(rf"/(?:{'|'.join(sorted(HOMES))}|root)/[^/\s\"']+")

__all__ = ["write_archive", "write_pack"]


def write_pack(
    folder: Path,
    planned: PlannedRun,
    *,
    audio: int,
    listening: Sequence[Mapping[str, Any]] = (),
) -> dict[str, int]:
    """Write the files of a run into a new folder.

    Args:
        audio: so many items of each corpus can be heard, the worst and some evenly spread.
        listening: results of listening tests.

    Returns:
        The names of the files, and their sizes in bytes.

    Raises:
        UsageError: the folder holds files, or a text names somebody's home folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds files: name a new or an empty folder with --out")
    manifest = RunFolder(planned.folder).manifest()
    boards = boards_of([planned])
    document = results_document([planned], boards, name=planned.name, listening=listening)
    table = build_report(planned)
    texts = {
        "README.md": _readme(document, manifest),
        "results.json": as_json(document),
        "results.schema.json": json.dumps(results_schema(), indent=1),
        "table.md": render_markdown(table),
        "table.tex": render_paper(table),
        "CITATION.txt": citation_text(boards),
        "LICENCES.md": licences_text(manifest),
        "huggingface.yaml": model_index_text(document),
        "snippet.md": snippet(document),
        "manifest.json": json.dumps(manifest, indent=1, ensure_ascii=False),
    }
    for name, text in texts.items():
        _check_names_nobody(name, text)
    written: dict[str, int] = {}
    files = [board_files(board) for board in boards]
    chosen = [telling(board, audio) for board in boards]
    sources = [
        copied_audio(folder, own, board=number, chosen=items, written=written)
        for number, (own, items) in enumerate(zip(files, chosen, strict=True))
    ]
    texts["report.html"] = page_of(
        planned,
        boards,
        files,
        sources=sources,
        spectrograms=audio,
        audible=chosen,
        listening=listening,
    )
    for name, text in texts.items():
        write_bytes(inside(folder, name), text.encode())
        written[name] = len(text.encode())
    with complete_file(inside(folder, "table.csv")) as target:
        write_csv(target, COLUMNS, [list(tidy_lines(table))])
    with complete_file(inside(folder, "scores.parquet")) as target:
        write_parquet(target, ROW_COLUMNS, Store(planned).rows())
    for name in ("table.csv", "scores.parquet", *_write_listening(folder, listening)):
        written[name] = (folder / name).stat().st_size
    sums = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(written)
    )
    write_bytes(inside(folder, "SHA256SUMS"), sums.encode())
    return written | {"SHA256SUMS": len(sums)}


def _write_listening(folder: Path, listening: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every table of every test as CSV; returns the names, which hold no text of a test's name."""
    names = []
    for number, test in enumerate(listening, start=1):
        for table in test["tables"]:
            columns = {column["name"]: "string" for column in table["columns"]}
            cells = [[row.get(name) for name in columns] for row in table["rows"]]
            rows = [[None if cell is None else str(cell) for cell in row] for row in cells]
            name = f"listening/{number}-{table['name']}.csv"
            target_path = inside(folder, name)
            target_path.parent.mkdir(parents=True, exist_ok=True)
            with complete_file(target_path) as target:
                write_csv(target, columns, [rows])
            names.append(name)
    return names


def write_archive(path: Path, folder: Path, names: Mapping[str, int]) -> None:
    """The files of a folder as one ZIP file; the same files give the same bytes."""
    with (
        complete_file(path) as target,
        zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in sorted(names):
            entry = zipfile.ZipInfo(f"{path.stem}/{name}", date_time=MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes())


def _check_names_nobody(name: str, text: str) -> None:
    named = HOME.search(text)
    if named is None:
        users = "|".join(map(re.escape, sorted(user_names())))
        pattern = rf"(?<![\w./:])/(?:[^\s\"'/]+/)*(?:{users})/"
        named = re.search(pattern, text) if users else None
    if named:
        raise UsageError(
            f"{name} would name somebody's folder, {named.group()!r}: a run made by this version "
            "does not; run the suite again, or take the path out of the run's manifest"
        )


def _readme(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    import yaml

    header = {
        "pretty_name": document["name"],
        "license": "other",
        "tags": ["speech", "audio-codec", "benchmark", "synbench"],
        "task_categories": ["audio-to-audio"],
    }
    front = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    corpora = ", ".join(
        f"{board['corpus']} ({board['items']} items, {board['seconds'] / 60:.1f} min)"
        for board in document["boards"]
    )
    about = manifest["suite"].get("description") or ""
    return "\n".join(
        (
            f"---\n{front}---",
            "",
            f"# {escaped_markdown(document['name'])}",
            "",
            *([escaped_markdown(str(about)), ""] if about else []),
            f"Speech codecs compared with synbench {made_with()} on {escaped_markdown(corpora)}.",
            "",
            snippet(document),
            "Open `report.html` to see and hear the results. `results.json` has every number, "
            "`scores.parquet` one row per item, codec and metric, `manifest.json` all settings and "
            "versions. What to cite stands in `CITATION.txt`, what may be done with it in "
            "`LICENCES.md`.",
            "",
        )
    )
