"""From what YAML holds to a frozen dataclass, with errors that name the key and the close ones."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal

from synbench_base.close_names import suggestion
from synbench_base.yaml_text import Key, YamlText
from synbench_codecs.errors import UsageError

__all__ = ["build"]


def build(text: YamlText, kind: Any) -> Any:
    """An instance of the dataclass ``kind``.

    Raises:
        UsageError: an unknown key, or a value of the wrong type; the message has its line.
    """
    return _Reader(text).mapping(text.content, kind, ())


@dataclasses.dataclass(frozen=True)
class _Reader:
    text: YamlText

    def refused(self, key: Key, problem: str) -> UsageError:
        """The error: file and line, the key as it leads there, what is wrong."""
        name = "".join(f"[{part}]" if isinstance(part, int) else f": {part}" for part in key)
        return UsageError(f"{self.text.where(key)}{name}: {problem}")

    def mapping(self, record: Any, kind: Any, key: Key) -> Any:
        if not isinstance(record, dict):
            raise self.refused(key, f"expected a mapping, got {record!r}")
        types_of = typing.get_type_hints(kind)
        values = {}
        for name, value in record.items():
            if name not in types_of:
                hint = suggestion(str(name), types_of, f"it has: {', '.join(types_of)}")
                raise self.refused(key, f"unknown key {name!r}; {hint}")
            values[name] = self.value(value, types_of[name], (*key, name))
        return kind(**values)

    def value(self, value: Any, kind: Any, key: Key) -> Any:
        if isinstance(kind, types.UnionType):
            if value is None:
                return None
            kind = typing.get_args(kind)[0]
        if dataclasses.is_dataclass(kind):
            return self.mapping(value, kind, key)
        if typing.get_origin(kind) is Literal:
            # YAML reads a bare `no` as false.
            value = "no" if value is False else value
            if value not in typing.get_args(kind):
                listed = ", ".join(map(str, typing.get_args(kind)))
                raise self.refused(key, f"expected one of {listed}, got {value!r}")
            return value
        if typing.get_origin(kind) is tuple:
            return self.sequence(value, typing.get_args(kind), key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.refused(key, f"expected {kind.__name__}, got {value!r}")
        return value

    def sequence(self, values: Any, kinds: tuple[Any, ...], key: Key) -> tuple[Any, ...]:
        if kinds[-1] is Ellipsis:
            if not isinstance(values, list) or not values:
                raise self.refused(key, f"expected a list, got {values!r}")
            return tuple(
                self.value(one, kinds[0], (*key, index)) for index, one in enumerate(values)
            )
        if not isinstance(values, list) or len(values) != len(kinds):
            raise self.refused(key, f"expected {len(kinds)} numbers")
        return tuple(float(one) for one in values)
