"""The one spelling of a codec with its options: ``name:key=value,key=value``."""

from __future__ import annotations

import yaml

from synbench_codecs.errors import UsageError

Options = dict[str, str | int | float | bool]

__all__ = ["Options", "format_spec", "parse_spec"]


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
