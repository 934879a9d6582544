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
def written() -> str:
    """All texts of the code, a line each."""
    texts = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("synbench*/**/*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
                    texts.append(text(node).replace("\n", " "))
    return "\n".join(texts)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_has_this_message(message: str, written: str) -> None:
    pattern = ".*?".join(re.escape(part) for part in message.split(GAP))
    assert re.search(pattern, written), message


def test_a_message_that_nobody_says_is_seen(written: str) -> None:
    assert not re.search(r"the moon is .*? cheese", written)
