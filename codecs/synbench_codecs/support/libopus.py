"""Decoding Opus by libopus itself: over lost packets, and with its trained enhancers.

Losses are bridged by the library inside PyAV. The enhancers LACE and NoLACE are those of libopus
1.5 and later.

PyAV's own libopus exports the same functions without the networks, and Debian 12's is too old; so a
library counts only after it has decoded a vowel differently with the networks than without. It is
the one that ``$SYNBENCH_LIBOPUS`` names, else the system's. Debian 13's ``libopus0`` has them; that
file also runs on older systems.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synbench_codecs.errors import BitstreamError, Unavailable
from synbench_codecs.support.adapting import bundled_library, load_library
from synbench_codecs.support.ffmpeg import encode_packets

OUTPUT_RATE = 48000
FRAME_SAMPLES = 960
# OPUS_SET_COMPLEXITY of the decoder: the networks begin at 6 and 7.
SET_COMPLEXITY = 4010
COMPLEXITY = {"none": 0, "lace": 6, "nolace": 7}
VOWEL_RATE = 16000
VOWEL_BPS = 16000

__all__ = ["COMPLEXITY", "conceals", "decode_concealing", "decode_enhanced", "library_name"]


def conceals() -> bool:
    """Whether the libopus inside PyAV can be asked to bridge lost packets."""
    return _bundled() is not None


def decode_concealing(packets: Sequence[bytes | None]) -> NDArray[np.float32]:
    """The decoder's wave at 48 kHz of packets of 20 ms, of which some were lost, pre-skip included.

    A lost packet is taken from the coarse copy that the next one carries, where the encoder was
    asked for such copies (FEC); else the decoder goes on by itself (PLC).

    Raises:
        BitstreamError: a packet is not one of 20 ms.
        Unavailable: the library inside PyAV does not load.
    """
    library = _bundled()
    if library is None:
        raise Unavailable("the libopus inside PyAV does not load, so it cannot conceal losses")
    return _decode(library, packets, COMPLEXITY["none"])


def decode_enhanced(packets: Sequence[bytes | None], *, enhance: str) -> NDArray[np.float32]:
    """The decoder's wave at 48 kHz of packets of 20 ms, pre-skip included; lost ones are ``None``.

    Raises:
        BitstreamError: a packet is not one of 20 ms.
        Unavailable: no library with the networks is here.
    """
    return _decode(_library(), packets, COMPLEXITY[enhance])


def library_name() -> str:
    """The decoder's own version string, ``libopus 1.5.2``.

    Raises:
        Unavailable: no library with the networks is here.
    """
    return _version(_library())


@functools.cache
def _bundled() -> ctypes.CDLL | None:
    path = bundled_library("av", "libopus")
    library = load_library(path) if path else None
    return None if library is None else _declared(library)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    library.opus_get_version_string.restype = ctypes.c_char_p
    library.opus_decoder_create.restype = ctypes.c_void_p
    return library


@functools.cache
def _library() -> ctypes.CDLL:
    name = os.environ.get("SYNBENCH_LIBOPUS") or ctypes.util.find_library("opus") or "libopus.so.0"
    library = load_library(name)
    if library is None:
        raise Unavailable(f"{name} does not load; {_remedy()}")
    _declared(library)
    if not _has_networks(library):
        raise Unavailable(f"{name} is {_version(library)} without LACE and NoLACE; {_remedy()}")
    return library


def _remedy() -> str:
    return (
        "set SYNBENCH_LIBOPUS to a libopus.so.0 of version 1.5 or later that was built with them, "
        "such as that of Debian 13's package libopus0"
    )


def _version(library: ctypes.CDLL) -> str:
    version: bytes = library.opus_get_version_string()
    return version.decode()


def _has_networks(library: ctypes.CDLL) -> bool:
    time = np.arange(VOWEL_RATE // 2) / VOWEL_RATE
    order = np.arange(1, 30)[:, None]
    vowel = (np.sin(2 * np.pi * 120 * order * time + order**2) / order).sum(0)
    packets = encode_packets(
        (0.1 * vowel).astype(np.float32),
        encoder="libopus",
        sample_rate=VOWEL_RATE,
        frame_length=VOWEL_RATE // 50,
        bitrate_bps=VOWEL_BPS,
        options={"vbr": "off", "application": "voip", "frame_duration": "20"},
    )
    plain, enhanced = (_decode(library, packets, COMPLEXITY[one]) for one in ("none", "nolace"))
    return not np.array_equal(plain, enhanced)


def _decode(
    library: ctypes.CDLL, packets: Sequence[bytes | None], complexity: int
) -> NDArray[np.float32]:
    failure = ctypes.c_int()
    decoder = ctypes.c_void_p(library.opus_decoder_create(OUTPUT_RATE, 1, ctypes.byref(failure)))
    if failure.value:
        raise Unavailable(f"libopus makes no decoder: error {failure.value}")
    try:
        library.opus_decoder_ctl(decoder, SET_COMPLEXITY, ctypes.c_int(complexity))
        following = (*packets[1:], None)
        return np.concatenate(
            [
                _one_frame(library, decoder, packet, after)
                for packet, after in zip(packets, following, strict=True)
            ]
        )
    finally:
        library.opus_decoder_destroy(decoder)


def _one_frame(
    library: ctypes.CDLL, decoder: ctypes.c_void_p, packet: bytes | None, after: bytes | None
) -> NDArray[np.float32]:
    """The samples of a packet; of a lost one from the packet ``after`` it, or from nothing."""
    samples = np.empty(FRAME_SAMPLES, dtype=np.float32)
    pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    sent = after if packet is None else packet
    size, is_copy = len(sent) if sent else 0, int(packet is None and sent is not None)
    count = library.opus_decode_float(decoder, sent, size, pointer, FRAME_SAMPLES, is_copy)
    if count != FRAME_SAMPLES:
        raise BitstreamError(f"libopus: a packet is no frame of 20 ms (answer {count})")
    return samples
