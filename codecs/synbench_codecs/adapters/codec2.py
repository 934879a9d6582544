"""Codec2 (Rowe, http://www.rowetel.com/codec2.html) through the library inside pycodec2.

Frames of 20 ms (3200, 2400) or 40 ms (all others) at 8 kHz, a fixed number of bits each; the
padding that the library adds to whole bytes is not counted.

The decoder draws the phases of unvoiced speech from random numbers whose state is one static
variable of the library: a second decode in the same process gives another wave. So every call
loads a private copy of the library, whose state is that of a fresh process. This is why the C
functions (``codec2.h``) are called directly and not through pycodec2's own wrapper.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import import_extra, pip_install
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import Unavailable
from synbench_codecs.support.adapting import (
    bundled_library,
    check_choice,
    from_pcm,
    pad_to,
    to_pcm,
)
from synbench_codecs.support.speech_frames import join_frames, n_frames, split_frames

SAMPLE_RATE = 8000


class Mode(NamedTuple):
    """One mode: its number in ``codec2.h``, samples and bits per frame, delay in samples at 8 kHz.

    The delays are medians over twelve LibriSpeech utterances, by correlation of the envelopes (rms
    over 20 ms), because a parametric codec keeps no waveform. Single utterances lie within 3 ms.
    """

    number: int
    name: str
    hop: int
    bits: int
    delay: int


MODES = {
    3200: Mode(0, "3200", 160, 64, 166),
    2400: Mode(1, "2400", 160, 48, 166),
    1600: Mode(2, "1600", 320, 64, 173),
    1400: Mode(3, "1400", 320, 56, 171),
    1300: Mode(4, "1300", 320, 52, 174),
    1200: Mode(5, "1200", 320, 48, 175),
    700: Mode(8, "700C", 320, 28, 252),
}

__all__ = ["CODECS", "MODES", "Codec2"]


class Codec2:
    """Codec2 in one of its modes.

    Args:
        bitrate_bps: 3200, 2400, 1600, 1400, 1300, 1200 or 700 (mode 700C).
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"bitrate_bps": rate} for rate in MODES)
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, bitrate_bps: int = 2400) -> None:
        check_choice("codec2", "bitrate_bps", bitrate_bps, MODES)
        import_extra("pycodec2", extra="classical")
        self.mode = MODES[bitrate_bps]
        self.info = CodecInfo(
            spec=f"codec2:bitrate_bps={bitrate_bps}",
            label=f"Codec2 {self.mode.name}",
            kind="classical",
            adapter_version=1,
            implementation=_library_name(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(bitrate_bps),
            hop_length=self.mode.hop,
            frame_rate_hz=Fraction(SAMPLE_RATE, self.mode.hop),
            bits_per_frame=self.mode.bits,
            bandwidth_hz=4000.0,
            causal=True,
            lookahead_samples=self.mode.delay,
            output_delay_samples=self.mode.delay,
            stochastic=True,
            code_licence="LGPL-2.1-only",
            source="Rowe, Codec2, codec2.h of version 1.2",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 8000 Hz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        padded = pad_to(to_pcm(checked), self.mode.hop * n_frames(checked.size, info=self.info))
        frames = _encode_frames(padded.reshape(-1, self.mode.hop), self.mode)
        return join_frames(
            frames, bits_per_frame=self.mode.bits, n_samples=checked.size, info=self.info
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at 8000 Hz, delay included; the same for the same payload, in any process."""
        frames = split_frames(encoded, bits_per_frame=self.mode.bits, info=self.info)
        return from_pcm(_decode_frames(frames, self.mode))


def _library_path() -> Path:
    library_path = bundled_library("pycodec2", "libcodec2")
    if library_path is None:
        raise Unavailable(
            "this pycodec2 holds no libcodec2: " + pip_install("--only-binary pycodec2 pycodec2")
        )
    return library_path


def _library_name() -> str:
    """The library with the version that its file name carries."""
    version = _library_path().name.partition(".so.")[2]
    return f"libcodec2 {version or '(version unknown)'}"


@contextmanager
def _private_library() -> Iterator[ctypes.CDLL]:
    """A copy of the library that nobody else has loaded, so that its random state is new."""
    source = _library_path()
    with tempfile.TemporaryDirectory(prefix="synbench-codec2-") as folder:
        copy = Path(folder) / source.name
        shutil.copyfile(source, copy)
        library = ctypes.CDLL(str(copy))
        _declare(library)
        try:
            yield library
        finally:
            # ctypes never unloads; without this every call would leave a copy in memory.
            unload = ctypes.CDLL(None).dlclose
            unload.argtypes = [ctypes.c_void_p]
            unload(library._handle)


def _declare(library: ctypes.CDLL) -> None:
    library.codec2_create.restype = ctypes.c_void_p
    library.codec2_create.argtypes = [ctypes.c_int]
    library.codec2_destroy.argtypes = [ctypes.c_void_p]
    library.codec2_encode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    library.codec2_decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]


def _encode_frames(frames: NDArray[np.int16], mode: Mode) -> list[bytes]:
    """The bytes of each row of ``frames``, shape ``(frames, hop)``."""
    buffer = ctypes.create_string_buffer((mode.bits + 7) // 8)
    coded = []
    with _private_library() as library:
        state = library.codec2_create(mode.number)
        for frame in np.ascontiguousarray(frames):
            library.codec2_encode(state, buffer, frame.ctypes.data)
            coded.append(buffer.raw)
        library.codec2_destroy(state)
    return coded


def _decode_frames(frames: Sequence[bytes], mode: Mode) -> NDArray[np.int16]:
    """The samples of all frames, shape ``(frames * hop,)``."""
    samples = np.empty((len(frames), mode.hop), dtype=np.int16)
    with _private_library() as library:
        state = library.codec2_create(mode.number)
        for row, frame in zip(samples, frames, strict=True):
            library.codec2_decode(state, row.ctypes.data, frame)
        library.codec2_destroy(state)
    return samples.reshape(-1)


CODECS = {"codec2": Codec2}
