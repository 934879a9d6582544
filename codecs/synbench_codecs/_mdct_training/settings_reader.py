"""From what YAML holds to a frozen dataclass, with errors that name the key and the close ones."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal

from synbench_base.close_names import suggestion
from synbench_codecs.errors import UsageError

__all__ = ["build"]


def build(record: Any, kind: Any, where: str) -> Any:
    """An instance of the dataclass ``kind``.

    Raises:
        UsageError: not a mapping, an unknown key, or a value of the wrong type.
    """
    if not isinstance(record, dict):
        raise UsageError(f"{where}: expected a mapping, got {record!r}")
    types_of = typing.get_type_hints(kind)
    values = {}
    for key, value in record.items():
        if key not in types_of:
            hint = suggestion(str(key), types_of, f"it has: {', '.join(types_of)}")
            raise UsageError(f"{where}: unknown key {key!r}; {hint}")
        values[key] = _value(value, types_of[key], f"{where}: {key}")
    return kind(**values)


def _value(value: Any, kind: Any, where: str) -> Any:
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = typing.get_args(kind)[0]
    if dataclasses.is_dataclass(kind):
        return build(value, kind, where)
    if typing.get_origin(kind) is Literal:
        # YAML reads a bare `no` as false.
        value = "no" if value is False else value
        if value not in typing.get_args(kind):
            listed = ", ".join(map(str, typing.get_args(kind)))
            raise UsageError(f"{where}: expected one of {listed}, got {value!r}")
        return value
    if typing.get_origin(kind) is tuple:
        of_one_kind = typing.get_args(kind)[-1] is Ellipsis
        if of_one_kind and isinstance(value, list) and value:
            return tuple(
                _value(one, typing.get_args(kind)[0], f"{where}[{index}]")
                for index, one in enumerate(value)
            )
        if of_one_kind:
            raise UsageError(f"{where}: expected a list, got {value!r}")
        if not isinstance(value, list) or len(value) != len(typing.get_args(kind)):
            raise UsageError(f"{where}: expected {len(typing.get_args(kind))} numbers")
        return tuple(float(one) for one in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value
