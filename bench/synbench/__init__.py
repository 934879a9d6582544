"""Compare speech codecs from Python: score sounds, code them, run suites, open results.

>>> import numpy, synbench
>>> speech = numpy.sin(numpy.arange(48000) / 7) * numpy.hanning(48000)
>>> synbench.score("si_sdr", reference=speech, degraded=speech.round(2), sample_rate=48000) > 30
True

``score``   a metric, or several, of two sounds
``codec``   a codec by name, for arrays, lists, tensors and files
``run``     a suite: codecs, corpora and metrics; what is done already is not done again
``open``    a finished run, as tables and figures

Each is imported when it is used, so that ``import synbench`` costs nothing. Whatever goes wrong on
purpose is a :class:`synbench.SynbenchError`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synbench.coding import codec
    from synbench.errors import SynbenchError
    from synbench.results.opened import open_run as open  # noqa: A004 - a run is opened
    from synbench.running import run
    from synbench.scoring import score

    __version__: str

_LAZY_ATTRIBUTES = {
    "SynbenchError": "synbench.errors:SynbenchError",
    "codec": "synbench.coding:codec",
    "open": "synbench.results.opened:open_run",
    "run": "synbench.running:run",
    "score": "synbench.scoring:score",
}

__all__ = ["SynbenchError", "__version__", "codec", "open", "run", "score"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("synbench")
    elif name in _LAZY_ATTRIBUTES:
        module, _, attribute = _LAZY_ATTRIBUTES[name].partition(":")
        value = getattr(importlib.import_module(module), attribute)
    else:
        from synbench_base.close_names import suggestion

        raise AttributeError(f"module 'synbench' has no {name!r}; {suggestion(name, __all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
