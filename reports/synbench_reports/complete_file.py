"""Writing a file of any size so that it appears under its name only when it is complete."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from synbench.errors import EnvironmentFault

__all__ = ["complete_file"]


@contextlib.contextmanager
def complete_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, renamed to ``path`` at the end; nothing is left after an error.

    Raises:
        EnvironmentFault: the folder is absent or read-only, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
