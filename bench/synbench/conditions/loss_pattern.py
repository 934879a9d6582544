"""When a channel loses what is sent: stretches of time, the same for every codec.

The channel is the two-state model of Gilbert and Elliott: good slots arrive, bad ones are lost. A
slot lasts 20 ms. A frame is lost when the middle of its time lies in a lost slot, so that codecs of
any frame length lose the same share of the same stretches.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from synbench.errors import UsageError

SLOT_SECONDS = 0.02
Lost = NDArray[np.bool_]

__all__ = ["SLOT_SECONDS", "lost_frames", "lost_slots", "mean_burst"]


def lost_slots(seconds: float, *, loss: float, burst: float, draw: np.random.Generator) -> Lost:
    """Which slots of 20 ms are lost, shape ``(slots,)``.

    Args:
        loss: share of slots lost in the long run, 0 to 1.
        burst: mean number of slots lost in a row, at least 1.

    Raises:
        UsageError: no channel has these values.
    """
    check_channel(loss=loss, burst=burst)
    n_slots = int(np.ceil(seconds / SLOT_SECONDS)) or 1
    chances = draw.random(n_slots)
    leave = 1 / burst
    enter = 1.0 if loss == 1 else min(1.0, loss * leave / (1 - loss))
    lost = np.empty(n_slots, dtype=bool)
    state = bool(chances[0] < loss)
    for slot, chance in enumerate(chances):
        if slot:
            state = bool(chance >= leave) if state else bool(chance < enter)
        lost[slot] = state or loss == 1
    return lost


def check_channel(*, loss: float, burst: float) -> None:
    """Refuse what no two-state channel can do.

    Raises:
        UsageError: a share outside 0 to 1, bursts below one slot, or so much loss in such short
            bursts that good slots would have to be shorter than one.
    """
    if not 0 <= loss <= 1:
        raise UsageError(f"expected a frame_loss from 0 to 1, got {loss:g}")
    if burst < 1:
        raise UsageError(f"expected a burst of at least 1 slot of 20 ms, got {burst:g}")
    if loss < 1 and loss / burst > 1 - loss:
        needed = loss / (1 - loss)
        raise UsageError(
            f"a loss of {loss:g} needs a burst of at least {needed:.2g} slots, got {burst:g}"
        )


def lost_frames(slots: Lost, *, n_frames: int, frame_rate_hz: Fraction) -> Lost:
    """Which of a codec's frames are lost, shape ``(frames,)``.

    A frame after the last slot, which a codec needs to flush its delay, shares the fate of the
    last slot.
    """
    middles = (np.arange(n_frames) + 0.5) / float(frame_rate_hz)
    return slots[np.minimum((middles / SLOT_SECONDS).astype(np.int64), slots.size - 1)]


def mean_burst(lost: Lost) -> float:
    """Mean number of lost slots or frames in a row; 0 where nothing is lost."""
    starts = np.count_nonzero(lost & ~np.concatenate([[False], lost[:-1]]))
    return float(np.count_nonzero(lost) / starts) if starts else 0.0
