"""One item through encoder, channel and decoder, as often as a condition says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import synbench_codecs
from synbench.conditions.applied import Applied
from synbench.conditions.channel import (
    Received,
    flip_bits,
    lose_frames,
    replace_tokens,
    without_last_books,
)
from synbench.conditions.loss_pattern import Lost, lost_slots
from synbench.errors import ItemError
from synbench_base.errors import NotApplicable, UsageError
from synbench_codecs import Codec, CodecInfo, Encoded

__all__ = ["Channel", "channel_of", "earlier_codecs"]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """What lies between the encoder and the decoder for one item.

    Attributes:
        applied: the condition, whose channel it is.
        item: whose random numbers are drawn.
        seconds: duration of the item.
    """

    applied: Applied
    item: str
    seconds: float

    def receive(self, encoded: Encoded, *, codec: Codec) -> Received:
        """The stream as it arrives.

        Raises:
            NotApplicable: the codec does not declare what this damage needs.
        """
        settings, info = self.applied.condition.channel, codec.info
        draw = np.random.default_rng(self._seed)
        if "bit_errors" in settings:
            return flip_bits(encoded, rate=float(settings["bit_errors"]), draw=draw)
        if "token_errors" in settings:
            rate = float(settings["token_errors"])
            return replace_tokens(encoded, rate=rate, info=info, draw=draw)
        if "drop_books" in settings:
            kept = _fewer_books(info, int(settings["drop_books"])).info
            return without_last_books(encoded, info=info, kept=kept)
        loss, burst = float(settings["frame_loss"]), float(settings["burst"])
        slots = lost_slots(self.seconds, loss=loss, burst=burst, draw=draw)
        return lose_frames(encoded, slots, info=info, is_concealed=self._is_concealed(info))

    def decode(self, received: Received, *, codec: Any) -> NDArray[Any]:
        """The decoder's raw wave of what arrived; lost frames are concealed as was asked.

        Raises:
            NotApplicable: the codec has no decoder of its first books.
            BitstreamError: the decoder refuses the damaged stream.
        """
        settings, info = self.applied.condition.channel, codec.info
        if "drop_books" in settings:
            smaller = _fewer_books(info, int(settings["drop_books"]))
            return np.asarray(synbench_codecs.decode(smaller, received.encoded))
        if self._is_concealed(info):
            return np.asarray(codec.decode_with_losses(received.encoded, received.lost))
        wave = np.asarray(synbench_codecs.decode(codec, received.encoded))
        return _silenced(wave, received.lost, info) if settings.get("conceal") == "zero" else wave

    def _is_concealed(self, info: CodecInfo) -> bool:
        """Whether the decoder bridges losses; one that cannot gets repeated frames instead."""
        return self.applied.condition.channel.get("conceal") == "codec" and info.conceals

    @property
    def _seed(self) -> int:
        # Loss is the same stretch of time for every codec, so nothing of the codec goes in.
        condition = self.applied.condition
        return condition.seed(corpus=self.applied.corpus, item=self.item, step="channel")


def channel_of(applied: Applied | None, *, item: str, seconds: float) -> Channel | None:
    """The channel of an item's condition; nothing where the condition has none."""
    if applied is None or not applied.condition.channel:
        return None
    return Channel(applied=applied, item=item, seconds=seconds)


def earlier_codecs(applied: Applied | None, codec: Codec) -> list[Codec]:
    """The codecs that an item passes before the last one.

    Raises:
        ItemError: one cannot be loaded here, or has decoded files only.
    """
    if applied is None:
        return []
    tandem = applied.condition.tandem
    if isinstance(tandem, int):
        return [codec] * (tandem - 1)
    earlier = []
    for spec in tandem:
        loaded = synbench_codecs.load(spec)
        if isinstance(loaded, synbench_codecs.Recording):
            raise ItemError(f"{spec} has decoded files only and cannot stand before another codec")
        earlier.append(loaded)
    return earlier


def _fewer_books(info: CodecInfo, dropped: int) -> Codec:
    """The same codec with its first books only."""
    kept = len(info.codebook_sizes) - dropped
    name, options = synbench_codecs.parse_spec(info.spec)
    if kept < 1:
        raise NotApplicable(
            f"{info.spec} has {len(info.codebook_sizes)} books: it cannot lose {dropped}"
        )
    try:
        smaller = synbench_codecs.load(name, **(options | {"codebooks": kept}))
    except UsageError as error:
        raise NotApplicable(f"{info.spec} has no decoder of its first books: {error}") from error
    assert not isinstance(smaller, synbench_codecs.Recording)
    return smaller


def _silenced(wave: NDArray[Any], lost: Lost, info: CodecInfo) -> NDArray[Any]:
    """The wave with silence in the time of the frames that were lost."""
    if info.frame_rate_hz is None or not lost.size:
        return wave
    rate = info.output_sample_rate or info.sample_rate or 0
    time = (np.arange(wave.size) - info.output_delay_samples) / rate
    frame = np.clip((time * float(info.frame_rate_hz)).astype(np.int64), 0, lost.size - 1)
    return np.where(lost[frame], 0, wave).astype(wave.dtype)
