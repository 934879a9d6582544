"""Work that several columns or codecs share is done once: the last results of a function of waves.

A suite scores one reference against many codecs and by many columns, pair after pair. What depends
on the reference alone, or is common to two columns of one pair, is remembered by the functions
marked with :func:`remember`, in this process and for the last few calls.

A call is known again by its samples, compared bit by bit with copies of the earlier ones. So a wave
that was changed in place is another wave, equal waves in different arrays are the same, and a
remembered result is the one that the function would return: sharing cannot change a score.

Memory: a function keeps at most ``entries`` calls, and none whose waves take more than 16 MiB
together (131 s of a wave at 16 kHz); longer ones are computed anew each time.
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from synbench_base.long_wave import on_disk

LARGEST_ARGUMENT_BYTES = 16 * 2**20  # bytes

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

__all__ = ["forget", "remember", "remember_each"]

_all: list[Any] = []


def remember(
    *, entries: int
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Keep the results of the last calls of a function.

    The function takes positional arguments: float64 waves ``(samples,)`` and plain values. It gets
    read-only copies of the waves, and its result must not be changed by who receives it. A call
    that raises is not kept.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        kept: deque[tuple[tuple[Any, ...], Result]] = deque(maxlen=entries)
        _all.append(kept)

        @functools.wraps(function)
        def remembering(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            large = sum(getattr(each, "nbytes", 0) for each in arguments) > LARGEST_ARGUMENT_BYTES
            if large or any(map(on_disk, arguments)):
                return function(*arguments, **named)
            for known, result in tuple(kept):
                if all(map(_same, known, arguments)):
                    return result
            own: Any = tuple(map(_own, arguments))
            result = function(*own, **named)
            kept.append((own, result))
            return result

        return remembering

    return decorate


def remember_each(
    *, entries: int
) -> Callable[[Callable[[str, Any], Sequence[Result]]], Callable[[str, Any], list[Result]]]:
    """Keep the small results of many waves that a network took side by side.

    The function takes a name and waves ``(batch, samples)`` of one length and returns one result
    per wave. Waves are known again by a digest of their samples, and only the others reach it.
    """

    def decorate(
        function: Callable[[str, Any], Sequence[Result]],
    ) -> Callable[[str, Any], list[Result]]:
        kept: OrderedDict[tuple[str, bytes], Result] = OrderedDict()
        _all.append(kept)

        @functools.wraps(function)
        def remembering(name: str, waves: Any) -> list[Result]:
            keys = [(name, _digest(wave)) for wave in waves]
            known = {key: kept[key] for key in keys if key in kept}
            absent = {key: index for index, key in enumerate(keys) if key not in known}
            if absent:
                results = function(name, waves[list(absent.values())])
                known.update(zip(absent, results, strict=True))
                kept.update((key, known[key]) for key in absent)
            while len(kept) > entries:
                kept.popitem(last=False)
            return [known[key] for key in keys]

        return remembering

    return decorate


def _digest(wave: Any) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(wave).tobytes(), digest_size=16).digest()


def forget() -> None:
    """Let go of everything that was remembered in this process."""
    for kept in _all:
        kept.clear()


def _own(argument: Any) -> Any:
    """A read-only copy of a wave; anything else as it is."""
    if not isinstance(argument, np.ndarray):
        return argument
    copy = argument.copy()
    copy.setflags(write=False)
    return copy


def _same(known: Any, given: Any) -> bool:
    """Whether two arguments are equal, waves bit by bit (so that 0 and -0 differ)."""
    if not isinstance(known, np.ndarray):
        return bool(known == given)
    return known.shape == given.shape and np.array_equal(known.view(np.int64), given.view(np.int64))
