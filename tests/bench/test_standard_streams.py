"""Standard output on a full disk, closed or without a reader; workers that cannot start."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Environment = Callable[..., dict[str, str]]

# It prints a table as long as any, but imports every metric's package before.
METRICS = pytest.param("metrics", marks=pytest.mark.slow)


def shell(line: str, environment: Environment) -> subprocess.CompletedProcess[str]:
    command = f'run() {{ "{sys.executable}" -m synbench "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", ["suites --schema", METRICS, "--help"])
def test_a_full_disk_is_one_sentence(command: str, environment: Environment) -> None:
    done = shell(f"run {command} > /dev/full", environment)
    assert done.returncode == 3
    assert done.stderr == "Error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("command", ["suites --schema", METRICS])
def test_what_would_be_printed_on_a_closed_output_is_missed(
    command: str, environment: Environment
) -> None:
    done = shell(f"run {command} >&-", environment)
    assert done.returncode == 3
    assert done.stderr == "Error: cannot write to standard output: it is closed\n"


@pytest.mark.parametrize("command", ["codecs --json", METRICS])
def test_a_reader_that_has_had_enough_is_no_failure(command: str, environment: Environment) -> None:
    done = shell(f"run {command} | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}", environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_error_output_changes_nothing(
    speech_folder: Path, environment: Environment
) -> None:
    score = f"run score --reference {speech_folder} --degraded {speech_folder} --metrics stoi"
    done = shell(f"{score} --workers 2 2>&- <&-", environment)
    assert done.returncode == 0
    assert "3/3" in done.stdout


@pytest.mark.parametrize("error", ["BlockingIOError(11, 'no more processes')", "BrokenPipeError()"])
def test_workers_that_cannot_start_are_one_sentence(
    error: str, speech_folder: Path, environment: Environment, tmp_path: Path
) -> None:
    """As where Python's resource tracker, which every pool needs, does not come up."""
    program = tmp_path / "limited.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import sys
            from multiprocessing import resource_tracker
            from synbench.__main__ import main

            def refuse(*_):
                raise {error}

            resource_tracker._resource_tracker.ensure_running = refuse
            if __name__ == "__main__":
                main()
            """
        ),
        encoding="utf-8",
    )
    (tmp_path / "s.yaml").write_text(
        f"name: s\ncorpora: ['folder:path={speech_folder}']\ncodecs: [lowpass-3k5]\n"
        "metrics: [si_sdr]\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, program, "run", tmp_path / "s.yaml", "--out", tmp_path / "r"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "Error: cannot start worker processes" in done.stderr
    assert "--workers 0" in done.stderr
    assert "Traceback" not in done.stderr
