"""What the contract cannot see: agreement with the libraries' own front ends, and versions."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synbench_codecs import load
from synbench_codecs.adapters import amr_wb
from synbench_codecs.adapters.codec2 import MODES
from synbench_codecs.errors import BitstreamError, Unavailable

PYCODEC2 = """
import sys, numpy, pycodec2
bit_rate, source, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]
encoder, decoder = pycodec2.Codec2(bit_rate), pycodec2.Codec2(bit_rate)
frames = numpy.load(source)
numpy.save(target, numpy.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames]))
"""


@pytest.mark.parametrize("bitrate_bps", [3200, 700])
def test_codec2_is_what_pycodec2_gives_in_a_new_process(
    bitrate_bps: int, synthetic: Callable[[int], NDArray[np.float32]], tmp_path: Path
) -> None:
    pytest.importorskip("pycodec2")
    codec, hop = load("codec2", bitrate_bps=bitrate_bps), MODES[bitrate_bps].hop
    wave = synthetic(8000)
    decoded = codec.decode(codec.encode(wave, 8000))
    padded = np.pad(wave, (0, decoded.size - wave.size))
    frames = np.clip(np.rint(padded * 32768), -32768, 32767).astype(np.int16).reshape(-1, hop)
    source, target = tmp_path / "source.npy", tmp_path / "target.npy"
    np.save(source, frames)
    command = [sys.executable, "-c", PYCODEC2, str(bitrate_bps), source, target]
    subprocess.run(command, check=True)
    np.testing.assert_array_equal(decoded, np.load(target) / np.float32(32768))


def test_opus_packets_carry_the_stated_configuration() -> None:
    """RFC 6716, 3.1: configurations 1 and 9 are SILK, 20 ms, narrowband and wideband; mono."""
    pytest.importorskip("av")
    noise = 0.1 * np.random.default_rng(1).standard_normal(16000).astype(np.float32)
    for bitrate_bps, configuration in ((6000, 1), (16000, 9)):
        payload = load("opus", bitrate_bps=bitrate_bps).encode(noise, 16000).payload
        heads = payload[:: bitrate_bps // 400]
        assert {head >> 3 for head in heads[1:]} == {configuration}
        assert not any(head & 0b100 for head in heads)


def test_damaged_opus_packets_are_refused() -> None:
    pytest.importorskip("av")
    codec = load("opus", bitrate_bps=6000)
    encoded = codec.encode(np.zeros(16000, dtype=np.float32), 16000)
    damaged = dataclasses.replace(encoded, payload=b"\xff" * len(encoded.payload))
    with pytest.raises(BitstreamError):
        codec.decode(damaged)


def test_versions_are_those_of_the_libraries() -> None:
    pytest.importorskip("av")
    assert load("opus").info.implementation.startswith("libopus ")
    assert load("g722").info.implementation.startswith("libavcodec ")
    assert load("amr-nb").info.implementation.startswith("libopencore-amrnb ")


def test_absent_encoder_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    monkeypatch.setattr(amr_wb, "load_library", lambda path: None)
    amr_wb.encoder_library.cache_clear()
    with pytest.raises(Unavailable, match="apt-get install libvo-amrwbenc0"):
        load("amr-wb")
