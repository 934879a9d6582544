"""Links within the repository lead somewhere: files, folders, and headings of pages."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from written_blocks import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")


def links(path: Path) -> list[str]:
    text = _CODE.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
    return [first or second for first, second in _LINK.findall(text)]


def anchors(path: Path) -> set[str]:
    """As GitHub and Python-Markdown name headings, which agree on letters, digits and hyphens."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    names: dict[str, int] = {}
    targets = set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#+ (.+?)(?: *\{[^}]*\})?$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        name = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip())
        count = names.get(name, 0)
        names[name] = count + 1
        targets.add(name if count == 0 else f"{name}_{count}")
    targets |= set(re.findall(r"\{ *#([\w-]+)", text))
    return targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            dead.append(link)
    assert dead == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `title`, twice\n[a](#a-title-twice) [b](gone.md) `[c](code.md)`\n")
    assert links(page) == ["#a-title-twice", "gone.md"]
    assert "a-title-twice" in anchors(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_of_the_site_link_within_the_site(page: Path) -> None:
    """The site holds `docs/` alone, so a link out of it would be dead there."""
    if (ROOT / "docs") not in page.parents:
        return
    outside = [link for link in links(page) if _leaves(page, link.partition("#")[0])]
    assert outside == []


def _leaves(page: Path, path: str) -> bool:
    if not path or re.match(r"[a-z]+:", path):
        return False
    return not (page.parent / path).resolve().is_relative_to(ROOT / "docs")
