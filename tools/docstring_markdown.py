"""Docstrings of this project as Markdown: the few forms that they use, and no others.

Prose stays prose. A paragraph whose lines below the first are indented is a definition, references
or a block of conventions; tables and indented blocks keep their layout.
"""

from __future__ import annotations

import re
import textwrap

__all__ = ["as_markdown", "first_line", "without_first_line"]

_ROLE = re.compile(r":\w+:`~?([^`]*)`")


def first_line(docstring: str) -> str:
    """What the thing is, in one line."""
    return docstring.strip().partition("\n")[0]


def without_first_line(docstring: str) -> str:
    """Everything below it."""
    return textwrap.dedent(docstring.strip().partition("\n")[2]).strip()


def as_markdown(text: str) -> str:
    """The paragraphs of a dedented docstring."""
    paragraphs = re.split(r"\n\s*\n", text.strip()) if text.strip() else []
    return "\n\n".join(_paragraph(one) for one in _joined(paragraphs))


def _joined(paragraphs: list[str]) -> list[str]:
    """Indented paragraphs belong to the one before when that is indented too, or ends in ``::``."""
    joined: list[str] = []
    for paragraph in paragraphs:
        if joined and paragraph.startswith("    "):
            joined[-1] += "\n\n" + paragraph
        else:
            joined.append(paragraph)
    return joined


def _paragraph(paragraph: str) -> str:
    if paragraph.startswith("==="):
        return _table(paragraph.splitlines())
    if paragraph.startswith("- "):
        return "\n".join(f"- {_inline(one)}" for one in re.split(r"^- ", paragraph, flags=re.M)[1:])
    if paragraph.startswith("    "):
        return _fenced(textwrap.dedent(paragraph))
    head, _, rest = paragraph.partition("\n")
    if not rest.lstrip("\n").startswith("    "):
        prose, colons, block = paragraph.partition("::\n")
        return f"{_inline(prose)}:\n\n{_fenced(block)}" if colons else _inline(paragraph)
    body = textwrap.dedent(rest.strip("\n"))
    if head in ("Conventions", "Shape letters", "Args:", "Attributes:"):
        return f"**{head.rstrip(':')}**\n\n{_fenced(body)}"
    if head.endswith("::"):
        return f"{_inline(head[:-1])}\n\n{_fenced(body)}"
    return f"**{_inline(head.rstrip(':'))}**\n\n{_body(body)}"


def _body(text: str) -> str:
    """Prose of a definition, in which a line that ends in ``::`` comes before a formula."""
    return "\n\n".join(_paragraph(one) for one in _joined(re.split(r"\n\s*\n", text)))


def _table(lines: list[str]) -> str:
    """A table whose columns are ruled by `=`; without a heading where it has two rules only."""
    edges = [(match.start(), match.end()) for match in re.finditer("=+", lines[0])]
    starts = [start for start, _ in edges]
    ends = [*starts[1:], None]
    rows = [
        [_inline(line[start:end]) for start, end in zip(starts, ends, strict=True)]
        for line in lines
        if not line.startswith("===")
    ]
    if sum(line.startswith("===") for line in lines) == 2:
        rows.insert(0, [""] * len(starts))
    rows.insert(1, ["---"] * len(starts))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _inline(text: str) -> str:
    text = _ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", text)
    text = text.replace("``", "`")
    text = re.sub(r"(?<![\w`<(])(https?://[^\s),]+)", r"<\1>", text)
    return " ".join(line.strip() for line in text.splitlines()).removesuffix("::").strip()


def _fenced(text: str) -> str:
    plain = _ROLE.sub(lambda match: match[1].rpartition(".")[2], text).replace("``", "")
    return f"```text\n{textwrap.dedent(plain).strip(chr(10))}\n```"
