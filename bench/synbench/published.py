"""What of a path may be read by others: what lies in a run folder, a report or a table travels.

A double-blind supplement must not name its author, and home folders do. Paths are stored relative
to the suite or the corpus where that leads through nobody's home folder, and else by their last
part; messages lose the folders that they name.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synbench_codecs import format_spec, parse_spec, published_spec
from synbench_codecs._published import PATH_OPTIONS

FOLDERS = re.compile(r"(?<![\w./])(?:~\w*)?/(?:[^\s/:'\"]+/)+|(?<![\w./])~\w*/")
# What systems call the folder of home folders.
HOMES = frozenset({"home", "homes", "Users"})

__all__ = [
    "common_folder",
    "leads_home",
    "published_entry",
    "published_path",
    "relative_spec",
    "user_names",
    "without_folders",
]


def without_folders(text: str, *folders: str) -> str:
    """A message that names files without the folders of this machine.

    Args:
        folders: what is known to be named, for names with spaces.
    """
    for folder in folders:
        text = text.replace(f"{folder.rstrip('/')}/", "")
    return FOLDERS.sub("", text)


def leads_home(path: Path, base: Path) -> bool:
    """Whether the relative path from ``base`` names a user: it leads into a home folder."""
    common = Path(os.path.commonpath([path, base]))
    named = path.relative_to(common).parts
    return bool(_users(path) & set(named))


def user_names() -> set[str]:
    """Names of the user of this machine."""
    own = {os.environ.get(name, "") for name in ("USER", "LOGNAME")}
    own.add(Path(os.path.expanduser("~")).name)  # noqa: PTH111 - there may be none
    return own - {"", "~"}


def _users(path: Path) -> set[str]:
    """Names of users that a path may hold: this one's, and whose homes it lies in."""
    parts = path.parts
    homes = {after for part, after in itertools.pairwise(parts) if part in HOMES}
    return (homes | user_names()) - {"", "~"}


def published_path(path: str | Path, base: Path) -> str:
    """A path relative to ``base``; its last part where the way would name somebody's home."""
    absolute, folder = Path(path).absolute(), base.absolute()
    if leads_home(absolute, folder):
        return absolute.name
    return Path(os.path.relpath(absolute, folder)).as_posix()


def common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that holds all the files; that of the first where there is no such."""
    folders = [str(path.absolute().parent) for path in paths]
    try:
        return Path(os.path.commonpath(folders)) if folders else Path()
    except ValueError:
        return Path(folders[0])


def published_entry(name: str, options: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Options of a suite's codec or corpus as others may read them."""
    single = published_spec(format_spec(name, dict(options)))
    shown: dict[str, Any] = dict(parse_spec(single)[1])
    for key in PATH_OPTIONS & options.keys():
        if isinstance(options[key], str) and "/" in options[key]:
            shown[key] = published_path(options[key], base)
    return shown


def relative_spec(spec: str, base: Path) -> str:
    """A spec with its paths relative to ``base``, as far as others may read them."""
    name, options = parse_spec(spec)
    return format_spec(name, published_entry(name, options, base))
