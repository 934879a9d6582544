"""Codecs by name: every module of this package and every installed entry point.

A built-in codec is a file of this package that defines ``CODECS``, a mapping from name to class.
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

import yaml

import synbench_codecs
from synbench_codecs._interface import Codec, CodecInfo, Options, Recording
from synbench_codecs.errors import Unavailable, UsageError

ENTRY_POINT_GROUP = "synbench.codecs"

__all__ = [
    "ENTRY_POINT_GROUP",
    "codec_class",
    "describe",
    "format_spec",
    "load",
    "names",
    "parse_spec",
]


@functools.cache
def _builtin() -> dict[str, type[Any] | str]:
    """Name to class, or to the reason why its module could not be imported."""
    found: dict[str, type[Any] | str] = {}
    for module in pkgutil.iter_modules(synbench_codecs.__path__):
        if module.name.startswith("_") or module.name == "errors":
            continue
        try:
            loaded = importlib.import_module(f"synbench_codecs.{module.name}")
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


def parse_spec(spec: str) -> tuple[str, Options]:
    """Split ``name:key=value,key=value`` into name and options.

    Values are read as YAML scalars, so ``6000`` is a number and ``true`` a boolean; quote a value
    that contains a comma.

    Raises:
        UsageError: an option has no ``=`` or a value is no scalar.
    """
    name, _, rest = spec.partition(":")
    if not rest:
        return name.strip(), {}
    options: Options = {}
    for part in _split_outside_quotes(rest):
        key, equals, text = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"expected {name}:option=value,..., got {part!r} in {spec!r}")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"cannot read the value of {key.strip()!r} in {spec!r}") from error
        if not isinstance(value, str | int | float | bool):
            raise UsageError(f"expected a number, a word or true/false for {key!r}, got {text!r}")
        options[key.strip()] = value
    return name.strip(), options


def _split_outside_quotes(text: str) -> list[str]:
    parts, quote, start = [], "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == ",":
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def format_spec(name: str, options: Options) -> str:
    """The one spelling of a codec with its options; :func:`parse_spec` reads it back."""
    if not options:
        return name
    return f"{name}:" + ",".join(f"{key}={_scalar(options[key])}" for key in sorted(options))


def _scalar(value: str | int | float | bool) -> str:
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if isinstance(value, float):
        return _float(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_plain(value: str) -> bool:
    """Whether a word means itself without quotes, to YAML and to the splitting at commas."""
    if not value or value.strip() != value or set(value) & set(",\"'#"):
        return False
    try:
        return bool(yaml.safe_load(value) == value)
    except yaml.YAMLError:
        return False


def _quoted(value: str) -> str:
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    # Line ends and the like survive only as escapes; so does the quote, to keep splitting simple.
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    plain = character.isprintable() and character not in '"\\'
    return character if plain else f"\\U{ord(character):08x}"


def _float(value: float) -> str:
    """YAML reads ``1e-05`` and ``inf`` as words: it wants ``1.0e-05`` and ``.inf``."""
    text = repr(value)
    if text.strip("-") in ("inf", "nan"):
        return text.replace("inf", ".inf").replace("nan", ".nan")
    mantissa, exponent, power = text.partition("e")
    return text if "." in mantissa else f"{mantissa}.0{exponent}{power}"


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
        from synbench_codecs._torch import import_extra

        options.pop("weights", None)
        with import_extra("torch", extra="torch").device("meta"):
            made: CodecInfo = loaded.untrained(**options).info
        return made
    return None
