"""Whether the fields of a dataclass hold what their annotations say: a manifest is foreign text."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any

__all__ = ["check_types"]


def check_types(record: Any) -> None:
    """Refuse a dataclass, and those inside it, with a value of another type than annotated.

    Whole numbers may stand for floats; no float may be infinite or no number.

    Raises:
        TypeError: the field, what was expected and what came.
    """
    for name, wanted in _annotations(type(record)).items():
        value = getattr(record, name)
        if not _fits(value, wanted):
            raise TypeError(f"{name}: expected {_in_words(wanted)}, got {value!r:.60}")


def _annotations(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _fits(value: Any, wanted: Any) -> bool:
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner if isinstance(value, str) else False
    if origin in (tuple, frozenset):
        return isinstance(value, origin) and all(_fits(one, inner[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, inner[0]) and _fits(one, inner[1]) for key, one in value.items()
        )
    if wanted is float:
        return type(value) in (int, float) and math.isfinite(value)
    if wanted in (int, bool):
        return type(value) is wanted and abs(value) < 2**63
    if dataclasses.is_dataclass(wanted) and isinstance(value, typing.cast(type, wanted)):
        check_types(value)
    return isinstance(value, wanted)


def _in_words(wanted: Any) -> str:
    return getattr(wanted, "__name__", str(wanted))
