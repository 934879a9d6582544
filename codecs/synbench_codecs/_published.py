"""Specs as others may read them: of a path of this machine the last part alone.

Streams, tables, reports and manifests travel. Where somebody keeps weights and programs names the
somebody, and says nothing to anybody else: digests tell the files apart.
"""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import PurePath

from synbench_codecs._spec import Options, format_spec, parse_spec

# Options that are one path, which may hold spaces; other texts are read as commands.
PATH_OPTIONS = frozenset({"folder", "path", "python", "script", "weights"})
FOLDERS = re.compile(r"[^\s\"'=:,;|&<>()]*/")

__all__ = ["PATH_OPTIONS", "published_spec"]


@functools.lru_cache(maxsize=256)
def published_spec(spec: str) -> str:
    """The spec without folders: ``command:encoder='/home/me/enc {input}'`` names only ``enc``."""
    if "/" not in spec and "\\" not in spec:
        return spec
    name, options = parse_spec(spec)
    kept: Options = {
        key: _without_folders(key, value) if isinstance(value, str) else value
        for key, value in options.items()
    }
    return format_spec(name, kept)


def _without_folders(key: str, value: str) -> str:
    if "/" not in value and "\\" not in value:
        return value
    if key in PATH_OPTIONS:
        return PurePath(value).name or value.strip("/")
    try:
        parts = shlex.split(value)
    except ValueError:
        return FOLDERS.sub("", value)
    return " ".join(map(_short_part, parts))


def _short_part(part: str) -> str:
    """One word of a command: a path, or a script for a shell, which holds words of its own."""
    script = any(character.isspace() for character in part) and not part.startswith(("/", "~"))
    flag, equals, path = part.partition("=")
    if script or not equals or "/" in flag:
        short = FOLDERS.sub("", part) if script else part.rpartition("/")[2]
    else:
        short = f"{flag}={path.rpartition('/')[2]}"
    return shlex.quote(short) if re.search(r"[\s\"']", short) else short
