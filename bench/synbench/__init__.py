"""Corpora, suites, planning, running and storing comparisons of speech codecs.

``synbench.open(run)`` opens a run as pandas frames, see :mod:`synbench.results.opened`.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> "module:attribute"; imported at first use, so that `import synbench` stays light.
_FRONT_DOOR = {"open": "synbench.results.opened:open_run"}


def __getattr__(name: str) -> Any:
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _FRONT_DOOR[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return [*globals(), *_FRONT_DOOR]
