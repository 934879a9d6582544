"""Values of options: what was typed, read as numbers only where that loses nothing.

``6000`` is a number; ``007``, ``1.10``, ``no`` and ``2024-01-01`` are text, since a folder may be
called so. What an option means is decided by its annotation: an option that is text stays text.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

Scalar = str | int | float | bool
Options = dict[str, Scalar]

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
REAL_NUMBER = re.compile(
    r"[+-]?([0-9]+(_[0-9]+)*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?\.inf|\.nan"
)
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

__all__ = ["Options", "Scalar", "as_written", "typed_options", "written"]


def as_written(text: str) -> Scalar:
    """A number or truth value where its own spelling is the text, else the text."""
    if text in ("true", "false"):
        return text == "true"
    # Python refuses to convert longer ones; they are no numbers that anybody means.
    if len(text) > 1000 or not REAL_NUMBER.fullmatch(text):
        return text
    number = int(text) if WHOLE_NUMBER.fullmatch(text) else _real(text)
    return number if written(number) == text else text


def _real(text: str) -> float:
    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))


def typed_options(options: Options, parameters: Mapping[str, inspect.Parameter]) -> Options:
    """The options as the annotations of their parameters want them.

    An option annotated as text gets what was typed, ``2024`` as well as ``no``. Of a number or
    truth value any usual spelling is understood (``1e-5``, ``007``, ``yes``). What does not fit is
    passed on as it is: whoever takes the option refuses it and says what is allowed.
    """
    return {
        key: _typed(value, _kinds(parameters[key])) if key in parameters else value
        for key, value in options.items()
    }


def _typed(value: Scalar, kinds: set[str]) -> Scalar:
    if kinds == {"str"}:
        return written(value)
    if not isinstance(value, str) or not kinds or "str" in kinds:
        return value
    if "bool" in kinds and value.lower() in TRUTHS:
        return TRUTHS[value.lower()]
    if "int" in kinds and WHOLE_NUMBER.fullmatch(value):
        return int(value)
    if "float" in kinds and REAL_NUMBER.fullmatch(value):
        return _real(value)
    return value


def _kinds(parameter: inspect.Parameter) -> set[str]:
    """Names of the scalar types that a parameter takes; none where nothing tells."""
    if parameter.annotation is parameter.empty:
        default = parameter.default
        return {type(default).__name__} if isinstance(default, Scalar) else set()
    annotation = parameter.annotation
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    kinds = set(re.findall(r"\b(str|int|float|bool)\b", text))
    return kinds or ({"str"} if re.search(r"\bPath\b|['\"]", text) else set())


def written(value: Scalar) -> str:
    """The one spelling of a value, without quotes: what had to be typed for it."""
    if isinstance(value, float):
        return _float(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _float(value: float) -> str:
    """YAML reads ``1e-05`` and ``inf`` as words: it wants ``1.0e-05`` and ``.inf``."""
    text = repr(value)
    if text.strip("-") in ("inf", "nan"):
        return text.replace("inf", ".inf").replace("nan", ".nan")
    mantissa, exponent, power = text.partition("e")
    return text if "." in mantissa else f"{mantissa}.0{exponent}{power}"
