"""Files that hold less than they promise, and what is no file at all."""

from __future__ import annotations

import io
import os
import stat
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench_base.errors import ItemError
from synbench_base.sound_files import missing_part, read_decoded, read_samples

KINDS = [
    ("WAV", "PCM_16"),
    ("WAVEX", "PCM_24"),
    ("RF64", "FLOAT"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def wave() -> np.ndarray:
    generator = np.random.default_rng(0)
    return 0.3 * np.sin(np.arange(48000) * 0.05) + 0.05 * generator.standard_normal(48000)


def content(kind: str, subtype: str) -> bytes:
    if kind not in soundfile.available_formats() or not soundfile.check_format(kind, subtype):
        pytest.skip(f"this libsndfile writes no {kind} {subtype}")
    buffer = io.BytesIO()
    soundfile.write(buffer, wave(), 16000, format=kind, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "subtype"), KINDS)
def test_a_file_that_was_cut_off_is_refused_with_that_reason(
    kind: str, subtype: str, tmp_path: Path
) -> None:
    path, whole = tmp_path / "a.bin", content(kind, subtype)
    path.write_bytes(whole)
    samples, rate = read_samples(path)
    assert (samples.shape, rate) == ((48000, 1), 16000)
    for size in (len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:size])
        with pytest.raises(ItemError, match=r"truncated|lost sync"):
            read_samples(path)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_header_that_promises_nothing_is_believed(size: int, tmp_path: Path) -> None:
    """As SoX and FFmpeg write a WAV to a pipe, and a recorder that was never closed."""
    whole = bytearray(content("WAV", "PCM_16"))
    whole[40:44] = struct.pack("<I", size)
    (tmp_path / "a.wav").write_bytes(whole)
    assert missing_part(tmp_path / "a.wav") == ""
    if size:
        assert len(read_samples(tmp_path / "a.wav")[0]) == 48000


def test_chunks_behind_the_samples_are_no_samples(tmp_path: Path) -> None:
    whole = content("WAV", "PCM_16") + b"LIST\x04\x00\x00\x00abcd"
    (tmp_path / "a.wav").write_bytes(whole)
    assert len(read_samples(tmp_path / "a.wav")[0]) == 48000


@pytest.mark.timeout(20)
def test_pipes_devices_folders_and_links_to_nowhere_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    assert stat.S_ISCHR((tmp_path / "device.wav").stat().st_mode)
    for name, said in (
        ("pipe", "is a named pipe"),
        ("folder", "is a folder"),
        ("device", "is a device"),
        ("gone", "no such file: .* is a link to nowhere.wav"),
        ("absent", "no such file"),
    ):
        with pytest.raises(ItemError, match=said):
            read_samples(tmp_path / f"{name}.wav")


def test_decoded_files_are_mono(tmp_path: Path) -> None:
    path, mono = tmp_path / "a.wav", wave()
    soundfile.write(path, np.stack([mono, mono], axis=1), 16000)
    assert read_decoded(path)[0].shape == mono.shape
    soundfile.write(path, np.stack([mono, 0.5 * mono], axis=1), 16000)
    with pytest.raises(ItemError, match=r"expected mono, got 2 different channels$"):
        read_decoded(path)
    soundfile.write(path, np.stack([mono, -mono], axis=1), 16000, subtype="FLOAT")
    with pytest.raises(ItemError, match="of opposite phase"):
        read_decoded(path)
    soundfile.write(path, np.zeros(0), 16000)
    with pytest.raises(ItemError, match="no samples"):
        read_decoded(path)
