"""Which packages a set-up brings: for the demo what a user needs, for the tests the tools too.

Few packages come without wheels. They are built beside the installation of all others; where one
cannot be built, what it is for is said, and everything else works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch_choice import TorchChoice, package_name

LEVELS = ("demo", "tests")
GROUPS = {"demo": "demo", "tests": "dev"}
# Source packages: what is lost without them, and a package of wheels that holds the same module.
SOURCES = {
    "pesq": ("the columns pesq_wb and pesq_nb", ""),
    "pyworld": ("the columns on pitch and voicing", "pyworld-prebuilt==0.3.5.post2"),
    "libsvm-official": ("a comparison in the tests", ""),
}
# Only data files of these are read: what they would bring along is a package to compile.
ALONE = ("visqol-python",)


@dataclass(frozen=True)
class Wanted:
    """What is handed to pip, in the words of requirements.

    Attributes:
        needed: without these there is no set-up.
        optional: each of them serves some codecs, metrics or commands.
        alone: installed without what they ask for.
        sources: built here.
        options: of every call, such as a further index.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    alone: tuple[str, ...]
    sources: tuple[str, ...]
    options: tuple[str, ...] = ()


def wanted_packages(pyproject: Mapping[str, Any], torch: TorchChoice, *, level: str) -> Wanted:
    """The packages of a level: those of its dependency group, and torch as it was chosen."""
    own = pyproject["project"]["name"] + "["
    extras = pyproject["project"]["optional-dependencies"]
    group = pyproject["dependency-groups"][GROUPS[level]]
    named = [
        *(extra for line in group if line.startswith(own) for extra in _extras(line, own)),
        *torch.extras,
    ]
    optional = [*_expanded(named, extras, own), *torch.requirements]
    tools = [line for line in group if not line.startswith(own)]
    apart = {*SOURCES, *ALONE}
    return Wanted(
        needed=("-e", ".", *(one for one in tools if package_name(one) not in apart)),
        optional=tuple(one for one in optional if package_name(one) not in apart),
        alone=tuple(one for one in optional if package_name(one) in ALONE),
        sources=tuple(one for one in (*optional, *tools) if package_name(one) in SOURCES),
        options=torch.options,
    )


def _expanded(
    named: Sequence[str], extras: Mapping[str, Sequence[str]], own: str
) -> dict[str, None]:
    """The requirements of extras, each once, in order."""
    lines: dict[str, None] = {}
    for extra in named:
        for line in extras.get(extra, ()):
            inner = _extras(line, own) if line.startswith(own) else []
            lines |= _expanded(inner, extras, own) if inner else {line: None}
    return lines


def _extras(line: str, own: str) -> list[str]:
    """``synbench[one,two]`` -> one, two."""
    return [extra.strip() for extra in line.removeprefix(own).rstrip("]").split(",")]
