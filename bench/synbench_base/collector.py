"""Pauses Python's search for cyclic garbage while hundred thousands of objects are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["paused_collector"]


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """No search meanwhile: it walks over every object again and again, and none of them goes.

    A plan of 100,000 items takes a quarter less so. What nothing refers to goes at once all the
    same; only cycles wait. Also a decorator.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
