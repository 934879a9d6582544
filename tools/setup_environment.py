"""Set up ``.venv`` with synbench and its tools, or notice within milliseconds that it is there.

Run by ``make``; needs the standard library of Python 3.11 or later only. The stamp is written last,
so that a set-up that failed or was interrupted is repaired by running it again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interpreters import SUPPORTED, Interpreter, SetUpError, find_interpreter, probe
from torch_choice import (
    UPON_TORCH,
    TorchChoice,
    choose_torch,
    has_nvidia_device,
    kept_folders,
    kept_wheels,
)

ROOT = Path(__file__).resolve().parent.parent
STAMP = "synbench-set-up"
READ_FILES = (
    "pyproject.toml",
    "tools/interpreters.py",
    "tools/setup_environment.py",
    "tools/torch_choice.py",
)


def main() -> int:
    """Set up, print one line per step, and return the exit code."""
    parser = argparse.ArgumentParser(description="Set up .venv for synbench.")
    parser.add_argument("--python", help="the interpreter to build .venv with")
    parser.add_argument("--again", action="store_true", help="install even when nothing changed")
    arguments = parser.parse_args()
    try:
        if arguments.again or not is_current(ROOT, arguments.python):
            with locked(ROOT):
                if arguments.again or not is_current(ROOT, arguments.python):
                    set_up(ROOT, arguments.python)
    except SetUpError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; the same command repairs it", file=sys.stderr)
        return 130
    return 0


def is_current(root: Path, wanted: str | None = None) -> bool:
    """Whether ``.venv`` was set up from these very files, here, with an interpreter still there."""
    try:
        stamp = (root / ".venv" / STAMP).read_text(encoding="utf-8")
        if stamp != stamp_text(root):
            return False
    except OSError:
        return False
    return wanted is None or is_built_with(root / ".venv", find_interpreter(wanted))


def stamp_text(root: Path) -> str:
    """Everything that a set-up depends on: place, interpreter, and the files it reads."""
    python = (root / ".venv/bin/python").resolve()
    status = python.stat()
    digest = hashlib.sha256(b"".join((root / name).read_bytes() for name in READ_FILES))
    return (
        f"place {root}\n"
        f"python {python} {status.st_size} {status.st_mtime_ns}\n"
        f"files {digest.hexdigest()}\n"
    )


def is_built_with(venv: Path, interpreter: Interpreter) -> bool:
    """Whether ``.venv`` runs this very interpreter."""
    return (venv / "bin/python").resolve() == interpreter.executable.resolve()


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the set-up of this folder; a second set-up waits, then finds the work done."""
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def set_up(root: Path, wanted: str | None) -> None:
    """Build ``.venv`` where needed, install, and write the stamp last."""
    start = time.monotonic()
    venv = root / ".venv"
    (venv / STAMP).unlink(missing_ok=True)
    interpreter = find_interpreter(wanted) if wanted else None
    reason = why_rebuild(venv, interpreter)
    if reason is None:
        say("keeping .venv, installing what changed")
    else:
        interpreter = interpreter or find_interpreter()
        say(f"{reason}: building it with Python {interpreter.number}")
        build(venv, interpreter)
    installed = probe(str(venv / "bin/python"))
    if installed is None:
        raise SetUpError(".venv/bin/python does not run; remove .venv and try again")
    pyproject = read_pyproject(root)
    torch = decide_torch(pyproject, venv, installed)
    say(torch.message)
    install(root, pip_arguments(pyproject, torch), advice=compiler_advice(installed))
    (venv / STAMP).write_text(stamp_text(root), encoding="utf-8")
    say(f"ready after {time.monotonic() - start:.0f} s")


