"""The reference pages are those that the code gives today; `make reference` writes them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
# Loading every codec and metric takes several seconds.
PAGES = [
    pytest.param("codecs.md", marks=pytest.mark.slow),
    pytest.param("published-codecs.md", marks=pytest.mark.slow),
    pytest.param("metrics.md", marks=pytest.mark.slow),
    pytest.param("weights.md", marks=pytest.mark.slow),
    "corpora.md",
    "suites.md",
    "commands.md",
]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    tool = importlib.import_module("write_reference")
    page = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert page == tool.kept(page, tool.PAGES[name]()), "type: make reference"


def test_every_page_that_is_written_is_compared() -> None:
    tool = importlib.import_module("write_reference")
    compared = {page if isinstance(page, str) else page.values[0] for page in PAGES}
    assert compared == set(tool.PAGES)


def test_a_section_of_what_is_not_here_is_kept() -> None:
    tool = importlib.import_module("write_reference")
    old = "# Codecs\n\n## `one`\n\nknown\n## `two`\n\nold\n"
    new = f"# Codecs\n\n## `one`\n\n{tool.UNKNOWN}no torch\n## `two`\n\nnew\n"
    assert tool.kept(old, new) == "# Codecs\n\n## `one`\n\nknown\n## `two`\n\nnew\n"
