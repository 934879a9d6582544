"""Set up ``.venv`` with synbench, or notice within milliseconds that it is there.

Run by ``make``; needs the standard library of Python 3.11 or later only. ``--level demo`` installs
what a user needs, ``--level tests`` the tools of development too. The stamp is written last, so
that a set-up that failed or was interrupted is repaired by running it again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from installer import Installer, find_uv, pip_settings
from interpreters import SUPPORTED_VERSIONS, Interpreter, SetUpError, find_interpreter, probe
from torch_choice import (
    UPON_TORCH,
    TorchChoice,
    choose_torch,
    has_nvidia_device,
    kept_folders,
    kept_wheels,
    package_name,
    reaches_cpu_index,
    torch_later,
)
from wanted_packages import LEVELS, SOURCES, Wanted, wanted_packages

ROOT = Path(__file__).resolve().parent.parent
STAMP = "synbench-set-up"
READ_FILES = (
    "pyproject.toml",
    "tools/compiler_flags.py",
    "tools/installer.py",
    "tools/interpreters.py",
    "tools/setup_environment.py",
    "tools/torch_choice.py",
    "tools/wanted_packages.py",
)
WITHOUT_NETWORK = (
    "behind a mirror: PIP_INDEX_URL=ADDRESS after the same command; without a network: make wheels "
    "on a machine that has one, then here PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER after the same "
    "command"
)


def main() -> int:
    """Set up, print one line per step, and return the exit code."""
    parser = argparse.ArgumentParser(description="Set up .venv for synbench.")
    parser.add_argument("--python", help="the interpreter to build .venv with")
    parser.add_argument("--again", action="store_true", help="install even when nothing changed")
    parser.add_argument("--level", choices=LEVELS, default="tests", help="what it is for")
    arguments = parser.parse_args()
    wanted, level = arguments.python, arguments.level
    try:
        if arguments.again or not is_current(ROOT, wanted, level=level):
            with locked(ROOT):
                if arguments.again or not is_current(ROOT, wanted, level=level):
                    set_up(ROOT, wanted, level=level)
    except SetUpError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; the same command repairs it", file=sys.stderr)
        return 130
    return 0


def is_current(root: Path, wanted: str | None = None, *, level: str = "tests") -> bool:
    """Whether ``.venv`` was set up from these very files, here, with an interpreter still there.

    One that was set up for a later level has all that an earlier one wants.
    """
    try:
        stamp = (root / ".venv" / STAMP).read_text(encoding="utf-8")
        enough = LEVELS[LEVELS.index(level) :]
        if stamp not in [stamp_text(root, level=one) for one in enough]:
            return False
    except OSError:
        return False
    return wanted is None or is_built_with(root / ".venv", find_interpreter(wanted))


def stamp_text(root: Path, *, level: str = "tests") -> str:
    """Everything that a set-up depends on: place, interpreter, level, and the files it reads."""
    python = (root / ".venv/bin/python").resolve()
    status = python.stat()
    digest = hashlib.sha256(b"".join((root / name).read_bytes() for name in READ_FILES))
    return (
        f"place {root}\n"
        f"python {python} {status.st_size} {status.st_mtime_ns}\n"
        f"files {digest.hexdigest()}\n"
        f"level {level}\n"
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


def set_up(root: Path, wanted: str | None, *, level: str = "tests") -> None:
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
    installer = Installer(venv / "bin/python", uv=find_uv(), root=root)
    torch = decide_torch(pyproject, installer, installed, level=level)
    say(torch.message)
    install(installer, wanted_packages(pyproject, torch, level=level), installed)
    (venv / STAMP).write_text(stamp_text(root, level=level), encoding="utf-8")
    say(f"ready after {time.monotonic() - start:.0f} s")


def why_rebuild(venv: Path, wanted: Interpreter | None) -> str | None:
    """Why ``.venv`` has to be built anew; ``None`` when it can be kept."""
    if not os.path.lexists(venv):
        return "there is no .venv"
    interpreter = probe(str(venv / "bin/python"))
    if interpreter is None:
        return "the interpreter of .venv does not run"
    if interpreter.version[:2] not in SUPPORTED_VERSIONS:
        return f".venv has Python {interpreter.number}"
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
    uv = find_uv()
    if uv:
        seeded = [uv, "venv", "--quiet", "--seed", "--python", str(interpreter.executable)]
        if not subprocess.run([*seeded, str(venv)], check=False).returncode:
            return
    if subprocess.run([interpreter.executable, "-m", "venv", venv], check=False).returncode:
        raise SetUpError(f"{interpreter.executable} -m venv failed; see above")


def read_pyproject(root: Path) -> dict[str, Any]:
    """The project's ``pyproject.toml``."""
    import tomllib

    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def decide_torch(
    pyproject: Mapping[str, Any], installer: Installer, interpreter: Interpreter, *, level: str
) -> TorchChoice:
    """What to do about torch, and the packages of codecs on top of it, on this machine."""
    if level == "demo":
        return torch_later()
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
    config = installer.config()
    wheels = kept_wheels(
        kept_folders(config), requirement=requirements[0], python=interpreter.version[:2]
    )
    check = [
        *installer.pip,
        "install",
        "--dry-run",
        "--no-deps",
        "--no-index",
    ]  # fits the platform?
    fitting = [
        wheel
        for wheel in wheels
        if not subprocess.run([*check, wheel], capture_output=True, check=False).returncode
    ]
    reached = not fitting and not pip_settings(config).get("no-index") and reaches_cpu_index()
    return choose_torch(requirements, device=False, wheels=fitting, cpu_index=reached)


