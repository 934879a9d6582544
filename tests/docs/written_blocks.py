"""The blocks of a page: what a reader would type, and what is said about how it is tried.

A comment before a block says what differs from "runs and ends well":
    <!-- test: skip REASON -->      not run; options of our commands are checked all the same
    <!-- test: same output -->      the output is what the block shows
    <!-- test: exit 2 -->           the last command ends with this code
A block with ``title="NAME"`` is a file, which is there for what follows on the page.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from site_navigation import front_matter  # noqa: E402 - after its folder is known

# What is run, and what is only shown. `sh` is left out: nobody would notice that it went stale.
RUN = ("console", "python")
SHOWN = ("csv", "html", "ini", "javascript", "json", "latex", "markdown", "text", "toml", "yaml")

_BLOCK = re.compile(
    r"(?:^ *<!-- test: (?P<directive>.+?) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclasses.dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    body: str
    line: int
    title: str = ""
    skip: str = ""
    exit_code: int = 0
    compared: bool = False

    def commands(self) -> list[tuple[str, str]]:
        """What is typed at each ``$ ``, continued lines joined, and what is shown below it."""
        typed: list[list[str]] = []
        for line in self.body.splitlines():
            if line.startswith("$ "):
                typed.append([line[2:], ""])
            elif typed and typed[-1][0].endswith("\\"):
                typed[-1][0] = typed[-1][0][:-1] + line.strip()
            elif typed:
                typed[-1][1] += line + "\n"
        return [(command, shown) for command, shown in typed]


@dataclasses.dataclass(frozen=True)
class Page:
    """A page with its blocks in order and its front matter."""

    path: Path
    blocks: tuple[Block, ...]
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def pages() -> list[Page]:
    """The README and all pages of the documentation."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [read_page(path) for path in paths]


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    blocks = tuple(_block(match, text) for match in _BLOCK.finditer(text))
    return Page(path=path, blocks=blocks, facts=front_matter(text))


def _block(match: re.Match[str], text: str) -> Block:
    directive = match["directive"] or ""
    known = re.fullmatch(r"skip (?P<skip>.+)|exit (?P<code>\d+)|(?P<same>same output)|", directive)
    line = text.count("\n", 0, match.start("body"))
    assert known is not None, f"line {line}: unknown <!-- test: {directive} -->"
    title = re.search(r'title="([^"]+)"', match["rest"])
    indent = len(match["indent"])
    return Block(
        language=match["language"],
        body="".join(one[indent:] or "\n" for one in match["body"].splitlines(keepends=True)),
        line=line,
        title=title[1] if title else "",
        skip=known["skip"] or "",
        exit_code=int(known["code"] or 0),
        compared=bool(known["same"]),
    )
