"""Where fcntl, resource and alarm signals are absent, as under Windows, nothing falls over."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parent.parent
POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")
HIDDEN = """
import os, signal, sys
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for where, names in ((signal, ("SIGALRM", "SIGKILL", "setitimer")), (os, ("getuid", "killpg"))):
    for name in names:
        if hasattr(where, name):
            delattr(where, name)
"""
COMMAND = """
from synbench.__main__ import main
sys.argv = ["synbench", *sys.argv[1:]]
main()
"""


def under_windows(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HIDDEN + script, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_module_needs_them_to_be_imported() -> None:
    wanting = [
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("bench", "codecs", "metrics", "reports", "listening_tests")
        for path in sorted((ROOT / folder).glob("synbench*/**/*.py"))
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        for name in _imported(statement)
        if name in POSIX_ONLY
    ]
    assert wanting == []


def _imported(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []


def test_a_run_ends_in_a_sentence_and_score_works(tmp_path: Path) -> None:
    for name in ("reference/a.wav", "decoded/a.wav"):
        (tmp_path / name).parent.mkdir()
        noise = np.random.default_rng(len(name)).uniform(-0.1, 0.1, 16000)
        soundfile.write(tmp_path / name, noise, 16000)
    done = under_windows(COMMAND, "run", "demo", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.strip() == (
        "Error: runs need Linux or macOS: under Windows use its Linux subsystem (wsl --install)"
    )
    folders = ("--reference", "reference", "--degraded", "decoded")
    scored = under_windows(
        COMMAND, "score", *folders, "--metrics", "si_sdr", "--workers", "0", cwd=tmp_path
    )
    assert scored.returncode == 0, scored.stderr
    assert "SI-SDR" in scored.stdout or "si_sdr" in scored.stdout
