"""Call pip, or uv where it is there, and show what is being installed.

uv does in seconds what takes pip a minute. It reads none of pip's configuration, so mirrors, wheel
folders, constraints and certificates are handed over to it; what it cannot do, pip does.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compiler_flags import build_variables
from torch_choice import package_name

# What pip and uv print when they turn to another package.
TURNS = (
    (re.compile(r"^\s*Collecting ([A-Za-z0-9._-]+)"), "finding"),
    (re.compile(r"^\s*Downloading ([A-Za-z0-9]+(?:[._-][A-Za-z]\w*)*)"), "downloading"),
    (re.compile(r"^\s*(?:Building wheel for|Building) ([A-Za-z0-9._-]+)"), "building"),
    (re.compile(r"^\s*Installing collected packages: (.*)"), "unpacking"),
    (re.compile(r"^\s*(?:Resolved|Prepared) (\d+ packages)"), "found"),
)
SHOWN_CHARACTERS = 60
# Where the output is kept in a file, a line now and then is enough.
SECONDS_BETWEEN_LINES, LONGEST_SILENCE = 10.0, 60.0
SHOWN_LINES_OF_FAILURE = 25
# pip's setting -> uv's variable, and what stands between several values.
UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "constraint": ("UV_CONSTRAINT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "no-index": ("UV_NO_INDEX", " "),
}


class Installer:
    """Installs into one virtual environment."""

    def __init__(self, python: Path, *, uv: str | None, root: Path) -> None:
        self.pip = [str(python), "-m", "pip"]
        self.uv = uv
        self.python = python
        self.root = root
        # The modules that are used are compiled when they are used.
        self.environment = {
            **os.environ,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_COMPILE": "1",
            "PIP_NO_INPUT": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def config(self) -> str:
        """What pip is told by files and variables, as ``pip config list`` prints it."""
        done = subprocess.run(
            [*self.pip, "config", "list"], capture_output=True, text=True, check=False
        )
        return done.stdout

    def install(self, arguments: Sequence[str], *, quiet: bool = False) -> bool:
        """Install requirements, wheels before sources; whether all went well.

        Args:
            quiet: say nothing of a failure, since there is another way.
        """
        if self.uv:
            command = [self.uv, "pip", "install", "--python", str(self.python)]
            command += ["--index-strategy", "unsafe-best-match"]
            if _shown(
                [*command, *arguments], self.root, self._for_uv(), instead="" if quiet else "pip"
            ):
                return True
        command = [*self.pip, "install", "--prefer-binary"]
        return _shown(
            [*command, *arguments], self.root, self.environment, instead="" if quiet else None
        )

    def build(
        self, requirement: str, folder: Path, *, compiler: str = "cc"
    ) -> subprocess.Popen[bytes]:
        """Start building the wheel of a source package, beside whatever else is being done."""
        command = [*self.pip, "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder)]
        variables = build_variables(package_name(requirement), compiler=compiler)
        if variables:
            # pip keeps wheels that it has built, and does not know with which flags.
            command.append("--no-cache-dir")
        return subprocess.Popen(
            [*command, requirement],
            cwd=self.root,
            env=self.environment | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _for_uv(self) -> dict[str, str]:
        return {**uv_variables(self.config()), **self.environment}


def find_uv() -> str | None:
    """uv on the search path, unless ``SYNBENCH_SETUP_PIP`` asks for pip."""
    return None if os.environ.get("SYNBENCH_SETUP_PIP") else shutil.which("uv")


def pip_settings(config: str) -> dict[str, list[str]]:
    """Setting to values, from what ``pip config list`` printed of installations."""
    settings: dict[str, list[str]] = {}
    for line in config.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in (":env:", "global", "install") and value:
            settings.setdefault(name, []).extend(str(ast.literal_eval(value)).split())
    return {name: list(dict.fromkeys(values)) for name, values in settings.items()}


def uv_variables(config: str) -> dict[str, str]:
    """pip's settings as variables of uv."""
    settings = pip_settings(config)
    return {
        variable: between.join(
            settings[name] if between == "," or _many(name) else settings[name][:1]
        )
        for name, (variable, between) in UV_VARIABLES.items()
        if settings.get(name)
    }


def _many(name: str) -> bool:
    return name in ("extra-index-url", "constraint")


def _shown(
    command: Sequence[str],
    root: Path,
    environment: Mapping[str, str],
    *,
    instead: str | None = None,
) -> bool:
    """Run a command, say what it is at, and on a failure its last lines.

    Args:
        instead: what does it then, of which one line is said; empty where nothing is to be said.
    """
    said: list[str] = []
    progress = _Progress()
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            progress.hear(line)
    progress.end()
    if process.returncode and instead:
        why = next((line.strip() for line in reversed(said) if line.strip()), "no reason given")
        print(f"set-up: uv could not, {instead} goes on: {why}", flush=True)
    elif process.returncode and instead is None:
        sys.stderr.writelines(said[-SHOWN_LINES_OF_FAILURE:])
    return process.returncode == 0


class _Progress:
    """One line that changes in a terminal; elsewhere a line now and then, also in long silence."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.live = sys.stdout.isatty()
        self.what = ""
        self.over = threading.Event()
        self.teller = threading.Thread(target=self._tell, daemon=True)
        self.teller.start()

    def hear(self, line: str) -> None:
        for pattern, doing in TURNS:
            match = pattern.match(line)
            if match:
                packages = match[1].count(",") + 1
                self.what = f"{doing} {f'{packages} packages' if packages > 1 else match[1]}"
                return

    def _tell(self) -> None:
        said, silent = "", 0.0
        pause = 1.0 if self.live else SECONDS_BETWEEN_LINES
        while not self.over.wait(pause):
            silent += pause
            if not self.what or (said == self.what and silent < LONGEST_SILENCE and not self.live):
                continue
            said, silent = self.what, 0.0
            seconds = time.monotonic() - self.start
            text = f"set-up: {seconds:3.0f} s, {self.what[:SHOWN_CHARACTERS]}"
            print(
                f"\r\033[K{text}" if self.live else text,
                end="" if self.live else "\n",
                flush=True,
            )

    def end(self) -> None:
        self.over.set()
        self.teller.join()
        if self.live:
            print("\r\033[K", end="", flush=True)
