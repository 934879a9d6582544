"""How far ahead a network's structure reaches, exactly: a number that is none, and who catches it.

From one sample on the wave is NaN. Whatever depends on it becomes NaN, by however small a weight,
where a change of the wave would be lost in rounding and in the choice of codes. Encoder and decoder
are traced apart: which latents are NaN when a book is searched, and which output samples when the
codes from one frame on are looked up as NaN. Weights do not matter, so random ones of a narrow
network serve.

Norms over time and recurrences backwards catch it everywhere: such a network reaches the whole
file. So does attention, but through its mask too, where nothing is connected; of that only
differences can tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Reach", "structural_reach"]

aten = torch.ops.aten
SEARCHES = (aten.argmax, aten.argmin, aten.max, aten.min, aten.topk)
ATTENTION = (
    aten._softmax,
    aten.softmax,
    aten.scaled_dot_product_attention,
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_efficient_attention,
)
LOOKUPS = (aten.embedding, aten.index, aten.index_select, aten.gather)
# Before and behind the place where NaN begins: more than the longest known reach of 1.2 s.
MARGIN_SECONDS = 1.5


class _Watch(TorchDispatchMode):
    """Notes the first NaN latent that is searched for; gives NaN for one code that is looked up."""

    def __init__(self, *, code: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.code = code
        self.first_frame: int | None = None
        self.looked_up = False
        self.attends = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.attends |= func.overloadpacket in ATTENTION
        if self.code is None and func.overloadpacket in SEARCHES and self.first_frame is None:
            self._note(args[0])
        if self.code is not None and func.overloadpacket in LOOKUPS and not self.looked_up:
            return self._replaced(func, args, out)
        return out

    def _note(self, searched: Tensor) -> None:
        """Of one wave, whatever axes hold frames: (frames, codes), (1, frames, codes), (frames)."""
        if not searched.is_floating_point() or searched.dim() == 0:
            return
        rows = torch.isnan(searched).reshape(-1, searched.shape[-1]).any(dim=1)
        if rows.any() and rows.numel() > 1:
            self.first_frame = int(torch.nonzero(rows)[0])

    def _replaced(self, func: Any, args: Any, out: Tensor) -> Tensor:
        indices = args[1]
        if isinstance(indices, list | tuple):
            indices = indices[0]
        if not isinstance(indices, Tensor) or indices.is_floating_point():
            return out
        if not out.is_floating_point() or out.shape[: indices.dim()] != indices.shape:
            return out
        self.looked_up = True
        shape = (*indices.shape, *(1,) * (out.dim() - indices.dim()))
        mask = torch.eq(indices, self.code or 0).reshape(shape)
        return torch.where(mask, out.new_full((), math.nan), out)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Longest waits in seconds.

    Attributes:
        total: from an output frame to the last input that it is connected with: the frame, and the
            look-ahead of encoder and decoder; infinite where that is the whole file.
        encoder: from the begin of a frame to the last input that its code depends on.
    """

    total: float
    encoder: float


def structural_reach(codec: Any) -> Reach | None:
    """How long a codec's output is connected with later input.

    ``None`` where the network is not made of convolutions and recurrences alone, or is not
    understood.

    Args:
        codec: that ``untrained`` made, with ``info``, ``tokenise`` and ``synthesise``.
    """
    info = codec.info
    hop, rate = info.hop_length, info.sample_rate
    if not hop or not rate or not info.codebook_sizes:
        return None
    middle = math.ceil(MARGIN_SECONDS * rate / hop)
    with torch.no_grad():
        # Frame ``frame`` needs the input up to sample ``last``, and ``first`` is the first output
        # sample that needs the frame.
        last_input = _last_input(codec, frames=2 * middle, start=middle * hop)
        if last_input is None:
            return None
        frame, last = last_input
        if frame == 0:
            return Reach(total=math.inf, encoder=math.inf)
        first = _first_output(codec, frames=2 * middle, frame=frame)
    if first is None:
        return None
    if first == 0:
        return Reach(total=math.inf, encoder=(last + 1 - frame * hop) / rate)
    output_rate = info.output_sample_rate or rate
    output_hop = hop * output_rate // rate
    # Frames come out whole: the first sample of one waits as long as its last.
    begins = (first - info.output_delay_samples) // output_hop * output_hop
    return Reach(
        total=(last + 1) / rate - begins / output_rate,
        encoder=(last + 1 - frame * hop) / rate,
    )


def _last_input(codec: Any, *, frames: int, start: int) -> tuple[int, int] | None:
    """A frame, and the last input sample that it depends on; frame 0 where all depend on all."""
    hop = codec.info.hop_length
    draw = torch.Generator().manual_seed(1)
    wave = 0.1 * torch.randn(1, frames * hop, generator=draw)

    def first_frame(sample: int) -> int | None:
        broken = wave.clone()
        broken[:, sample:] = math.nan
        with _Watch() as watch:
            codec.tokenise(broken)
        earliest: int | None = None if watch.attends else watch.first_frame
        return earliest

    frame = first_frame(start)
    if frame is None or frame == 0:
        return None if frame is None else (0, 0)
    # The frame is NaN as long as the NaN begins no later than its last input sample.
    low, high = start, start + hop
    while high - low > 1:
        half = (low + high) // 2
        low, high = (half, high) if first_frame(half) == frame else (low, half)
    return frame, low


def _first_output(codec: Any, *, frames: int, frame: int) -> int | None:
    """The first output sample that depends on a frame."""
    sizes = codec.info.codebook_sizes
    draw = torch.Generator().manual_seed(1)
    tokens = torch.stack([torch.randint(0, size - 1, (frames,), generator=draw) for size in sizes])[
        None
    ]
    # The last code of the first book that is looked up stands nowhere but from the frame on.
    tokens[..., frame:] = torch.tensor([size - 1 for size in sizes])[:, None]
    with _Watch(code=sizes[0] - 1) as watch:
        wave = codec.synthesise(tokens)
    broken = torch.nonzero(torch.isnan(wave.reshape(-1)))
    if not watch.looked_up or watch.attends or not broken.numel():
        return None
    return int(broken[0])
