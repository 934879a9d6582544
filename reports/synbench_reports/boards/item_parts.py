"""The items of a board for players and explorers: scores, reasons, audio and pictures, kept small.

A board of five thousand items and fifty codecs must still open at once, so scores are columns of
whole numbers in one text each, reasons are numbered, what file names share is written once, and
what not every reader wants is a part of its own that a page loads when it is asked for.
"""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.results.cells import Floats
from synbench.results.stored_files import ItemFiles, even_choice, item_files
from synbench_reports.boards.combine import Board, RunShare
from synbench_reports.boards.spectrogram import picture, spectrum_levels

DIGITS = 5
ABSENT = np.iinfo(np.int64).min

__all__ = [
    "BoardFiles",
    "Source",
    "board_files",
    "item_part",
    "pictures",
    "score_part",
    "telling",
    "worst_first",
]

Record = dict[str, Any]
Source = Callable[[Path], str | None]
"""Where a page finds a file: an address, or ``None`` where it cannot have it."""


class BoardFiles:
    """Recordings and reconstructions of a board.

    Attributes:
        originals: of each item what is known of its recording.
        reconstructions: of each codec the file of every item, ``None`` where there is none.
    """

    def __init__(self, originals: Sequence[ItemFiles], reconstructions: list[list[Path | None]]):
        self.originals = originals
        self.reconstructions = reconstructions

    def systems(self, items: Sequence[int]) -> list[list[Path | None]]:
        """The files of some items: originals, those of each codec, damaged inputs if any."""
        sources = [self.originals[item].source for item in items]
        systems = [sources, *([own[item] for item in items] for own in self.reconstructions)]
        if any(item.damaged for item in self.originals):
            systems.append([self.originals[item].damaged for item in items])
        return systems


def board_files(board: Board) -> BoardFiles:
    """Where the audio of a board is, in every run that coded it.

    Raises:
        UsageError: a row of a run names a file outside its folder.
    """
    by_part: dict[int, list[ItemFiles]] = {}
    for part in board.parts:
        files = item_files(part.store.planned, part.corpus.name)
        by_part[part.run] = [files[int(own)] for own in part.order]
    reconstructions = []
    for codec, owner in zip(board.planned.codecs, board.owners, strict=True):
        codec_index = _index(owner, codec.codec_id)
        reconstructions.append([item.reconstructions[codec_index] for item in by_part[owner.run]])
    return BoardFiles(by_part[board.parts[0].run], reconstructions)


def _index(part: RunShare, codec_id: str) -> int:
    ids = [codec.codec_id for codec in part.store.planned.codecs]
    return ids.index(codec_id)


def item_part(
    board: Board, files: BoardFiles, source: Source, *, audible: Sequence[int] | None = None
) -> Record:
    """Names, speakers, texts, reasons and addresses of files.

    Args:
        source: gives the address of a file.
        audible: items whose files are offered; all where not given.
    """
    count = len(board.items.names)
    chosen = range(count) if audible is None else audible
    systems = []
    for paths in files.systems(chosen):
        addresses: list[str | None] = [None] * count
        for item, path in zip(chosen, paths, strict=True):
            addresses[item] = None if path is None else source(path)
        systems.append(_shared(addresses))
    return {
        "names": board.items.names,
        "speakers": board.items.speakers,
        "genders": board.items.genders,
        "languages": board.items.languages,
        "accents": board.items.accents,
        "seconds": [round(float(seconds), 2) for seconds in board.cells.seconds],
        "texts": board.items.transcripts,
        "files": systems,
        "damaged": len(systems) > len(board.planned.codecs) + 1,
        **_reasons(board),
    }


def score_part(board: Board, metric: int) -> Record:
    """The scores of one metric: of each codec a text of whole numbers with commas between.

    A score is such a number over ``scale``, to five digits at least; nothing stands where there is
    none.
    """
    values = board.cells.values[:, :, metric]
    known = np.isfinite(values)
    largest = float(np.abs(values[known]).max()) if known.any() else 1.0
    whole = int(np.ceil(np.log10(largest))) if largest > 0 else 0
    scale = 10 ** max(0, DIGITS - whole)
    numbers = np.full(values.shape, ABSENT, dtype=np.int64)
    numbers[known] = np.round(values[known] * scale).astype(np.int64)
    return {"scale": scale, "columns": [_joined(column) for column in numbers.T]}


