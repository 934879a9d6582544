"""The wheel in an empty environment, away from the checkout: `pip install`, pipx and uv tool."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent
# What the packaged networks and this test's columns need, beside the wheel's own requirements.
PACKAGES = ("onnxruntime>=1.18", "pystoi==0.4.1")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / "bin"
    done = run(programs / "pip", "install", "-q", "--prefer-binary", wheel, *PACKAGES, cwd=folder)
    if done.returncode:
        pytest.skip(f"pip could not install the wheel: {done.stderr.strip().splitlines()[-1:]}")
    return programs


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is no checkout, with a little speech-like sound."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "speech").mkdir()
    time = np.arange(24000) / 16000
    for number in range(2):
        voice = sum(np.sin(2 * np.pi * k * (110 + 20 * number) * time) / k for k in range(1, 9))
        wave = 0.1 * voice * np.abs(np.sin(2 * np.pi * 2 * time))
        soundfile.write(folder / "speech" / f"{number}.wav", wave, 16000)
    return folder


def test_the_demo_runs_from_another_folder(programs: Path, elsewhere: Path) -> None:
    done = run(
        programs / "synbench",
        *("run", "demo", "--corpus", "speech", "--metrics", "stoi", "--workers", "1"),
        *("--codecs", "p2psyncodec,mdctcodec,lowpass-3k5"),
        cwd=elsewhere,
        SYNBENCH_CACHE=str(elsewhere / "cache"),
    )
    assert done.returncode == 0, done.stderr
    assert "P2PSynCodec demo" in done.stdout
    assert "torch" not in done.stderr.lower()
    assert (elsewhere / "runs/demo-custom/manifest.json").is_file()


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("suites",), ("suites", "show", "demo"), ("doctor",), ("codecs",)],
    ids=" ".join,
)
def test_commands_need_no_checkout(
    arguments: tuple[str, ...], programs: Path, elsewhere: Path
) -> None:
    done = run(programs / "synbench", *arguments, cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout + done.stderr


def test_it_runs_through_a_link_as_pipx_and_uv_tool_make_it(
    programs: Path, elsewhere: Path
) -> None:
    link = elsewhere / "synbench"
    link.symlink_to(programs / "synbench")
    done = run(link, "check", "p2psyncodec", cwd=elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "!!" not in done.stdout


def test_the_shell_completes_commands(programs: Path, elsewhere: Path) -> None:
    script = run(programs / "synbench", cwd=elsewhere, _SYNBENCH_COMPLETE="bash_source")
    assert "complete" in script.stdout
    done = run(
        programs / "synbench",
        cwd=elsewhere,
        _SYNBENCH_COMPLETE="bash_complete",
        COMP_WORDS="synbench lat",
        COMP_CWORD="1",
    )
    assert done.stdout.strip() == "plain,latency"
