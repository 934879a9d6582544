"""The items of a corpus for the report's player: scores, reasons, audio and pictures, kept small.

A file of two thousand items and ten codecs must still open at once, so scores are columns of
numbers, reasons are numbered texts, and what file names share is written once.
"""

from __future__ import annotations

import base64
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from synbench.published import leads_home
from synbench.results.cells import Cells, Store, Unscored
from synbench.results.planned import PlannedRun
from synbench.results.stored_files import ItemFiles, even_choice, item_files, item_keys
from synbench_reports.html_report.spectrogram import picture, spectrum_levels

KINDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}
SCORE_DIGITS = 5

__all__ = ["Failure", "failures", "item_data"]

Failure = tuple[str, str, str, str, int, str]


def item_data(
    planned: PlannedRun,
    corpus: str,
    cells: Cells,
    unscored: Sequence[Unscored],
    *,
    beside: Path,
    embed_audio: bool,
    spectrograms: int,
) -> dict[str, Any]:
    """What the page's script reads, ready for JSON.

    Args:
        unscored: the cells of the corpus that have a row and no score.
        beside: the folder in which the page will lie; audio links count from it.
        embed_audio: put the audio into the page.
        spectrograms: pictures of this many items, the worst and some evenly spread.
    """
    items = item_files(planned, corpus)
    systems = [[item.source for item in items]]
    for index in range(len(planned.codecs)):
        systems.append([item.reconstructions[index] for item in items])
    return {
        "systems": ["Original", *(codec.label for codec in planned.codecs)],
        "metrics": [
            {"label": metric.label, "unit": metric.unit, "direction": metric.direction}
            for metric in planned.metrics
        ],
        "items": [
            [item.item, item.speaker, round(item.seconds, 2), item.transcript] for item in items
        ],
        "scores": _scores(cells),
        "reasons": _reasons(planned, unscored),
        "files": [_files(paths, beside, embed_audio) for paths in systems],
        "pictures": {
            str(index): _pictures(items[index]) for index in _telling(cells, spectrograms, planned)
        },
    }


def failures(planned: PlannedRun, store: Store, corpus: str) -> list[Failure]:
    """Codec, stage or metric, status, reason, how often, and an item; the most frequent first."""
    codecs = {codec.codec_id: codec.label for codec in planned.codecs}
    metrics = {metric.metric_id: metric.label for metric in planned.metrics}
    items = [item for item, _ in item_keys(planned, corpus)]
    by_reason: dict[tuple[str, str, str, str], list[str]] = {}
    for cell in store.unscored(corpus):
        if cell.codec_id in codecs:
            kind = codecs[cell.codec_id], metrics[cell.metric_id]
            key = (*kind, cell.status.replace("_", " "), cell.reason)
            by_reason.setdefault(key, []).append(items[cell.item_index])
    ordered = sorted(by_reason.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [(*key, len(names), min(names)) for key, names in ordered]


def _scores(cells: Cells) -> list[list[list[float | None]]]:
    """Per codec and metric the scores of all items; nothing where there is none."""
    _, codecs, metrics = cells.values.shape
    return [
        [[_short(value) for value in cells.values[:, codec, metric]] for metric in range(metrics)]
        for codec in range(codecs)
    ]


def _short(value: float) -> float | None:
    return float(f"{value:.{SCORE_DIGITS}g}") if np.isfinite(value) else None


def _reasons(planned: PlannedRun, unscored: Sequence[Unscored]) -> dict[str, str]:
    """By ``item,codec,metric``: why there is no score; a missing one has no entry."""
    codecs = {codec.codec_id: index for index, codec in enumerate(planned.codecs)}
    metrics = {metric.metric_id: index for index, metric in enumerate(planned.metrics)}
    return {
        f"{cell.item_index},{codecs[cell.codec_id]},{metrics[cell.metric_id]}": (
            f"{cell.status.replace('_', ' ')}: {cell.reason}".removesuffix(": ")
        )
        for cell in unscored
        if cell.codec_id in codecs
    }


def _files(paths: Sequence[Path | None], beside: Path, embed: bool) -> dict[str, Any]:
    """Where the player finds a system's files: what they share, and the rest of each."""
    sources = [_source(path, beside, embed) for path in paths]
    known = [source for source in sources if source]
    folder = "" if embed or not known else posixpath.commonpath(map(posixpath.dirname, known))
    shared = f"{folder}/" if folder else ""
    return {
        "start": shared,
        "rest": [None if source is None else source[len(shared) :] for source in sources],
    }


def _source(path: Path | None, beside: Path, embed: bool) -> str | None:
    if path is None or not path.is_file():
        return None
    if not embed:
        if leads_home(path.resolve(), beside.resolve()):
            return None  # the link would name whose machine it was made on
        return quote(Path(os.path.relpath(path.resolve(), beside.resolve())).as_posix())
    kind = KINDS.get(path.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _telling(cells: Cells, wanted: int, planned: PlannedRun) -> list[int]:
    """The items worth a picture: half those with the lowest scores, half evenly spread."""
    count = len(cells.seconds)
    if wanted >= count:
        return list(range(count))
    indices = [index for index, codec in enumerate(planned.codecs) if not codec.is_anchor]
    worst: list[int] = []
    if planned.metrics and indices and wanted > 1:
        values = cells.values[:, indices, 0]
        known = np.isfinite(values)
        sums = np.where(known, values, 0.0).sum(axis=1)
        means = np.divide(sums, known.sum(axis=1), out=np.zeros(count), where=known.any(axis=1))
        order = np.argsort(means if planned.metrics[0].direction != "down" else -means)
        worst = [int(index) for index in order[: wanted // 2]]
    rest = [index for index in even_choice(count, wanted) if index not in worst]
    return sorted([*worst, *rest[: wanted - len(worst)]])


def _pictures(item: ItemFiles) -> list[str | None]:
    """One picture per system, on the scale of the original; nothing where a file is gone."""
    from synbench.audio import read_audio
    from synbench.errors import SynbenchError
    from synbench.policy import read_reference

    pictures: list[str | None] = []
    loudest: float | None = None
    for index, path in enumerate([item.source, *item.reconstructions]):
        try:
            if path is None:
                raise FileNotFoundError
            if index == 0:
                wave, rate = read_reference(path, target_rate=item.target_rate)
            else:
                audio = read_audio(path)
                wave, rate = audio.wave, audio.sample_rate
        except (OSError, SynbenchError):
            pictures.append(None)
            continue
        levels = spectrum_levels(wave, rate, loudest)
        if loudest is None:
            loudest = float(levels.max())
        data = base64.b64encode(picture(levels, loudest)).decode()
        pictures.append(f"data:image/png;base64,{data}")
    return pictures
