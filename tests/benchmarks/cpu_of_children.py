"""CPU seconds and largest memory of a command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["synbench_command", "used"]

# A helper between, since the memory of a process begins with that of the one that starts it.
PROGRAM = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([use.ru_utime + use.ru_stime, use.ru_maxrss / 1e6]))
sys.exit(done.returncode)
"""


def used(command: Sequence[str], *, times: int = 1, **variables: str) -> tuple[float, float]:
    """The least CPU seconds, with its workers', and the memory in GB of a command.

    Args:
        times: how often it is run.
        variables: of its environment.
    """
    runs = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *command],
            env=os.environ | variables | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        runs.append(json.loads(done.stdout))
    return min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def synbench_command(*words: str) -> list[str]:
    """A command of synbench by this interpreter."""
    return [sys.executable, "-m", "synbench", *words]
