"""The script and style that are shipped are what the sources give, and stay small."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from synbench_listening.delivery.page import STATIC_FILES, static_file

SOURCES = Path(__file__).resolve().parents[2] / "listening_tests" / "page"
MOST_SCRIPT_BYTES = 60_000


def test_the_script_is_small_and_asks_nobody() -> None:
    script = static_file("page.js")
    assert len(script) < MOST_SCRIPT_BYTES
    assert b"innerHTML" not in script and b"http://" not in script and b"eval(" not in script
    assert b"@import" not in static_file("page.css") and b"url(" not in static_file("page.css")
    assert b"</script" not in script


@pytest.mark.slow
def test_the_shipped_files_are_what_the_sources_give(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no Node on this machine")
    copy = tmp_path / "page"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run([npm, "ci"], cwd=copy, capture_output=True, text=True, timeout=200)
    if installed.returncode:
        pytest.skip(f"npm ci failed: {installed.stderr[-300:]}")
    built = subprocess.run(
        [npm, "run", "build"], cwd=copy, capture_output=True, text=True, timeout=200
    )
    assert built.returncode == 0, built.stdout + built.stderr
    for name in STATIC_FILES:
        made = tmp_path / "synbench_listening" / "static" / name
        assert made.read_bytes() == static_file(name), f"{name}: run npm run build in {SOURCES}"
