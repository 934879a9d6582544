"""The site builds strictly, holds every page, and asks no other server for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a browser fetches by itself, in contrast to links that a reader may follow.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc=\"([^\"]+)\""
    r"|<link\b(?![^>]*\brel=\"(?:canonical|next|prev)\")[^>]*\bhref=\"([^\"]+)\""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="no mkdocs")
    pytest.importorskip("mkdocstrings", reason="no mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.strip() == ""
    return folder


@pytest.mark.slow
class TestSite:
    def test_every_page_is_in_it(self, site: Path) -> None:
        pages = [
            path.relative_to(ROOT / "docs").with_suffix(".html")
            for path in (ROOT / "docs").rglob("*.md")
        ]
        assert [page for page in pages if not (site / page).is_file()] == []

    def test_nothing_is_fetched_from_elsewhere(self, site: Path) -> None:
        elsewhere = {
            f"{path.relative_to(site)}: {first or second}"
            for path in site.rglob("*.html")
            for first, second in _FETCHED.findall(path.read_text(encoding="utf-8"))
            if re.match(r"(?:https?:)?//", first or second)
        }
        assert elsewhere == set()


def test_what_is_fetched_is_told_from_links() -> None:
    page = '<a href="https://a.org"></a><link rel="stylesheet" href="//b.org/x.css">'
    assert [first or second for first, second in _FETCHED.findall(page)] == ["//b.org/x.css"]
