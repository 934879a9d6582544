"""A site of many runs: a folder of static files that is opened from a disk or served by anything.

Names of files are numbers, never text of a run. What a reader does not ask for is not loaded: the
first page reads the results document, and items, scores of a metric, texts and pictures when their
tab is opened. The folder remembers its runs in ``site.json``, so that another one can be added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench.published import leads_home, published_path
from synbench.results.confined import inside
from synbench.results.planned import PlannedRun
from synbench_base.files import write_bytes
from synbench_reports.boards.citations import made_with
from synbench_reports.boards.combine import boards_of
from synbench_reports.boards.document import Costs, as_json, results_document
from synbench_reports.boards.item_parts import board_files, telling
from synbench_reports.boards.listening_results import ANALYSIS, read_listening
from synbench_reports.pages.board_parts import add_board_parts
from synbench_reports.pages.frame import page_scripts, page_style, tabbed
from synbench_reports.sharing.audio_copies import copied_audio

MARK = "site.json"
SCHEMA = "synbench site"

__all__ = ["about_line", "remembered_listening", "remembered_runs", "write_site"]


def remembered_runs(folder: Path) -> list[Path]:
    """The runs that a site was made of; none where there is no site yet.

    Raises:
        UsageError: the folder holds something else, or a run is no longer where it was.
    """
    return [path for _, path in _remembered(folder, "runs", "manifest.json")]


def remembered_listening(folder: Path) -> dict[str, Path]:
    """The listening tests that a site shows, as :func:`write_site` takes them.

    Raises:
        UsageError: the folder holds something else, or an analysis is no longer where it was.
    """
    return dict(_remembered(folder, "listening", ANALYSIS))


def _remembered(folder: Path, kind: str, file: str) -> list[tuple[str, Path]]:
    if not folder.exists() or not any(folder.iterdir()):
        return []
    entries = []
    for entry in _mark(folder).get(kind, []):
        source = folder / str(entry["folder"])
        if not entry["known"] or not (source / file).is_file():
            what = {"runs": "run", "listening": "listening test"}[kind]
            raise UsageError(
                f"{folder} was made of the {what} {entry['name']!r} too, which cannot be found "
                f"from there: name it again, or start anew with --replace"
            )
        entries.append((str(entry["name"]), source))
    return entries


def write_site(
    folder: Path,
    runs: Sequence[PlannedRun],
    *,
    title: str,
    audio: int,
    complexity: Costs | None = None,
    listening: Mapping[str, Path] | None = None,
) -> tuple[int, int]:
    """Write all files, and remove what an earlier site left.

    Args:
        audio: so many items of each corpus can be heard, the worst and some evenly spread.
        complexity: by codec label, ``giga_macs`` and ``mega_parameters``.
        listening: of each listening test the folder that its analysis wrote, by name.

    Returns:
        How many files, and how many bytes.

    Raises:
        UsageError: the folder holds something that is no site.
    """
    earlier = _files_of(folder)
    boards = boards_of(runs)
    tests = [read_listening(path, name=name) for name, path in (listening or {}).items()]
    document = results_document(runs, boards, name=title, complexity=complexity, listening=tests)
    written: dict[str, int] = {}
    for number, board in enumerate(boards):
        parts: dict[str, Any] = {}
        files, chosen = board_files(board), telling(board, audio)
        copied = copied_audio(folder, files, board=number, chosen=chosen, written=written)
        add_board_parts(
            parts,
            document["boards"][number],
            board,
            files,
            number=number,
            source=copied,
            spectrograms=audio,
            audible=chosen,
        )
        for name, part in parts.items():
            _write(folder, f"data/{name}.js", _script(name, part), written)
    about = about_line(len(runs), version=made_with())
    _write(folder, "results.json", as_json(document), written)
    _write(folder, "data/results.js", _script("results", document), written)
    _write(folder, "page.css", page_style(), written)
    _write(folder, "page.js", page_scripts(), written)
    _write(folder, "index.html", tabbed(title, about=about), written)
    for name in earlier - written.keys():
        inside(folder, name).unlink(missing_ok=True)
    mark = {
        "schema": SCHEMA,
        "version": 1,
        "runs": [_entry(run.name, run.folder, folder) for run in runs],
        "listening": [_entry(name, path, folder) for name, path in (listening or {}).items()],
        "files": sorted(written),
    }
    _write(folder, MARK, json.dumps(mark, indent=1, ensure_ascii=False), written)
    return len(written), sum(written.values())


def about_line(runs: int, *, version: str, more: str = "") -> str:
    """The line below the title, as HTML; ``more`` is HTML too."""
    count = f"{runs} {'run' if runs == 1 else 'runs'}"
    numbers = '<a href="results.json">results.json</a>'
    return f"<p>{count}, made by synbench {escape(version)}. All numbers: {numbers}.{more}</p>"


def _entry(name: str, source: Path, folder: Path) -> dict[str, Any]:
    real, base = source.resolve(), folder.resolve()
    known = not leads_home(real, base)
    return {"name": name, "folder": published_path(real, base), "known": known}


def _mark(folder: Path) -> dict[str, Any]:
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        if mark["schema"] == SCHEMA and isinstance(mark["runs"], list):
            return dict(mark)
    except (OSError, ValueError, LookupError, TypeError):
        pass
    raise UsageError(
        f"{folder} holds files and is no site of synbench: name a new or an empty folder"
    )


def _files_of(folder: Path) -> set[str]:
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    return set(map(str, _mark(folder)["files"]))


def _script(name: str, part: object) -> str:
    return f"synbench({json.dumps(name)},{as_json(part)});\n"


def _write(folder: Path, name: str, text: str, written: dict[str, int]) -> None:
    data = text.encode()
    write_bytes(inside(folder, name), data)
    written[name] = len(data)