def why_rebuild(venv: Path, wanted: Interpreter | None) -> str | None:
    """Why ``.venv`` has to be built anew; ``None`` when it can be kept."""
    if not os.path.lexists(venv):
        return "there is no .venv"
    found = probe(str(venv / "bin/python"))
    if found is None:
        return "the interpreter of .venv does not run"
    if found.version[:2] not in SUPPORTED:
        return f".venv has Python {found.number}"
    if wanted is not None and not is_built_with(venv, wanted):
        return ".venv has another interpreter"
    try:
        with (venv / "bin/pip").open("rb") as script:
            return None if os.fsencode(venv) in script.read(512) else ".venv was moved"
    except OSError:
        return ".venv has no pip"


def build(venv: Path, interpreter: Interpreter) -> None:
    """An empty ``.venv`` in place of whatever is there."""
    if venv.is_symlink() or venv.is_file():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)
    if subprocess.run([interpreter.executable, "-m", "venv", venv], check=False).returncode:
        raise SetUpError(f"{interpreter.executable} -m venv failed; see above")


def read_pyproject(root: Path) -> dict[str, Any]:
    """The project's ``pyproject.toml``."""
    import tomllib

    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def decide_torch(pyproject: Mapping[str, Any], venv: Path, interpreter: Interpreter) -> TorchChoice:
    """What to do about torch, and the packages of codecs on top of it, on this machine."""
    extras = pyproject["project"]["optional-dependencies"]
    upon_torch = [
        line
        for extra in UPON_TORCH
        for line in extras.get(extra, ())
        if not line.startswith("synbench[")
    ]
    requirements = [*extras["torch"], *upon_torch]
    if has_nvidia_device():
        return choose_torch(requirements, device=True, wheels=[])
    pip = [str(venv / "bin/python"), "-m", "pip"]
    config = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    wheels = kept_wheels(
        kept_folders(config.stdout), requirement=requirements[0], python=interpreter.version[:2]
    )
    check = [*pip, "install", "--dry-run", "--no-deps", "--no-index"]  # asks pip for the platform
    fitting = [
        wheel
        for wheel in wheels
        if not subprocess.run([*check, wheel], capture_output=True, check=False).returncode
    ]
    return choose_torch(requirements, device=False, wheels=fitting)


def pip_arguments(pyproject: Mapping[str, Any], torch: TorchChoice) -> list[str]:
    """What one call of pip installs: synbench itself in place, its extras and the tools."""
    own = pyproject["project"]["name"] + "["
    group = pyproject["dependency-groups"]["dev"]
    extras = [
        extra.strip()
        for requirement in group
        if requirement.startswith(own)
        for extra in requirement.removeprefix(own).rstrip("]").split(",")
    ]
    tools = [requirement for requirement in group if not requirement.startswith(own)]
    return ["-e", f".[{','.join([*extras, *torch.extras])}]", *tools, *torch.requirements]


def install(root: Path, arguments: Sequence[str], *, advice: str | None) -> None:
    """Call pip once, quiet unless it fails."""
    if advice:
        say(f"note: {advice}")
    say("installing synbench and its tools with pip (about a minute)")
    pip = [str(root / ".venv/bin/python"), "-m", "pip", "install", "--no-input", "-qq"]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if subprocess.run([*pip, *arguments], cwd=root, env=environment, check=False).returncode:
        hint = f"; {advice}" if advice else ""
        raise SetUpError(f"pip could not install everything, see above{hint}")


def compiler_advice(interpreter: Interpreter) -> str | None:
    """What is missing to build pesq and libsvm from source; ``None`` when nothing is."""
    missing = []
    compiler = os.environ.get("CC", "").split() or [interpreter.compiler]
    if shutil.which(compiler[0]) is None:
        missing.append(f"a C compiler ({compiler[0]})")
    elif shutil.which("c++") is None and shutil.which("g++") is None:
        missing.append("a C++ compiler (c++)")
    if not interpreter.headers:
        missing.append("the headers of Python (Python.h)")
    if not missing:
        return None
    return (
        f"{' and '.join(missing)} not found, which pesq and libsvm need to build "
        "(on Debian: apt-get install build-essential python3-dev)"
    )


def say(line: str) -> None:
    """Print one line at once."""
    print(f"set-up: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
