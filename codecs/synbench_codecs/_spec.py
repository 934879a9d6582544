"""The one spelling of a codec with its options: ``name:key=value,key=value``.

A value is what was typed. It is read as a number or as true/false only where that loses nothing,
so ``6000`` is a number and ``007``, ``1.10``, ``no`` and ``my ref #1`` are text. What an option
means is decided by its annotation (:mod:`synbench_base.option_values`).
"""

from __future__ import annotations

import yaml

from synbench_base.option_values import Options, Scalar, as_written, written
from synbench_codecs.errors import UsageError

__all__ = ["Options", "format_spec", "parse_spec"]


def parse_spec(spec: str) -> tuple[str, Options]:
    """Split ``name:key=value,key=value`` into name and options.

    Quote a value that contains a comma, or that should be text although it looks like a number.

    Raises:
        UsageError: an option has no ``=`` or no value, or a quote does not end.
    """
    name, _, rest = spec.partition(":")
    if not rest:
        return name.strip(), {}
    options: Options = {}
    for part in _split_outside_quotes(rest):
        key, equals, text = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"expected {name}:option=value,..., got {part!r} in {spec!r}")
        options[key.strip()] = _value(key.strip(), text.strip(), spec)
    return name.strip(), options


def _value(key: str, text: str, spec: str) -> Scalar:
    if not text or text[0] in "[{":
        raise UsageError(
            f"expected a number, a word or true/false for {key!r}, got {text!r} in {spec!r}; "
            f"put a text that begins so into quotes"
        )
    if text[0] not in "\"'":
        return as_written(text)
    try:
        quoted = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"cannot read the value of {key!r} in {spec!r}") from error
    return str(quoted)


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


def _scalar(value: Scalar) -> str:
    return _quoted(value) if isinstance(value, str) and not _is_plain(value) else written(value)


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
