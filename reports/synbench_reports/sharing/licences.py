"""The licences of everything that a run is made of, as its manifest states them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synbench_reports.render.markdown import escaped_markdown

UNSTATED = "not stated"
ADVICE = (
    "What synbench counted and computed (scores, tables, figures) is the work of whoever ran "
    "it. Recordings and reconstructions keep the licence of the speech that they are made of: "
    "where it is not stated, ask before you publish them."
)

__all__ = ["licences_text"]

Record = Mapping[str, Any]


def licences_text(manifest: Record) -> str:
    """Corpora, codecs, weights and metrics as Markdown, ending in a newline."""
    codecs = [
        codec for codec in manifest["codecs"] if codec["kind"] not in ("anchor", "recordings")
    ]
    lines = ["# Licences", "", ADVICE, ""]
    lines += _section(
        "Speech", ((corpus["name"], corpus) for corpus in manifest["corpora"]), "licence"
    )
    lines += _section(
        "Code of codecs", ((codec["label"], codec) for codec in codecs), "code_licence"
    )
    trained = [(codec["label"], codec) for codec in codecs if codec["weights"]]
    lines += _section("Weights of codecs", trained, "weights_licence")
    metrics = ((metric["label"], metric) for metric in manifest["metrics"])
    lines += _section("Metrics", metrics, "licence")
    decoded = [codec["label"] for codec in manifest["codecs"] if codec["kind"] == "recordings"]
    if decoded:
        names = ", ".join(map(escaped_markdown, decoded))
        lines += ["## Decoded files of others", "", f"{names}: ask those who made them.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(title: str, entries: Iterable[tuple[str, Record]], key: str) -> list[str]:
    by_licence: dict[str, list[str]] = {}
    for name, entry in entries:
        licence = str(entry.get(key) or "")
        stated = UNSTATED if licence in ("", "unknown") else licence
        by_licence.setdefault(stated, []).append(name)
    lines = [
        f"- {escaped_markdown(', '.join(names))}: {escaped_markdown(licence)}"
        for licence, names in by_licence.items()
    ]
    return [f"## {title}", "", *lines, ""] if lines else []
