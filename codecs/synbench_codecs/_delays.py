"""The algorithmic delay that a codec declares: its frame, its look-ahead, and both together.

Seconds. The time that computing takes comes on top, and is no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Of codecs that take any rate, such as filters.
ANY_RATE = 16000
# What keeps speech back is not declared by decoded files, programs of others, and fixed anchors.
UNDECLARED_KINDS = ("anchor", "external", "recordings")

__all__ = ["ANY_RATE", "Delays", "delays_of"]


@dataclass(frozen=True, kw_only=True)
class Delays:
    """What a codec waits for.

    Attributes:
        frame: duration of a frame; ``None`` where it declares none.
        lookahead: input needed beyond the frame, or the lag of the wave where that is longer;
            ``None`` where the whole file is needed or nothing is declared.
        is_whole_file: whether it needs the whole file.
    """

    frame: float | None = None
    lookahead: float | None = None
    is_whole_file: bool = False

    @property
    def total(self) -> float | None:
        """Frame and look-ahead; ``None`` where the whole file is needed or nothing is declared."""
        return None if self.lookahead is None else (self.frame or 0.0) + self.lookahead


def delays_of(record: Mapping[str, Any]) -> Delays:
    """From the fields of a :class:`~synbench_codecs.CodecInfo`, by name; nothing where they lack.

    >>> delays_of({"kind": "classical", "sample_rate": 16000, "output_sample_rate": 48000,
    ...     "hop_length": 320, "lookahead_samples": 104, "output_delay_samples": 308,
    ...     "context": "unbounded"})
    Delays(frame=0.02, lookahead=0.0065, is_whole_file=False)
    """
    if not {"lookahead_samples", "context"} <= record.keys():
        return Delays()  # a run of an earlier version, which did not write them
    sample_rate = record["sample_rate"] or ANY_RATE
    output_rate = record["output_sample_rate"] or sample_rate
    frame = record["hop_length"] / sample_rate if record["hop_length"] else None
    if record["kind"] in UNDECLARED_KINDS:
        return Delays(frame=frame)
    if record["lookahead_samples"] is None or record["context"] == "global":
        return Delays(frame=frame, is_whole_file=True)
    # The lag of the wave is no time on top: it is look-ahead, seen from the output.
    lag = record["output_delay_samples"] / output_rate
    return Delays(frame=frame, lookahead=max(record["lookahead_samples"] / sample_rate, lag))
