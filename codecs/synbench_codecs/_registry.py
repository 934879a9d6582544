"""Codecs by name: every module of ``adapters`` and every installed entry point.

A built-in codec is a file of ``synbench_codecs/adapters`` that defines ``CODECS``,
a mapping from name to class.
Another package offers one through the entry-point group ``synbench.codecs``::

    [project.entry-points."synbench.codecs"]
    mycodec = "my_package.codec:MyCodec"

Nothing is imported before it is asked for, and a codec that fails to import makes only itself
unavailable.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import inspect
import pkgutil
from typing import Any

from synbench_codecs import adapters
from synbench_codecs._interface import Codec, CodecInfo, Recording
from synbench_codecs._spec import parse_spec
from synbench_codecs.errors import Unavailable, UsageError

ENTRY_POINT_GROUP = "synbench.codecs"

__all__ = [
    "ENTRY_POINT_GROUP",
    "codec_class",
    "describe",
    "load",
    "names",
]


@functools.cache
def _builtin() -> dict[str, type[Any] | str]:
    """Name to class, or to the reason why its module could not be imported."""
    found: dict[str, type[Any] | str] = {}
    for module in pkgutil.iter_modules(adapters.__path__):
        try:
            loaded = importlib.import_module(f"{adapters.__name__}.{module.name}")
        except Exception as error:  # noqa: BLE001 - one broken codec must not break the others
            found[module.name.replace("_", "-")] = f"{type(error).__name__}: {error}"
            continue
        found.update(getattr(loaded, "CODECS", {}))
    return found


@functools.cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}


def names() -> list[str]:
    """All known codec names, sorted."""
    return sorted({*_builtin(), *_entry_points()})


def codec_class(name: str) -> type[Any]:
    """The class behind a name.

    Raises:
        UsageError: no codec has this name; the message offers the close ones.
        Unavailable: the codec's module does not import.
    """
    if name in _builtin():
        found = _builtin()[name]
        if isinstance(found, str):
            raise Unavailable(f"codec {name!r} does not import: {found}")
        return found
    if name in _entry_points():
        try:
            loaded = _entry_points()[name].load()
        except Exception as error:
            raise Unavailable(f"codec {name!r} does not import: {error}") from error
        if not isinstance(loaded, type):
            raise Unavailable(f"entry point {name!r} must name a class, got {loaded!r}")
        return loaded
    close = difflib.get_close_matches(name, names())
    hint = f"did you mean {' or '.join(close)}?" if close else "see: synbench codecs"
    raise UsageError(f"unknown codec {name!r}; {hint}")


def load(spec: str, **more: str | int | float | bool) -> Codec | Recording:
    """Make the codec that ``spec`` names.

    Raises:
        UsageError: unknown codec, unknown option, or a value out of range.
        Unavailable: a package, library, program or weights file is absent.
    """
    name, options = parse_spec(spec)
    options.update(more)
    loaded = codec_class(name)
    known = {
        parameter.name: parameter
        for parameter in inspect.signature(loaded).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known)
            hint = f"did you mean {close[0]}?" if close else f"it has: {', '.join(known) or 'none'}"
            raise UsageError(f"codec {name!r} has no option {option!r}; {hint}")
    absent = [
        key
        for key, parameter in known.items()
        if parameter.default is inspect.Parameter.empty and key not in options
    ]
    if absent:
        raise UsageError(f"codec {name!r} needs {', '.join(absent)}: {name}:{absent[0]}=...")
    codec: Codec | Recording = loaded(**options)
    return codec


def describe(spec: str) -> CodecInfo | None:
    """What is known of a codec whose weights are not here; ``None`` where its class cannot say.

    A class says it by a class method ``described``, which takes the options of its constructor, or
    by ``untrained``, which makes the codec with random weights.
    """
    name, options = parse_spec(spec)
    loaded = codec_class(name)
    if hasattr(loaded, "described"):
        info: CodecInfo = loaded.described(**options)
        return info
    if hasattr(loaded, "untrained"):
        from synbench_codecs.support.torch_models import import_extra

        options.pop("weights", None)
        with import_extra("torch", extra="torch").device("meta"):
            made: CodecInfo = loaded.untrained(**options).info
        return made
    return None
