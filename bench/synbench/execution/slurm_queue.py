"""What a run asks of SLURM's own commands: the states of its jobs, their end, the longest array.

The jobs of a run share a name that no other run has, so that one question tells of all of them and
one command ends them, also those that were being submitted when the run was interrupted. Only
``squeue`` is asked, never ``sacct``: many clusters keep no accounts.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

# A job in one of these states may still run, or run again. Its files are not looked for.
ALIVE = frozenset(
    (
        *("COMPLETING", "CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD"),
        *("RESIZING", "RESV_DEL_HOLD", "RUNNING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT"),
        *("STOPPED", "SUSPENDED"),
    )
)
# Ends that say nothing about what the job was doing.
BLAMELESS = frozenset(("BOOT_FAIL", "CANCELLED", "NODE_FAIL", "PREEMPTED", "REVOKED"))
SECONDS_TO_ANSWER = 60
SECONDS_TO_END = 120
USUAL_LONGEST_ARRAY = 1000
CURRENT = "current"

__all__ = ["ALIVE", "BLAMELESS", "CURRENT", "end_earlier_jobs", "end_jobs", "job_name"]
__all__ += ["job_states", "longest_array"]


def job_name(token: str) -> str:
    """What all jobs of a run are called."""
    return f"synbench-{token}"


def job_states(token: str) -> dict[str, str] | None:
    """Id to state of the jobs that SLURM still remembers; ``None`` while it does not answer."""
    states = ["--states=all", f"--name={job_name(token)}", "--format=%i %T"]
    answer = _answer("squeue", "--noheader", "--array", *states)
    if answer is None:
        return None
    return dict(line.split() for line in answer.splitlines() if len(line.split()) == 2)


def end_jobs(token: str) -> None:
    """Cancel the jobs of a run, whether they wait or work."""
    _answer("scancel", f"--name={job_name(token)}")


def end_earlier_jobs(folder: Path) -> None:
    """End what a killed run of this folder left on the cluster, and wait until it has ended.

    Two runs must not write to one folder. The same work is given out again.

    Args:
        folder: of the run.
    """
    try:
        token = (folder / "slurm" / CURRENT).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return
    if not re.fullmatch("[0-9a-f]+", token) or shutil.which("squeue") is None:
        return
    deadline = time.monotonic() + SECONDS_TO_END
    end_jobs(token)
    while ALIVE.intersection((job_states(token) or {}).values()):
        if time.monotonic() > deadline:
            return
        time.sleep(1)


def longest_array() -> int:
    """How many jobs an array may have here."""
    answer = _answer("scontrol", "show", "config") or ""
    stated = re.search(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    return max(1, min(int(stated[1]), USUAL_LONGEST_ARRAY)) if stated else USUAL_LONGEST_ARRAY


def _answer(*command: str) -> str | None:
    """What a command prints, ``None`` where it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS_TO_ANSWER,
            check=False,
            start_new_session=True,  # Ctrl-C is for the run, which ends its jobs with this
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
