"""The HTML document around the page's script, which is built by Vite and lies in ``static/``.

What the script needs to know before it asks the server lies in the document as JSON data. All text
is put into the page as text, by the script; nothing of a study is ever markup.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from synbench_listening.design.study_folder import PublicStudy

# Styles come from the file alone; decoded audio needs no origin of its own.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

__all__ = ["CONTENT_SECURITY_POLICY", "STATIC_FILES", "data_block", "document", "render_index"]
__all__ += ["render_no_study", "render_page", "static_file", "texts"]

STATIC_FILES = {
    "page.js": "text/javascript",
    "page.css": "text/css",
    "texts.json": "application/json",
}


def static_file(name: str) -> bytes:
    """The content of a file that the build of the page made; ``KeyError`` for any other name."""
    if name not in STATIC_FILES:
        raise KeyError(name)
    return (resources.files("synbench_listening") / "static" / name).read_bytes()


def texts(public: PublicStudy) -> dict[str, dict[str, str]]:
    """What the page says, in the languages of a study."""
    every: dict[str, dict[str, str]] = json.loads(static_file("texts.json"))
    return {language: every[language] for language in public.languages}


def render_page(
    public: PublicStudy, *, api: str = "../api", static: str = "../static", lab: bool = False
) -> str:
    """The document that ``GET /s/{study}`` answers, for the page served by a server.

    Its addresses are relative, so that it works below any path of a proxy.
    """
    start = {"mode": "server", "api": api, "study": public.model_dump(mode="json"), "lab": lab}
    return document(
        public,
        head=f'<link rel="stylesheet" href="{html.escape(static)}/page.css">',
        body=data_block("texts", texts(public))
        + data_block("start", start)
        + f'<script src="{html.escape(static)}/page.js" defer></script>',
    )


def render_index(studies: Sequence[PublicStudy]) -> str:
    """The document at ``/``: the studies that are served here, by their titles."""
    entries = "".join(
        f'<li><a href="s/{html.escape(study.name)}">'
        f"{html.escape(study.title.get(study.languages[0], '') or study.name)}</a></li>"
        for study in studies
    )
    return _plain("Listening tests", f'<ul class="studies">{entries}</ul>', static="static")


def render_no_study() -> str:
    """What a wrong address below ``/s/`` shows: a listener may have mistyped it."""
    text = "<p>There is no listening test at this address. Please check the link.</p>"
    return _plain("Nothing here", text, static="../static")


def _plain(title: str, content: str, *, static: str) -> str:
    """A page without a script: a card with a title over markup."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<link rel="icon" href="data:,">\n'
        f'<title>{title}</title>\n<link rel="stylesheet" href="{static}/page.css">\n</head>\n'
        f'<body class="plain">\n<main id="app"><div class="card"><h1>{title}</h1>'
        f"{content}</div></main>\n</body>\n</html>\n"
    )


def data_block(name: str, content: Any) -> str:
    """JSON that no parser of HTML can take for anything else."""
    text = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{html.escape(name)}">{text}</script>'


def document(public: PublicStudy, *, head: str, body: str) -> str:
    """The bare document; ``head`` and ``body`` are markup."""
    language = public.languages[0]
    title = html.escape(public.title.get(language, "") or public.name)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f'<link rel="icon" href="data:,">\n<title>{title}</title>\n{head}\n</head>\n<body>\n'
        f'<main id="app"></main>\n{body}\n</body>\n</html>\n'
    )
