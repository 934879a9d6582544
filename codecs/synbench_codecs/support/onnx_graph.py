"""Writes ONNX models from Python calls, one for each operator; no other package is needed for it.

    graph = Graph("doubled")
    graph.give("y", graph.op("Mul", graph.take("x", 1, "channels", "frames"), 2.0))
    session = onnxruntime.InferenceSession(graph.to_bytes())

A value is a name inside the graph. Numbers and arrays become constants: floats float32, integers
int64. ``to_bytes`` gives the model in protobuf's encoding, as onnx.proto3 lays it out; the numbers
of the fields stand beside what they hold.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 8
OPSET = 17  # the first with layer normalisation
FLOAT, INT64 = 1, 7
# Kinds of attributes, and wire types of protobuf.
ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS = 1, 2, 3, 7
VARINT, BYTES, FIXED32 = 0, 2, 5

Value = str | float | int | NDArray[Any]
Attribute = float | int | str | Sequence[int]

__all__ = ["Graph"]


class Graph:
    """A model under construction; batch sizes and lengths stay open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def take(self, name: str, *shape: int | str) -> str:
        """An input of float32; a dimension with a name is open."""
        self._inputs.append(_value_info(name, shape))
        return name

    def give(self, name: str, value: str, *shape: int | str) -> None:
        """Make a value an output under this name."""
        self._nodes.append(_node("Identity", [value], [name], {}))
        self._outputs.append(_value_info(name, shape))

    def op(self, kind: str, *inputs: Value, outputs: int = 1, **attributes: Attribute) -> Any:
        """The value that an operator gives; a list of them where ``outputs`` is more than 1."""
        names = [self._named(one) for one in inputs]
        made = [self._fresh() for _ in range(outputs)]
        self._nodes.append(_node(kind, names, made, attributes))
        return made[0] if outputs == 1 else made

    def to_bytes(self) -> bytes:
        """The model, ready for a session."""
        graph = b"".join(
            [
                *(_field(1, node) for node in self._nodes),
                _field(2, self.name.encode()),
                *(_field(5, constant) for constant in self._constants),
                *(_field(11, one) for one in self._inputs),
                *(_field(12, one) for one in self._outputs),
            ]
        )
        opset = _field(1, b"") + _number(2, OPSET)
        return _number(1, IR_VERSION) + _field(2, b"synbench") + _field(7, graph) + _field(8, opset)

    def _fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _named(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        whole = array.dtype.kind in "iu"
        content = np.ascontiguousarray(array, np.int64 if whole else np.float32)
        name = self._fresh()
        self._constants.append(
            b"".join(_number(1, size) for size in array.shape)
            + _number(2, INT64 if whole else FLOAT)
            + _field(8, name.encode())
            + _field(9, content.tobytes())
        )
        return name


def _node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: dict[str, Attribute]
) -> bytes:
    return b"".join(
        [
            *(_field(1, name.encode()) for name in inputs),
            *(_field(2, name.encode()) for name in outputs),
            _field(4, kind.encode()),
            *(_field(5, _attribute(name, value)) for name, value in attributes.items()),
        ]
    )


def _attribute(name: str, value: Attribute) -> bytes:
    start = _field(1, name.encode())
    if isinstance(value, float):
        number = _tag(2, FIXED32) + struct.pack("<f", value)
        return start + number + _number(20, ATTRIBUTE_FLOAT)
    if isinstance(value, int):
        return start + _number(3, value) + _number(20, ATTRIBUTE_INT)
    if isinstance(value, str):
        return start + _field(4, value.encode()) + _number(20, ATTRIBUTE_STRING)
    return start + b"".join(_number(8, one) for one in value) + _number(20, ATTRIBUTE_INTS)


def _value_info(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode()))
        for size in shape
    )
    tensor = _number(1, FLOAT) + _field(2, sizes)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _tag(number, BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _tag(number, VARINT) + _varint(value)


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers in two's complement
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
