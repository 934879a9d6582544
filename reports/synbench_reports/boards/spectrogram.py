"""Small pictures of short-time spectra, as PNG of a few kilobytes by no library for images."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 256, 72
RANGE_DB = 70.0
LEVELS = 24
FRAME_SECONDS = 0.025

Floats = NDArray[np.float64]

__all__ = ["picture", "spectrum_levels"]


def spectrum_levels(wave: Floats, sample_rate: int, loudest: float | None = None) -> Floats:
    """Levels in dB, shape ``(HEIGHT, WIDTH)``, the highest frequency in the first row.

    Args:
        wave: mono; a shorter one than a frame is filled up with zeros.
        loudest: level in dB at the top of the scale; the wave's own where not given.
    """
    length = round(FRAME_SECONDS * sample_rate)
    padded = np.pad(wave, (length // 2, length // 2 + max(0, length - len(wave))))
    starts = np.linspace(0, len(padded) - length, WIDTH).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(length)] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.linspace(0, power.shape[1], HEIGHT + 1).astype(np.int64)
    bands = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)
    with np.errstate(divide="ignore"):
        levels: Floats = 10 * np.log10(bands.T[::-1])
    top = float(levels.max()) if loudest is None else loudest
    return np.maximum(levels, top - RANGE_DB) if np.isfinite(top) else np.zeros((HEIGHT, WIDTH))


def picture(levels: Floats, loudest: float) -> bytes:
    """Levels as PNG; dark is :data:`RANGE_DB` below ``loudest`` and everything softer."""
    share = np.clip((levels - loudest) / RANGE_DB + 1, 0, 1)
    pixels = np.round(share * (LEVELS - 1)).astype(np.uint8)
    rows = np.hstack([np.zeros((len(pixels), 1), np.uint8), pixels])
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", _palette().tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _palette() -> NDArray[np.uint8]:
    """From black by blue and orange to white, ever lighter, so that it can be read in grey."""
    share = np.linspace(0, 1, LEVELS)
    anchors = (0.0, 0.35, 0.65, 0.85, 1.0)
    red = np.interp(share, anchors, (0, 30, 213, 240, 255))
    green = np.interp(share, anchors, (0, 60, 110, 190, 255))
    blue = np.interp(share, anchors, (10, 140, 60, 90, 240))
    return np.round(np.stack([red, green, blue], axis=1)).astype(np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
