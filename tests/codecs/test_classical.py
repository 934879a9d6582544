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
from synbench_codecs.errors import BitstreamError, Unavailable, UsageError

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


@pytest.mark.parametrize("enhance", ["lace", "nolace"])
def test_opus_networks_change_the_wave_and_not_the_bits(
    enhance: str, synthetic: Callable[[int], NDArray[np.float32]]
) -> None:
    try:
        enhanced = load("opus", bitrate_bps=12000, enhance=enhance)
    except Unavailable as reason:
        pytest.skip(str(reason))
    plain, wave = load("opus", bitrate_bps=12000), synthetic(16000)
    encoded, same = enhanced.encode(wave, 16000), plain.encode(wave, 16000)
    assert encoded.payload == same.payload
    one, other = enhanced.decode(encoded), plain.decode(same)
    assert one.size == other.size
    # The same speech with other details.
    assert 0.5 < np.corrcoef(one, other)[0, 1] < 0.999
    assert "decoder" in enhanced.info.implementation


def test_opus_networks_are_asked_for_where_they_work() -> None:
    pytest.importorskip("av")
    for options in ({"bitrate_bps": 6000}, {"sample_rate": 8000}):
        with pytest.raises(UsageError, match="enhance=nolace needs wideband"):
            load("opus", enhance="nolace", **options)


def test_a_libopus_without_the_networks_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV's own exports every function of 1.5 and carries no networks."""
    from synbench_codecs.support import libopus
    from synbench_codecs.support.adapting import bundled_library

    pytest.importorskip("av")
    monkeypatch.setenv("SYNBENCH_LIBOPUS", str(bundled_library("av", "libopus")))
    libopus._library.cache_clear()
    try:
        with pytest.raises(Unavailable, match="without LACE and NoLACE; set SYNBENCH_LIBOPUS to"):
            load("opus", enhance="lace")
    finally:
        libopus._library.cache_clear()


def test_lc3_is_what_the_library_gives_in_one_stream(
    synthetic: Callable[[int], NDArray[np.float32]],
) -> None:
    lc3 = pytest.importorskip("lc3", reason="pip install 'synbench[classical]'")
    codec, wave = load("lc3", bitrate_bps=24000), synthetic(16000)
    encoder, decoder = lc3.Encoder(10000, 16000), lc3.Decoder(10000, 16000)
    filled = np.pad(wave, (0, 160 + -wave.size % 160))
    frames = [encoder.encode(frame.tolist(), 30) for frame in filled.reshape(-1, 160)]
    encoded = codec.encode(wave, 16000)
    assert encoded.payload == b"".join(frames)[: len(encoded.payload)]
    expected = np.concatenate([decoder.decode(frame) for frame in frames])
    decoded = codec.decode(encoded)
    np.testing.assert_array_equal(decoded, expected[: decoded.size])


def test_g723_1_keeps_all_bits_that_a_frame_uses() -> None:
    pytest.importorskip("av")
    from synbench_codecs.adapters.g723_1 import _kept, _whole
    from synbench_codecs.support.ffmpeg import encode_packets

    noise = (3000 * np.random.default_rng(1).standard_normal(240 * 40)).astype(np.int16)
    packets = encode_packets(
        noise, encoder="g723_1", sample_rate=8000, frame_length=240, bitrate_bps=6300
    )
    assert [_whole(_kept(packet)) for packet in packets] == packets
    # 189 bits: the last three of 24 bytes are free.
    assert not any(_kept(packet)[-1] & 0b111 for packet in packets)
    assert load("g723-1").encode(np.zeros(24000, np.float32), 8000).payload_bits == 101 * 189


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
    monkeypatch.setattr(amr_wb.amrwb_program, "program", lambda: None)
    with pytest.raises(Unavailable, match=r"libvo-amrwbenc0; .*pip install imageio-ffmpeg==0\.6"):
        load("amr-wb")


def test_amr_wb_without_its_library_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, synthetic: Callable[[int], NDArray[np.float32]]
) -> None:
    pytest.importorskip("av")
    pytest.importorskip("imageio_ffmpeg", reason="pip install imageio-ffmpeg==0.6.0")
    wave = synthetic(16000)[:12345]
    by_library = [load("amr-wb", bitrate_bps=rate) for rate in amr_wb.MODES]
    expected = [codec.encode(wave, 16000) for codec in by_library]
    monkeypatch.setattr(amr_wb, "load_library", lambda path: None)
    amr_wb.encoder_library.cache_clear()
    by_program = [load("amr-wb", bitrate_bps=rate) for rate in amr_wb.MODES]
    assert by_program[0].info.identity == by_library[0].info.identity
    assert [codec.encode(wave, 16000) for codec in by_program] == expected
