"""``synbench doctor``: what is taken away from a machine is missed, with a line that brings it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.commands import doctor as command
from synbench.machine import Finding, machine_findings, package_findings, program_findings
from synbench_base import packages


def finding(findings: Any, part: str) -> Finding:
    """The one finding about a part."""
    (one,) = [each for each in findings if each.part == part]
    assert isinstance(one, Finding)
    return one


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, text: str = "exit 0") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codecs and columns of which some lack something; a cache of one's own."""
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(command.synbench_codecs, "names", lambda: ["passthrough", "bigcodec"])
    monkeypatch.setattr(command.synbench_metrics, "names", lambda: ["si_sdr"])


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "file" / "cache"))
    cache = finding(machine_findings(), "cache")
    assert (cache.works, cache.needed) == (False, True)
    assert "SYNBENCH_CACHE" in cache.command
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    assert finding(machine_findings(), "cache").works
    assert not list((tmp_path / "cache").iterdir())


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_DEVICE", "abacus")
    device = finding(machine_findings(), "device")
    assert (device.works, device.command) == (False, "unset SYNBENCH_DEVICE")


def test_every_folder_of_speech_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_DATA", f"{tmp_path}:{tmp_path / 'none'}")
    assert [each.works for each in machine_findings() if each.part == "speech"] == [True, False]


def test_an_extra_that_lacks_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = packages.installed_version
    packages.install.cache_clear()
    monkeypatch.setattr(
        packages, "installed_version", lambda name: "" if name == "pystoi" else versions(name)
    )
    metrics = finding(package_findings(), "extra metrics")
    packages.install.cache_clear()
    assert not metrics.works
    assert "pystoi" in metrics.state
    assert shlex.split(metrics.command)[1:] == ["install", "pystoi==0.4.1"]


def test_programs_that_are_there_and_that_are_not(empty_path: Path) -> None:
    assert not any(each.works or each.command for each in program_findings())
    program(empty_path, "apt-get")
    program(empty_path, "cc")
    assert finding(program_findings(), "compiler").state == str(empty_path / "cc")
    assert finding(program_findings(), "browser").command == "apt-get install chromium"


def test_tex_without_a_package_of_the_tables(empty_path: Path) -> None:
    program(empty_path, "pdflatex")
    program(empty_path, "kpsewhich", 'test "$1" != siunitx.sty')
    tex = finding(program_findings(), "TeX")
    assert not tex.works
    assert "without siunitx.sty" in tex.state
    program(empty_path, "kpsewhich")
    assert finding(program_findings(), "TeX").works


@pytest.mark.usefixtures("few")
def test_one_line_each_with_its_command_below() -> None:
    pytest.importorskip("torch")
    done = CliRunner().invoke(command.doctor)
    assert done.exit_code == 0, done.output
    assert "1 of 4 run here; all: synbench codecs" in done.output
    assert "bigcodec: missing weights (bigcodec.pt)\n      synbench weights fetch bigcodec\n" in (
        done.output
    )
    assert "1 of 1 run here; all: synbench metrics" in done.output


@pytest.mark.usefixtures("few")
def test_for_programs_and_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_DEVICE", "abacus")
    done = CliRunner().invoke(command.doctor, ["--json"])
    read = json.loads(done.output)
    assert (done.exit_code, read["works"]) == (3, False)
    broken = [each["part"] for each in read["findings"] if each["needed"] and not each["works"]]
    assert broken == ["device"]
