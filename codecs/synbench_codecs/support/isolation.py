"""A process of another Python interpreter that codes and decodes, kept alive between waves."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import Any

from synbench_codecs._spec import Options
from synbench_codecs.errors import SynbenchError, Unavailable
from synbench_codecs.support.child_process import end_group, last_lines

WORKER = Path(__file__).with_name("isolated_worker.py")
START_SECONDS = 120.0
# These belong to this interpreter and would lead the other one to this one's packages.
OWN_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")

__all__ = ["Isolated"]


class Isolated:
    """Another interpreter that has loaded a script; it ends with this object or this process.

    Args:
        python: path of the interpreter, as a rule ``VENV/bin/python``.
        script: path of the script with the codec.
        settings: what the script's function ``configure`` is called with.
        seconds: how long one answer may take.

    Raises:
        Unavailable: there is no such interpreter or script, or it does not start.
    """

    def __init__(self, *, python: Path, script: Path, settings: Options, seconds: float) -> None:
        self._python, self._script, self._seconds = python, script, seconds
        for path, what in ((python, "interpreter"), (script, "script")):
            if not path.is_file():
                raise Unavailable(f"no such {what}: {path}; give its full path")
        # Open as long as the process lives, which `_end` sees to.
        self._errors = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="replace"
        )
        environment = {
            name: value for name, value in os.environ.items() if name not in OWN_VARIABLES
        }
        try:
            self._process = subprocess.Popen(
                # Not resolved: a virtual environment is told by the link that it was started by.
                [
                    str(python.absolute()),
                    "-u",
                    str(WORKER),
                    str(script.resolve()),
                    json.dumps(settings),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"{python} does not run: {error.strerror}") from error
        self.close = weakref.finalize(self, _end, self._process, self._errors)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], *, failure: type[SynbenchError]) -> dict[str, Any]:
        """One request, one answer.

        Raises:
            failure: the script raised, the process died, or it took too long.
        """
        line = self._exchange(json.dumps(request) + "\n", failure)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            # A process that closed its output is as good as dead: the next wave needs another.
            end_group(self._process)
            raise failure(f"{self._script.name} ended: {self._last_words()}") from None
        if "error" in answer:
            raise failure(f"{self._script.name}: {last_lines(str(answer['error']).encode())}")
        return answer

    def _exchange(self, line: str, failure: type[SynbenchError]) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(line)
            stdin.flush()
        except (OSError, ValueError):
            return ""
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            if not ready.select(self._seconds):
                end_group(self._process)
                self.close()
                raise failure(f"{self._script.name} took longer than {self._seconds:g} s")
        return stdout.readline()

    def _last_words(self) -> str:
        if self._errors.closed:
            return "it was stopped before"
        self._errors.seek(0)
        return last_lines(self._errors.read().encode())


def _end(process: subprocess.Popen[str], errors: Any) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        end_group(process)
    errors.close()
