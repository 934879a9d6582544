"""What a script in another interpreter gives for a wave, as counted bytes and back.

The parts, arrays of integers by name:
    tokens      shape ``(codebooks, frames)``
    side        shape ``(numbers,)``, sent once per wave, such as a speaker's tokens
    lengths     shape ``(frames,)``, of a codec with frames of different lengths: how many of its
                shortest frames each lasts, from 1; together they are those of the whole wave

Side information goes first and is filled up to whole bytes. A length is coded beside the tokens of
its frame, as one more codebook. The number of such frames is not sent: their lengths add up to the
number of shortest frames, which follows from the length of the wave.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._packing import Tokens, pack_tokens, token_bits, unpack_tokens
from synbench_codecs.errors import BitstreamError

Parts = dict[str, NDArray[np.int64]]

__all__ = ["Layout", "Parts"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which numbers a stream holds.

    Attributes:
        codebook_sizes: of the tokens of one frame.
        side_sizes: of the numbers that are sent once; empty for none.
        longest_frame: the greatest length of a frame; 0 where all frames are equally long.
    """

    codebook_sizes: tuple[int, ...]
    side_sizes: tuple[int, ...] = ()
    longest_frame: int = 0

    @property
    def plain(self) -> bool:
        """Whether there is nothing but tokens."""
        return not self.side_sizes and not self.longest_frame

    @property
    def names(self) -> tuple[str, ...]:
        """Which parts belong to a wave."""
        side = ("side",) if self.side_sizes else ()
        return ("tokens", *side, *(("lengths",) if self.longest_frame else ()))

    def packed(self, parts: Mapping[str, NDArray[Any]], n_frames: int) -> tuple[bytes, int, int]:
        """The payload, its bits, and those of them that are side information.

        Raises:
            ValueError: a part is missing, has another shape, or holds a number out of its range.
        """
        if set(parts) != set(self.names):
            raise ValueError(f"expected {', '.join(self.names)}, got {', '.join(sorted(parts))}")
        side = self._packed_side(parts["side"]) if self.side_sizes else b""
        grid = parts["tokens"]
        if self.longest_frame:
            grid = self._with_lengths(grid, parts["lengths"], n_frames)
        elif grid.shape != (len(self.codebook_sizes), n_frames):
            raise ValueError(
                f"encode gave codes of shape {grid.shape}, expected "
                f"{(len(self.codebook_sizes), n_frames)}"
            )
        payload, n_bits = pack_tokens(grid, self._sizes)
        return side + payload, 8 * len(side) + n_bits, 8 * len(side)

    def unpacked(self, payload: bytes, n_frames: int) -> Parts:
        """The parts that :meth:`packed` has packed.

        Raises:
            BitstreamError: no such payload of a wave with this many shortest frames.
        """
        n_side = math.ceil(token_bits(self.side_sizes, 1) / 8) if self.side_sizes else 0
        side, body = payload[:n_side], payload[n_side:]
        parts: Parts = {}
        if self.side_sizes:
            parts["side"] = unpack_tokens(side, self.side_sizes, 1)[:, 0]
        if self.longest_frame:
            grid = self._variable(body, n_frames)
            return {**parts, "tokens": grid[1:], "lengths": grid[0] + 1}
        return {**parts, "tokens": unpack_tokens(body, self.codebook_sizes, n_frames)}

    @property
    def _sizes(self) -> tuple[int, ...]:
        """What one frame holds: its length, where lengths differ, and its tokens."""
        return ((self.longest_frame,) if self.longest_frame else ()) + self.codebook_sizes

    def _packed_side(self, side: NDArray[Any]) -> bytes:
        if side.shape != (len(self.side_sizes),):
            raise ValueError(
                f"encode gave side information of shape {side.shape}, expected "
                f"{(len(self.side_sizes),)}"
            )
        return pack_tokens(side[:, None], self.side_sizes)[0]

    def _with_lengths(
        self, tokens: NDArray[Any], lengths: NDArray[Any], n_frames: int
    ) -> NDArray[Any]:
        if lengths.ndim != 1 or tokens.shape != (len(self.codebook_sizes), lengths.size):
            raise ValueError(
                f"encode gave codes of shape {tokens.shape} and lengths of shape {lengths.shape}, "
                f"expected ({len(self.codebook_sizes)}, frames) and (frames,)"
            )
        if int(lengths.sum()) != n_frames:
            raise ValueError(f"the frames last {int(lengths.sum())} in all, expected {n_frames}")
        return np.vstack([lengths[None] - 1, tokens])

    def _variable(self, body: bytes, n_frames: int) -> Tokens:
        per_frame = sum(math.log2(size) for size in self._sizes)
        most = min(n_frames, math.floor(8 * len(body) / per_frame + 1e-6))
        for count in range(most, 0, -1):
            if math.ceil(token_bits(self._sizes, count) / 8) != len(body):
                break
            try:
                grid = unpack_tokens(body, self._sizes, count)
            except BitstreamError:
                continue
            if int(grid[0].sum()) + count == n_frames:
                return grid
        raise BitstreamError(f"the payload is not {n_frames} frames of these codebooks")
