"""A run as one HTML file: scores, players, figures, groups, provenance.

Audio is linked relative to the file, or embedded. The same rows give the same bytes.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from synbench.published import leads_home
from synbench.results.planned import PlannedRun
from synbench.results.store import RunFolder
from synbench_reports.boards.combine import Board, boards_of
from synbench_reports.boards.document import results_document
from synbench_reports.boards.item_parts import BoardFiles, Source, board_files
from synbench_reports.pages.board_parts import add_board_parts
from synbench_reports.pages.frame import one_file

KINDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}
SPECTROGRAMS = 12

__all__ = ["SPECTROGRAMS", "page_of", "report_page"]


def report_page(
    planned: PlannedRun,
    *,
    beside: Path,
    embed_audio: bool = False,
    spectrograms: int = SPECTROGRAMS,
    listening: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The whole page.

    Args:
        beside: the folder in which the file will lie; audio links count from it.
        embed_audio: put the audio into the file, which grows by a third more than its size.
        spectrograms: of this many items per corpus; voicing is measured on the same.
        listening: results of listening tests.
    """
    boards = boards_of([planned])
    source = _embedded_source if embed_audio else _linked_source(beside)
    files = [board_files(board) for board in boards]
    sources = [source] * len(boards)
    return page_of(
        planned, boards, files, sources=sources, spectrograms=spectrograms, listening=listening
    )


def page_of(
    planned: PlannedRun,
    boards: Sequence[Board],
    files: Sequence[BoardFiles],
    *,
    sources: Sequence[Source],
    spectrograms: int,
    audible: Sequence[Sequence[int]] | None = None,
    listening: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page of a run whose boards have their audio at these addresses.

    Args:
        sources: one per board.
        audible: of each board, the items whose files are offered; all where not given.
        listening: results of listening tests.
    """
    document = results_document([planned], boards, name=planned.name, listening=listening)
    parts: dict[str, Any] = {"results": document}
    for number, board in enumerate(boards):
        add_board_parts(
            parts,
            document["boards"][number],
            board,
            files[number],
            number=number,
            source=sources[number],
            spectrograms=spectrograms,
            audible=None if audible is None else audible[number],
        )
    manifest = json.dumps(RunFolder(planned.folder).manifest(), indent=1, ensure_ascii=False)
    more = (
        '<section id="manifest"><h2>Manifest</h2><details><summary>All settings, versions and '
        f'digests</summary><pre tabindex="0">{escape(manifest)}</pre></details></section>'
    )
    return one_file(f"{planned.name}: speech codecs compared", parts=parts, more=more)


def _linked_source(beside: Path) -> Source:
    base = beside.resolve()
    folders: dict[Path, str | None] = {}

    def linked(path: Path) -> str | None:
        parent = path.parent
        if parent not in folders:
            real = parent.resolve()
            # A link that names whose machine it was made on is none.
            home = leads_home(real, base)
            folders[parent] = None if home else Path(os.path.relpath(real, base)).as_posix()
        folder = folders[parent]
        return None if folder is None else quote(f"{folder}/{path.name}")

    return linked


def _embedded_source(path: Path) -> str | None:
    if not path.is_file():
        return None
    kind = KINDS.get(path.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
