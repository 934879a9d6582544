"""The AMR-WB encoder libvo-amrwbenc inside the ffmpeg program of a package of the index.

For systems without the library: ``pip install imageio-ffmpeg==0.6.0`` brings a program that has it
built in (later versions of the package do not). Its frames are those of the library, bit for bit.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench_codecs.errors import EncodeError
from synbench_codecs.support.child_process import run_program, scratch_folder

ENCODER = "libvo_amrwbenc"
MAGIC = b"#!AMR-WB\n"
SECONDS = 600.0

__all__ = ["encode_frames", "program"]


@functools.cache
def program() -> Path | None:
    """The program, or ``None`` where there is no such package or its build lacks the encoder."""
    try:
        package = importlib.import_module("imageio_ffmpeg")
        path = Path(package.get_ffmpeg_exe())
        # A frame of silence tells whether this build has the encoder.
        encode_frames(np.zeros((1, 320), np.int16), path=path, bitrate_bps=6600, frame_bytes=18)
    except (ImportError, RuntimeError, OSError, EncodeError):
        return None
    return path


def encode_frames(
    frames: NDArray[np.int16], *, path: Path, bitrate_bps: int, frame_bytes: int
) -> list[bytes]:
    """One packet of the storage format of RFC 4867 per row of ``frames``, shape ``(frames, 320)``.

    Args:
        frames: 16-bit samples at 16000 Hz.
        path: of the program.
        bitrate_bps: one of the nine modes.
        frame_bytes: of a packet, its table-of-contents byte included.

    Raises:
        EncodeError: the program failed, or wrote another number of packets.
    """
    with scratch_folder("amrwb") as folder:
        source, target = folder / "samples", folder / "coded.amr"
        source.write_bytes(frames.astype("<i2").tobytes())
        samples = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", str(source)]
        coded = ["-c:a", ENCODER, "-b:a", str(bitrate_bps), "-f", "amr", str(target)]
        quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
        try:
            code, said = run_program(
                [path, *quiet, *samples, *coded], folder=folder, seconds=SECONDS
            )
        except TimeoutError as error:
            raise EncodeError(f"ffmpeg took longer than {SECONDS:g} s") from error
        if code:
            raise EncodeError(f"ffmpeg exited with {code}: {said}")
        data = target.read_bytes()
    packets = [
        data[start : start + frame_bytes] for start in range(len(MAGIC), len(data), frame_bytes)
    ]
    if not data.startswith(MAGIC) or len(packets) != len(frames) or len(packets[-1]) != frame_bytes:
        raise EncodeError(f"ffmpeg wrote {len(packets)} packets for {len(frames)} frames")
    return packets
