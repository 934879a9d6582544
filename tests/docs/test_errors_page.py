"""The page of error messages quotes messages that the code has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "codecs", "listening_tests", "metrics", "reports")
PAGE = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
GAP = "…"


def text(node: ast.AST) -> str:
    """A string as it is written in code, with a gap for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text(node.left) + text(node.right)
    return GAP


@pytest.fixture(scope="module")
def written() -> list[str]:
    """All texts of the code that could be a message."""
    texts = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("synbench*/**/*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
                    texts.append(text(node).replace("\n", " "))
    return texts


def says(one: str, message: str) -> bool:
    """Whether a text has the parts of a message in their order."""
    start = 0
    for part in message.split(GAP):
        start = one.find(part, start)
        if start < 0:
            return False
        start += len(part)
    return True


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_has_this_message(message: str, written: list[str]) -> None:
    assert any(says(one, message) for one in written), message


def test_a_message_that_nobody_says_is_seen(written: list[str]) -> None:
    assert says("cannot read x: gone", "cannot read …: gone")
    assert not any(says(one, "the moon is … cheese") for one in written)