def _joined(column: NDArray[np.int64]) -> str:
    return ",".join(map(str, column.tolist())).replace(str(ABSENT), "")


def _reasons(board: Board) -> Record:
    """Why there is no score, numbered, by ``item,codec,metric``; a missing one has no entry."""
    codecs = {codec.codec_id: index for index, codec in enumerate(board.planned.codecs)}
    metrics = {metric.metric_id: index for index, metric in enumerate(board.planned.metrics)}
    known = np.isfinite(board.cells.values)
    texts: dict[str, int] = {}
    cells = {}
    for part in board.parts:
        index_of = {int(own): index for index, own in enumerate(part.order)}
        for cell in part.store.unscored(part.corpus.name):
            codec, metric = codecs.get(cell.codec_id), metrics.get(cell.metric_id)
            if codec is None or metric is None:
                continue
            index = (index_of[cell.item_index], codec, metric)
            if known[index]:
                continue
            text = f"{cell.status.replace('_', ' ')}: {cell.reason}".removesuffix(": ")
            cells[",".join(map(str, index))] = texts.setdefault(text, len(texts))
    return {"reasons": list(texts), "unscored": cells}


def _shared(addresses: Sequence[str | None]) -> Record:
    """What addresses share at their beginning, and the rest of each."""
    known = [address for address in addresses if address]
    start = _common(known) if len(known) > 1 else ""
    return {
        "start": start,
        "rest": [None if address is None else address[len(start) :] for address in addresses],
    }


def _common(addresses: Sequence[str]) -> str:
    if addresses[0].startswith("data:"):
        return ""
    shared = posixpath.commonpath({posixpath.dirname(address) for address in addresses})
    return f"{shared}/" if shared else ""


def telling(board: Board, wanted: int) -> list[int]:
    """The items worth a picture: half those with the worst scores, half evenly spread."""
    count = len(board.items.names)
    if wanted >= count:
        return list(range(count))
    worst = worst_first(board)[: wanted // 2]
    rest = [index for index in even_choice(count, wanted) if index not in worst]
    return sorted([*worst, *rest[: wanted - len(worst)]])


def worst_first(board: Board) -> list[int]:
    """The items by the mean of their scores on the first metric, without the anchors."""
    metrics, codecs = board.planned.metrics, board.planned.codecs
    codec_indices = [codec_index for codec_index, codec in enumerate(codecs) if not codec.is_anchor]
    if not metrics or not codec_indices:
        return []
    means = _row_means(board.cells.values[:, codec_indices, 0])
    turned = np.nan_to_num(means if metrics[0].direction != "down" else -means, nan=np.inf)
    return [int(item) for item in np.argsort(turned, kind="stable") if np.isfinite(means[item])]


def _row_means(values: Floats) -> Floats:
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    nothing = np.full(len(values), np.nan)
    means: Floats = np.divide(sums, known.sum(axis=1), out=nothing, where=known.any(axis=1))
    return means


def pictures(files: BoardFiles, item: int) -> list[str | None]:
    """One picture per system, on the scale of the original; nothing where a file is gone."""
    from synbench.audio import read_audio
    from synbench.errors import SynbenchError
    from synbench.policy import read_reference

    made: list[str | None] = []
    loudest: float | None = None
    for index, (path,) in enumerate(files.systems([item])):
        try:
            if path is None:
                raise FileNotFoundError
            if index == 0:
                wave, rate = read_reference(path, target_rate=files.originals[item].target_rate)
            else:
                audio = read_audio(path)
                wave, rate = audio.wave, audio.sample_rate
        except (OSError, SynbenchError):
            made.append(None)
            continue
        levels = spectrum_levels(wave, rate, loudest)
        if loudest is None:
            loudest = float(levels.max())
        data = base64.b64encode(picture(levels, loudest)).decode()
        made.append(f"data:image/png;base64,{data}")
    return made