def install(installer: Installer, wanted: Wanted, interpreter: Interpreter) -> None:
    """Install everything; what some parts need and cannot be had is said, and left out.

    Raises:
        SetUpError: what everything needs cannot be had.
    """
    say(
        f"installing {len(wanted.optional) + len(wanted.needed)} packages and what they need "
        f"with {'uv' if installer.uv else 'pip'}"
    )
    advice = compiler_advice(interpreter)
    with tempfile.TemporaryDirectory() as folder:
        building = (
            {}
            if advice
            else {
                one: installer.build(one, Path(folder), compiler=interpreter.compiler)
                for one in wanted.sources
            }
        )
        try:
            absent = install_wheels(installer, wanted)
        except BaseException:
            for process in building.values():
                process.kill()
            raise
        for process in building.values():
            process.wait()
        built = [str(path) for path in sorted(Path(folder).glob("*.whl"))]
        if wanted.alone:
            installer.install(["--no-deps", *wanted.alone])
        if built:
            # The same version may be there, built otherwise.
            installer.install(["--no-deps", "--force-reinstall", *built])
        missing = [one for one in wanted.sources if not is_built(one, built)]
    for requirement in missing:
        name = package_name(requirement)
        serves, instead = SOURCES[name]
        # Wheels that another machine has built may be there, whatever is missing here.
        if installer.install(["--no-deps", "--only-binary=:all:", requirement], quiet=True):
            continue
        if instead and installer.install([instead], quiet=True):
            say(f"{name}: not built here, {instead.partition('==')[0]} in its place")
        else:
            why = advice or "it did not build"
            say(f"{name}: left out, and with it {serves}: {why}")
    for requirement in absent:
        say(f"{requirement}: could not be installed; synbench doctor says what it is for")


def install_wheels(installer: Installer, wanted: Wanted) -> list[str]:
    """Install what comes as wheels; which of the optional packages could not be had."""
    if installer.install([*wanted.options, *wanted.needed, *wanted.optional]):
        return []
    say("not everything is available: first what all need, then one by one")
    if not installer.install(wanted.needed):
        raise SetUpError(f"pip could not install what is needed, see above; {WITHOUT_NETWORK}")
    return [one for one in wanted.optional if not installer.install([*wanted.options, one])]


def is_built(requirement: str, wheels: Sequence[str]) -> bool:
    """Whether a wheel of this package is among the files."""
    stem = package_name(requirement).replace("-", "_")
    return any(Path(wheel).name.lower().startswith(f"{stem}-") for wheel in wheels)


def compiler_advice(interpreter: Interpreter) -> str | None:
    """What is missing to build source packages; ``None`` when nothing is."""
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
        f"{' and '.join(missing)} not found, which they need to build "
        "(on Debian: apt-get install build-essential python3-dev; then: make setup)"
    )


def say(line: str) -> None:
    """Print one line at once."""
    print(f"set-up: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
