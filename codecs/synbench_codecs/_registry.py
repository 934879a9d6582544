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

from typing import Any

from synbench_base.option_values import typed_options
from synbench_base.packages import import_extra
from synbench_base.registry import Registry, check_options, options_of
from synbench_codecs._interface import Codec, CodecInfo, Recording
from synbench_codecs._spec import parse_spec

ENTRY_POINT_GROUP = "synbench.codecs"

__all__ = [
    "ENTRY_POINT_GROUP",
    "codec_class",
    "describe",
    "load",
    "names",
]


def _accepts(loaded: Any) -> type[Any]:
    if not isinstance(loaded, type):
        raise TypeError("a class")
    return loaded


registry: Registry[type[Any]] = Registry(
    "codec",
    package="synbench_codecs.adapters",
    content=lambda module: getattr(module, "CODECS", {}),
    group=ENTRY_POINT_GROUP,
    accepts=_accepts,
    otherwise=lambda name: "see: synbench codecs",
)


def names() -> list[str]:
    """All known codec names, sorted."""
    return registry.names()


def codec_class(name: str) -> type[Any]:
    """The class behind a name.

    Raises:
        UsageError: no codec has this name; the message offers the close ones.
        Unavailable: the codec's module does not import.
    """
    return registry.get(name)


def load(spec: str, **more: str | int | float | bool) -> Codec | Recording:
    """Make the codec that ``spec`` names.

    Raises:
        UsageError: unknown codec, unknown option, or a value out of range.
        Unavailable: a package, library, program or weights file is absent.
    """
    name, options = parse_spec(spec)
    options.update(more)
    loaded = codec_class(name)
    known = options_of(loaded)
    check_options("codec", name, known, options)
    codec: Codec | Recording = loaded(**typed_options(options, known))
    return codec


def describe(spec: str) -> CodecInfo | None:
    """What is known of a codec whose weights are not here; ``None`` where its class cannot say.

    A class says it by a class method ``described``, which takes the options of its constructor, or
    by ``untrained``, which makes the codec with random weights.
    """
    name, options = parse_spec(spec)
    loaded = codec_class(name)
    options = typed_options(options, options_of(loaded))
    if hasattr(loaded, "described"):
        info: CodecInfo = loaded.described(**options)
        return info
    if hasattr(loaded, "untrained"):
        options.pop("weights", None)
        with import_extra("torch", extra="torch").device("meta"):
            made: CodecInfo = loaded.untrained(**options).info
        return made
    return None
