"""AMR wideband (3GPP TS 26.171, ITU-T G.722.2): encoder libvo-amrwbenc, decoder in PyAV.

Frames of 20 ms at 16 kHz, all nine modes, no discontinuous transmission. The encoder is a system
library (Debian's ``libvo-amrwbenc0``) or, without one, the same library inside the program that
``pip install imageio-ffmpeg==0.6.0`` brings; frames are the same bit for bit. It writes the storage
format of RFC 4867: a table-of-contents byte, then the frame in whole bytes. Only the frame's own
bits are kept and counted.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import pip_install
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import EncodeError, Unavailable
from synbench_codecs.support import amrwb_program
from synbench_codecs.support.adapting import (
    check_choice,
    load_library,
    opencore_name,
    pad_to,
    to_pcm,
)
from synbench_codecs.support.amr import AmrCodec
from synbench_codecs.support.ffmpeg import require
from synbench_codecs.support.speech_frames import n_frames

SAMPLE_RATE = 16000
HOP = 320
LONGEST_PACKET_BYTES = 64
LIBRARY = "libvo-amrwbenc.so.0"

# Bits per frame by bit rate, in the order of the modes' frame types 0 to 8 (TS 26.201, table 2).
MODES = {
    6600: 132,
    8850: 177,
    12650: 253,
    14250: 285,
    15850: 317,
    18250: 365,
    19850: 397,
    23050: 461,
    23850: 477,
}

# Samples at 16 kHz in all modes: median over twelve LibriSpeech utterances, by cross-correlation.
DELAY_SAMPLES = 94

__all__ = ["CODECS", "AmrWb"]


class AmrWb(AmrCodec):
    """AMR-WB at one of its nine bit rates.

    Args:
        bitrate_bps: 6600, 8850, 12650, 14250, 15850, 18250, 19850, 23050 or 23850.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"bitrate_bps": rate} for rate in MODES)
    local_options: ClassVar[frozenset[str]] = frozenset()
    decoder: ClassVar[str] = "libopencore_amrwb"
    lost_frame_type: ClassVar[int] = 14  # "speech lost" in the storage format

    def __init__(self, *, bitrate_bps: int = 12650) -> None:
        check_choice("amr-wb", "bitrate_bps", bitrate_bps, MODES)
        require("libopencore_amrwb", mode="r")
        self._program = _program()
        self.bits_per_frame = MODES[bitrate_bps]
        self.frame_type = list(MODES).index(bitrate_bps)
        self.info = CodecInfo(
            spec=f"amr-wb:bitrate_bps={bitrate_bps}",
            label=f"AMR-WB {bitrate_bps / 1000:g} kbps",
            kind="classical",
            adapter_version=1,
            implementation=f"libvo-amrwbenc, {opencore_name('libopencore-amrwb')}",
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(bitrate_bps),
            hop_length=HOP,
            frame_rate_hz=Fraction(SAMPLE_RATE, HOP),
            bits_per_frame=self.bits_per_frame,
            bandwidth_hz=7000.0,
            causal=True,
            lookahead_samples=DELAY_SAMPLES,
            output_delay_samples=DELAY_SAMPLES,
            code_licence="Apache-2.0",
            conceals=True,
            source="3GPP TS 26.171, TS 26.190; ITU-T G.722.2; RFC 4867 (2007)",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 16000 Hz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        padded = pad_to(to_pcm(checked), HOP * n_frames(checked.size, info=self.info))
        frames = padded.reshape(-1, HOP)
        if self._program is None:
            packets = _encode_frames(frames, self.frame_type)
        else:
            packets = amrwb_program.encode_frames(
                frames,
                path=self._program,
                bitrate_bps=list(MODES)[self.frame_type],
                frame_bytes=1 + math.ceil(self.bits_per_frame / 8),
            )
        return self._joined(packets, checked.size)


@functools.cache
def encoder_library() -> ctypes.CDLL:
    """libvo-amrwbenc with its three functions declared (``vo-amrwbenc/enc_if.h``).

    Raises:
        Unavailable: it is not installed.
    """
    library = load_library(LIBRARY) or load_library(
        ctypes.util.find_library("vo-amrwbenc") or LIBRARY
    )
    if library is None:
        raise Unavailable("libvo-amrwbenc is not installed: apt-get install libvo-amrwbenc0")
    library.E_IF_init.restype = ctypes.c_void_p
    library.E_IF_exit.argtypes = [ctypes.c_void_p]
    library.E_IF_encode.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.POINTER(ctypes.c_short),
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    return library


def _program() -> Path | None:
    """What encodes where the library is absent; ``None`` where it is there.

    Raises:
        Unavailable: neither is there.
    """
    try:
        encoder_library()
    except Unavailable as error:
        path = amrwb_program.program()
        if path is None:
            raise Unavailable(
                f"{error}; or, without a system library, {pip_install('imageio-ffmpeg==0.6.0')}"
            ) from error
        return path
    return None


def _encode_frames(frames: NDArray[np.int16], mode: int) -> list[bytes]:
    """One packet per row of ``frames``, shape ``(frames, 320)``."""
    library = encoder_library()
    state = library.E_IF_init()
    if not state:
        raise EncodeError("libvo-amrwbenc could not be started")
    packet = ctypes.create_string_buffer(LONGEST_PACKET_BYTES)
    packets = []
    try:
        for frame in np.ascontiguousarray(frames):
            samples = frame.ctypes.data_as(ctypes.POINTER(ctypes.c_short))
            length = library.E_IF_encode(state, mode, samples, packet, 0)
            packets.append(packet.raw[:length])
    finally:
        library.E_IF_exit(state)
    return packets


CODECS = {"amr-wb": AmrWb}
