"""Orders the pages of the documentation, so that a page is added by writing its file.

A hook of MkDocs. The sections follow the reader: learn, do, look up, understand. Within a section a
page with ``order`` in its front matter comes before those without, which go by their titles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SECTIONS = {
    "tutorials": "Tutorials",
    "how-to": "How to",
    "reference": "Reference",
    "explanations": "Explanations",
}
LAST = 1000

__all__ = ["front_matter", "navigation", "on_config"]


def on_config(config: Any) -> Any:
    """Give MkDocs the navigation that is drawn from the files."""
    config.nav = navigation(Path(config.docs_dir))
    return config


def navigation(folder: Path) -> list[dict[str, Any]]:
    """The start page, then every section with its pages; sections without a page are left out."""
    entries: list[dict[str, Any]] = [{"Start": "index.md"}]
    for name, title in SECTIONS.items():
        pages = sorted((folder / name).glob("*.md"), key=_position)
        if pages:
            entries.append({title: [page.relative_to(folder).as_posix() for page in pages]})
    return entries


def front_matter(text: str) -> dict[str, Any]:
    """The YAML between the first two lines of three dashes; empty where a page has none."""
    if not text.startswith("---\n"):
        return {}
    return yaml.safe_load(text[4:].partition("\n---\n")[0]) or {}


def _position(page: Path) -> tuple[bool, int, str]:
    text = page.read_text(encoding="utf-8")
    title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), page.stem)
    return page.stem != "index", int(front_matter(text).get("order", LAST)), title.casefold()
