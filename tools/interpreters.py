"""Find the Python that ``.venv`` is built with, and say why a candidate was turned down.

A name on the search path proves little: it may be a shim that fails when it is called, another
version, or a Python without ``ensurepip``. So every candidate is run once.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from installer import find_uv

SUPPORTED_VERSIONS = ((3, 11), (3, 12), (3, 13))
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3", "python")

PROBE = """
import importlib.util, json, os, sys, sysconfig
print(json.dumps({
    "executable": getattr(sys, "_base_executable", sys.executable),
    "version": list(sys.version_info[:3]),
    "ensurepip": importlib.util.find_spec("ensurepip") is not None,
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "compiler": sysconfig.get_config_var("CC") or "cc",
}))
"""


class SetUpError(Exception):
    """The set-up cannot go on; the message says what to type next."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs: its base executable (never the one of a virtual environment)."""

    executable: Path
    version: tuple[int, int, int]
    ensurepip: bool
    headers: bool
    compiler: str

    @property
    def number(self) -> str:
        """The version as people write it: ``3.11.7``."""
        return ".".join(map(str, self.version))


def probe(command: str) -> Interpreter | None:
    """Run ``command`` and read what it is; ``None`` when it does not run."""
    try:
        done = subprocess.run(
            [command, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60, check=True
        )
        facts = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    major, minor, micro = facts["version"]
    return Interpreter(
        executable=Path(facts["executable"]),
        version=(major, minor, micro),
        ensurepip=facts["ensurepip"],
        headers=facts["headers"],
        compiler=facts["compiler"].split()[0],
    )


def objection(interpreter: Interpreter | None) -> str | None:
    """Why ``.venv`` cannot be built with this interpreter; ``None`` when it can."""
    if interpreter is None:
        return "does not run"
    if interpreter.version[:2] not in SUPPORTED_VERSIONS:
        return f"is Python {interpreter.number}"
    if not interpreter.ensurepip and find_uv() is None:
        return "has no ensurepip (on Debian: apt-get install python3-venv)"
    return None


def find_interpreter(wanted: str | None = None) -> Interpreter:
    """The interpreter named ``wanted``, else the first candidate that will do."""
    turned_down: list[str] = []
    for name in [wanted] if wanted else CANDIDATES:
        for command in [name] if os.sep in name else on_search_path(name):
            interpreter = probe(command)
            reason = objection(interpreter)
            if interpreter is not None and reason is None:
                return interpreter
            turned_down.append(f"  {command} {reason}")
    raise SetUpError(
        "\n".join(
            ["synbench needs Python 3.11, 3.12 or 3.13; none that will do is here:"]
            + (turned_down or [f"  {wanted or 'python3'} is not on the search path"])
            + ["Install one of them, or name one: make setup PYTHON=/path/to/python3.11"]
        )
    )


def on_search_path(name: str) -> list[str]:
    """Every executable called ``name`` on the search path, in order."""
    folders = [folder for folder in os.get_exec_path() if folder]
    paths = dict.fromkeys(str(Path(folder) / name) for folder in folders)
    return [path for path in paths if os.access(path, os.X_OK) and Path(path).is_file()]
