"""Lists of Python as columns of Arrow, exactly, and without pandas.

Arrow's own conversion of lists imports pandas where that is installed: half a second of the start
of every worker and command. Here columns are made of their buffers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

Row = Mapping[str, Any]

__all__ = ["arrow_column", "arrow_table"]


def arrow_table(rows: Sequence[Row], schema: pyarrow.Schema) -> pyarrow.Table:
    """Rows as a table; a column that a row lacks is null in it.

    Raises:
        pyarrow.ArrowInvalid: a row has a column that the schema does not, or a value of another
            kind than its column.
    """
    import pyarrow

    names = set(schema.names)
    for row in rows:
        if not row.keys() <= names:
            others = ", ".join(sorted(row.keys() - names))
            raise pyarrow.ArrowInvalid(f"unexpected field: {others}")
    columns = [arrow_column([row.get(field.name) for row in rows], field.type) for field in schema]
    return pyarrow.Table.from_arrays(columns, schema=schema)


def arrow_column(values: Sequence[Any], kind: pyarrow.DataType) -> pyarrow.Array:
    """A column of one type: text, binary, bool or a number; ``None`` is null.

    Raises:
        pyarrow.ArrowInvalid: a value is of another kind.
    """
    import numpy as np
    import pyarrow

    present = [value is not None for value in values]
    valid = None if all(present) else pyarrow.py_buffer(np.packbits(present, bitorder="little"))
    try:
        if pyarrow.types.is_string(kind):
            buffers = _of_texts(values)
        elif pyarrow.types.is_binary(kind):
            buffers = _of_parts([value or b"" for value in values])
        else:
            buffers = [_of_numbers(values, kind)]
    except (TypeError, ValueError, OverflowError) as error:
        raise pyarrow.ArrowInvalid(f"expected values of type {kind}: {error}") from error
    return pyarrow.Array.from_buffers(kind, len(values), [valid, *buffers])


def _of_texts(values: Sequence[str | None]) -> list[pyarrow.Buffer]:
    texts = [value or "" for value in values]
    joined = "".join(texts)
    if joined.isascii():
        return _buffers(map(len, texts), joined.encode())
    return _of_parts([text.encode() for text in texts])


def _of_parts(parts: Sequence[bytes]) -> list[pyarrow.Buffer]:
    return _buffers(map(len, parts), b"".join(parts))


def _buffers(lengths: Iterable[int], content: bytes) -> list[pyarrow.Buffer]:
    import numpy as np
    import pyarrow

    offsets = np.cumsum([0, *lengths])
    if offsets[-1] >= 2**31:
        raise OverflowError("more than 2 GB in one column")
    return [pyarrow.py_buffer(offsets.astype(np.int32)), pyarrow.py_buffer(content)]


def _of_numbers(values: Sequence[Any], kind: pyarrow.DataType) -> pyarrow.Buffer:
    import numpy as np
    import pyarrow

    if pyarrow.types.is_boolean(kind):
        flags = np.array([False if value is None else value for value in values], dtype=object)
        if not all(isinstance(flag, bool | np.bool_) for flag in flags):
            raise TypeError("got something else")
        return pyarrow.py_buffer(np.packbits(flags.astype(bool), bitorder="little"))
    given = np.array([0 if value is None else value for value in values])
    whole = pyarrow.types.is_integer(kind)
    if given.size and given.dtype.kind not in ("iu" if whole else "iuf"):
        raise TypeError(f"got {given.dtype}")
    numbers = given.astype(kind.to_pandas_dtype())
    if whole and not np.array_equal(numbers, given):
        raise OverflowError("got a number that is too large")
    return pyarrow.py_buffer(numbers)
