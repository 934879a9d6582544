"""The frame of every page: head, sections, style and scripts, which the report and a site share.

A page holds no number: its scripts read the results document and the parts of items, which lie
inside the file or beside it. Nothing is asked of any server; the policy in the head forbids it.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources

from synbench_reports.boards.document import as_json

SCRIPTS = ("base.js", "tables.js", "charts.js", "listening.js", "items.js", "page.js")
SECTIONS = {
    "table": "Scores",
    "listen": "Listen, item by item",
    "listening": "Listening tests",
    "rates": "Quality against bit rate",
    "spread": "Scores of all items",
    "robustness": "Robustness",
    "groups": "Groups of items",
    "costs": "Complexity",
    "agreement": "Do the metrics agree?",
    "published": "Published values",
    "made": "How the numbers were made",
    "cite": "What to cite",
}
# No request leaves the page: only what is inside it or beside it may be loaded.
MEDIA = "media-src 'self' data: file:; img-src data:"
INSIDE = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; {MEDIA}"
BESIDE = f"default-src 'none'; style-src 'self' file:; script-src 'self' file:; {MEDIA}"

__all__ = ["embedded", "one_file", "page_scripts", "page_style", "tabbed"]


def one_file(title: str, *, parts: Mapping[str, object], more: str = "") -> str:
    """A page that holds everything, its sections one below the other.

    Args:
        parts: what its scripts load, by name.
        more: sections as HTML, after the others.
    """
    links = "".join(
        f'<li><a data-section="{name}" href="#{name}">{label}</a></li>'
        for name, label in SECTIONS.items()
    )
    sections = "".join(
        f'<section id="{name}" aria-labelledby="{name}-head"><h2 id="{name}-head">{label}</h2>'
        '<div class="content"></div></section>'
        for name, label in SECTIONS.items()
    )
    data = "".join(embedded(name, part) for name, part in parts.items())
    return "\n".join(
        (
            _head(title, INSIDE, f"<style>{page_style()}</style>"),
            f"<body><header><h1>{escape(title)}</h1>",
            f'<p id="speech"></p><nav aria-label="Contents"><ul>{links}</ul></nav></header>',
            f'<main><div id="choose" class="controls"></div>{sections}{more}{_without_scripts()}',
            f"</main>{data}<script>{page_scripts()}</script></body></html>",
            "",
        )
    )


def tabbed(title: str, *, about: str) -> str:
    """A page of a folder with ``page.css``, ``page.js`` and ``data``; a tab for each section.

    Args:
        about: a line below the title, as HTML.
    """
    tabs = "".join(
        f'<button type="button" role="tab" id="{name}-tab" data-section="{name}" '
        f'aria-controls="{name}" aria-selected="false">{label}</button>'
        for name, label in SECTIONS.items()
    )
    sections = "".join(
        f'<section id="{name}" role="tabpanel" aria-labelledby="{name}-tab" hidden>'
        f'<h2>{label}</h2><div class="content"></div></section>'
        for name, label in SECTIONS.items()
    )
    return "\n".join(
        (
            _head(title, BESIDE, '<link rel="stylesheet" href="page.css">'),
            f'<body class="tabs"><header><h1>{escape(title)}</h1><p id="speech"></p>{about}',
            "</header><main>",
            f'<div id="choose" class="controls"></div><div role="tablist">{tabs}</div>',
            f'{sections}{_without_scripts()}</main><script src="page.js"></script></body></html>',
            "",
        )
    )


def page_style() -> str:
    """The style of every page."""
    return _file("page.css")


def page_scripts() -> str:
    """The scripts of every page, in their order."""
    return "\n".join(map(_file, SCRIPTS))


def embedded(name: str, part: object) -> str:
    """A part inside a page; a text that ends the script element must not do so."""
    text = as_json(part).replace("<", "\\u003c")
    return f'<script type="application/json" data-part="{name}">{text}</script>'


def _head(title: str, policy: str, style: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>{style}</head>"
    )


def _without_scripts() -> str:
    return "<noscript><p>Tables and players of this page are drawn by its scripts.</p></noscript>"


def _file(name: str) -> str:
    path = resources.files("synbench_reports.pages") / name
    return path.read_text(encoding="utf-8")
