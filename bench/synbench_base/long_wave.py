"""A wave of hours, kept on the disk and read stretch by stretch.

Two hours at 16 kHz are a gigabyte in float64, and most measures need a few seconds at a time. What
works by stretches takes slices and asks for ``size`` only, so that it serves arrays and these.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

STRETCH_SAMPLES = 2**20  # samples: 65 s at 16 kHz, 8 MiB

__all__ = ["LongWave", "on_disk", "stretches"]


class LongWave:
    """Mono samples in a file without a name, which goes with the object.

    Slices (step 1) and arrays of indices that lie close together give float64 arrays; anything
    that asks for the whole as an array gets it, with all the memory that it takes.

    Args:
        parts: the samples, one stretch after the other.
        folder: where the file is made; the usual one for temporary files if not named.
        stored: ``float32`` where that is exact, as for samples of up to 24 bits.
    """

    ndim = 1
    dtype = np.dtype(np.float64)

    def __init__(
        self,
        parts: Iterable[NDArray[Any]],
        *,
        folder: Path | None = None,
        stored: DTypeLike = np.float64,
    ) -> None:
        import tempfile

        self._stored = np.dtype(stored)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - lives on
        weakref.finalize(self, self._file.close)
        self.size = 0
        for part in parts:
            self._file.write(np.ascontiguousarray(part, dtype=self._stored).data)
            self.size += part.size

    @property
    def shape(self) -> tuple[int]:
        """As of an array."""
        return (self.size,)

    @property
    def nbytes(self) -> int:
        """What it would take as an array of float64."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, chosen: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        if isinstance(chosen, slice):
            start, stop, step = chosen.indices(self.size)
            if step != 1:
                raise IndexError(f"a long wave is read in steps of 1, got {step}")
            return self._read(start, max(start, stop))
        first, last = int(chosen.min()), int(chosen.max())
        return self._read(first, last + 1)[chosen - first]

    def _read(self, start: int, stop: int) -> NDArray[np.float64]:
        samples = np.empty(stop - start, dtype=self._stored)
        self._file.seek(start * self._stored.itemsize)
        view = samples.data.cast("B")
        while view:
            count = self._file.readinto(view)
            if not count:
                raise OSError("a temporary file lost its end")
            view = view[count:]
        return samples.astype(np.float64, copy=False)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.empty(self.size, dtype=dtype or self.dtype)
        for at in range(0, self.size, STRETCH_SAMPLES):
            whole[at : at + STRETCH_SAMPLES] = self[at : at + STRETCH_SAMPLES]
        return whole


def on_disk(wave: Any) -> bool:
    """Whether this is a :class:`LongWave`, where an array is expected."""
    return isinstance(wave, LongWave)


def stretches(wave: Any, *, samples: int = 0, start: int = 0) -> Iterator[NDArray[Any]]:
    """The parts of an array or a long wave, in order, each of at most so many samples.

    Without a number they are of :data:`STRETCH_SAMPLES`.

    Args:
        start: the first sample that is wanted.
    """
    samples = samples or STRETCH_SAMPLES
    for at in range(start, wave.size, samples):
        yield wave[at : at + samples]
