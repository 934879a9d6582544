"""Install lines are typable as they are printed: pip itself reads them and finds nothing wrong."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys

import pytest

from synbench_base import packages

EXTRAS = importlib.metadata.metadata("synbench").get_all("Provides-Extra")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    packages.install.cache_clear()


def test_there_are_extras() -> None:
    assert EXTRAS is not None
    assert {"hf", "metrics", "reports"} <= set(EXTRAS)


@pytest.mark.parametrize("extra", ["hf", "metrics", "listening"])
def test_pip_reads_the_line(extra: str) -> None:
    """Of a complete extra the line names every package, all of which pip then has already."""
    program, command, *requirements = shlex.split(packages.install(extra))
    assert program.endswith("pip")
    assert command == "install"
    assert all("synbench" not in requirement for requirement in requirements)
    installed = [one for one in requirements if packages.installed_version(_name(one))]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--no-index",
            "--no-deps",
            *installed,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_only_what_is_lacking_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = packages.installed_version
    monkeypatch.setattr(
        packages, "installed_version", lambda name: "" if name == "pystoi" else versions(name)
    )
    assert packages.install("metrics").endswith("pip install pystoi==0.4.1")


def test_an_extra_that_is_not_known_here_is_named_as_such() -> None:
    assert packages.install("from-the-future").endswith("'synbench[from-the-future]'")


def _name(requirement: str) -> str:
    return requirement.split("[")[0].split("<")[0].split(">")[0].split("=")[0]
