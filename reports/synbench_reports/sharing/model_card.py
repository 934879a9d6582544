"""Results as metadata of a model card on the Hugging Face hub, and as a snippet for a README.

The form is the hub's ``model-index``: one entry per codec, with a result per corpus and metric.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synbench_reports.boards.citations import made_with
from synbench_reports.render.layout import ARROWS
from synbench_reports.render.markdown import escaped_markdown

TASK = {"type": "audio-to-audio", "name": "Speech coding"}
DIGITS = 6

__all__ = ["model_index", "model_index_text", "snippet"]

Record = Mapping[str, Any]


def model_index(document: Record) -> list[dict[str, Any]]:
    """One entry for each codec that is no anchor and has a score."""
    entries = []
    for number, codec in enumerate(document["codecs"]):
        results = [
            result
            for board in document["boards"]
            for row in board["rows"]
            if row["codec"] == number and codec["kind"] != "anchor"
            if (result := _result(document, board, row)) is not None
        ]
        if results:
            entries.append({"name": codec["label"], "results": results})
    return entries


def model_index_text(document: Record) -> str:
    """The same as YAML, to stand between the lines ``---`` at the top of a card."""
    import yaml

    tags = ["speech", "audio-codec", "synbench"]
    card = {"tags": tags, "model-index": model_index(document)}
    text: str = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _result(document: Record, board: Record, row: Record) -> dict[str, Any] | None:
    metrics = []
    for metric_index, score in zip(board["metrics"], row["scores"], strict=True):
        if score["mean"] is None:
            continue
        metric = document["metrics"][metric_index]
        value = {
            "type": metric["column"],
            "name": _name(metric),
            "value": _rounded(score["mean"]),
            "verified": False,
        }
        if score["low"] is not None:
            ends = [_rounded(score["low"]), _rounded(score["high"])]
            value["config"] = f"95 % interval {ends[0]} to {ends[1]}, {score['scored']} items"
        metrics.append(value)
    if not metrics:
        return None
    slug = re.sub(r"[^a-z0-9]+", "-", board["corpus"].lower()).strip("-") or "speech"
    return {
        "task": TASK,
        "dataset": {"name": board["corpus"], "type": slug, "revision": board["digest"][:12]},
        "source": {"name": f"synbench {document['synbench']}"},
        "metrics": metrics,
    }


def snippet(document: Record) -> str:
    """A small table of every board in Markdown, with one line that says how it was made."""
    lines: list[str] = []
    for board in document["boards"]:
        metrics = [document["metrics"][metric_index] for metric_index in board["metrics"]]
        shown = [
            metric_index
            for metric_index, _ in enumerate(metrics)
            if any(row["scores"][metric_index]["mean"] is not None for row in board["rows"])
        ]
        heads = ["Codec", "kbit/s", *(_heading(metrics[metric_index]) for metric_index in shown)]
        lines += [_line(heads), _line(["---", *("---:" for _ in heads[1:])])]
        for row in board["rows"]:
            codec = document["codecs"][row["codec"]]
            rate = row["payload_kbps"] if row["payload_kbps"] is not None else codec["nominal_kbps"]
            known = "" if rate is None or codec["kind"] == "anchor" else f"{rate:.2f}"
            scores = (
                _score(row["scores"][metric_index], metrics[metric_index]) for metric_index in shown
            )
            lines.append(_line([escaped_markdown(codec["label"]), known, *scores]))
        about = f"{board['items']} items of {board['corpus']}, 95 % intervals"
        lines += ["", f"{escaped_markdown(about)}; measured with synbench {made_with()}.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _score(score: Record, metric: Record) -> str:
    if score["mean"] is None:
        return ""
    mean = f"{score['mean']:.{metric['decimals']}f}"
    shown = f"**{mean}**" if score["best"] else mean
    if score["low"] is None:
        return shown
    return f"{shown} ± {(score['high'] - score['low']) / 2:.{metric['decimals']}f}"


def _heading(metric: Record) -> str:
    unit = f"({metric['unit']})" if metric["unit"] else ""
    parts = (metric["label"], unit, ARROWS[metric["direction"]])
    return escaped_markdown(" ".join(filter(None, parts)))


def _name(metric: Record) -> str:
    return f"{metric['label']} ({metric['implementation']} {metric['version']})"


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _line(fields: list[str]) -> str:
    return f"| {' | '.join(fields)} |"
