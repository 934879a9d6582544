"""What decoders do about lost frames: their own bridging is better than silence, and is told."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import synbench_codecs
from synbench import policy
from synbench.conditions.applied import Applied
from synbench.conditions.condition import read_conditions
from synbench.conditions.transmission import Channel
from synbench_base.errors import UsageError
from synbench_codecs import ConcealingCodec, Encoded
from synbench_metrics import load, score

SPEECH = Path(__file__).resolve().parents[3] / "shared" / "speech16"
CONCEALING = {
    "opus:bitrate_bps=12000": 0.03,
    "opus:bitrate_bps=24000": 0.03,
    "lc3:bitrate_bps=32000": 0.02,
    "amr-nb:bitrate_bps=12200": 0.0,
}
# Marks lost frames of one sample each with the number that the decoder reads from its file.
DECODER = """
import sys
data = open(sys.argv[1], "rb").read()
lost = open(sys.argv[2]).read().split()
out = b"".join(b"\\x00\\x40" if one == "1" else data[i * 640 : i * 640 + 640][:2]
               for i, one in enumerate(lost))
open(sys.argv[3], "wb").write(b"".join(out[i : i + 2] * 320 for i in range(0, len(out), 2)))
"""


def channel(seconds: float, item: str, *, conceal: str, loss: float = 0.1) -> Channel:
    entry = {"channel": {"frame_loss": loss, "burst": 1.5, "conceal": conceal}}
    (condition,) = read_conditions([entry], folder=Path())
    return Channel(applied=Applied(condition=condition, corpus="c"), item=item, seconds=seconds)


def through(codec: ConcealingCodec, wave: np.ndarray, item: str, conceal: str) -> np.ndarray:
    rate = codec.info.sample_rate
    resampled = policy.at_rate(wave, sample_rate=16000, to=rate).astype("float32")
    encoded = synbench_codecs.encode(codec, resampled, rate)
    lossy = channel(wave.size / 16000, item, conceal=conceal)
    decoded = lossy.decode(lossy.receive(encoded, codec=codec), codec=codec)
    return policy.align(
        decoded,
        sample_rate=codec.info.output_sample_rate,
        delay_samples=codec.info.output_delay_samples,
        reference=wave,
        reference_rate=16000,
    ).wave


def mean_stoi(spec: str, conceal: str) -> float:
    codec, scores = synbench_codecs.load(spec), []
    for path in sorted(SPEECH.glob("*.flac"))[:60:15]:
        wave = soundfile.read(path)[0][: 4 * 16000]
        # The seed is that of item and condition, so every way of concealing has its own pattern;
        # what is compared is the mean over all items.
        degraded = through(codec, wave, path.stem, conceal)
        outcome = score(load("stoi"), reference=wave, degraded=degraded, sample_rate=16000)
        scores.append(outcome.value)
    return float(np.mean(scores))


@pytest.mark.shared("speech16")
@pytest.mark.parametrize(("spec", "margin"), CONCEALING.items(), ids=CONCEALING)
def test_at_a_tenth_lost_a_decoder_s_own_bridging_beats_silence(spec: str, margin: float) -> None:
    pytest.importorskip("av")
    assert mean_stoi(spec, "codec") > mean_stoi(spec, "zero") + margin


@pytest.mark.shared("speech16")
def test_a_copy_in_the_next_packet_saves_most_of_what_is_lost() -> None:
    plain, copies = (mean_stoi(f"opus:bitrate_bps=24000{fec}", "codec") for fec in ("", ",fec=10"))
    assert copies > plain + 0.01


def test_the_decoder_never_gets_the_bits_of_a_lost_frame() -> None:
    codec = synbench_codecs.load("opus:bitrate_bps=12000")
    wave = (0.1 * np.sin(np.arange(48000) / 7)).astype("float32")
    encoded = codec.encode(wave, 16000)
    lossy = channel(3.0, "a", conceal="codec", loss=0.3)
    received = lossy.receive(encoded, codec=codec)
    size = codec.packet_bytes
    parts = [received.encoded.payload[i : i + size] for i in range(0, len(encoded.payload), size)]
    assert received.damaged == received.lost.sum() > 20
    for part, lost in zip(parts, received.lost, strict=True):
        assert not lost or part == bytes(size)
    other = Encoded(**{**vars(received.encoded), "payload": encoded.payload})
    concealed = codec.decode_with_losses(received.encoded, received.lost)
    assert np.array_equal(concealed, codec.decode_with_losses(other, received.lost))


def test_nothing_lost_is_decoded_as_ever() -> None:
    for spec in CONCEALING:
        codec = synbench_codecs.load(spec)
        rate = codec.info.sample_rate
        wave = (0.1 * np.sin(np.arange(rate) / 7)).astype("float32")
        encoded = codec.encode(wave, rate)
        count = len(synbench_codecs.payload_frames(encoded, info=codec.info))
        whole = codec.decode_with_losses(encoded, np.zeros(count, dtype=bool))
        assert np.allclose(whole, codec.decode(encoded), atol=2 / 32768)


def test_a_codec_without_its_own_repeats_the_last_frame() -> None:
    codec = synbench_codecs.load("g722")
    assert not codec.info.conceals
    encoded = codec.encode((0.1 * np.sin(np.arange(32000) / 7)).astype("float32"), 16000)
    one, two = (channel(2.0, "a", conceal=how).applied.condition for how in ("codec", "repeat"))
    assert one.identity != two.identity
    if codec.info.bits_per_frame is None:
        pytest.skip("declares no frames")
    lossy = channel(2.0, "a", conceal="codec")
    received = lossy.receive(encoded, codec=codec)
    # Repeated, not zeroed: the stream itself carries what the decoder makes of a loss.
    assert np.array_equal(lossy.decode(received, codec=codec), codec.decode(received.encoded))
    assert received.lost.any()


def test_an_external_decoder_is_told_which_frames_were_lost(tmp_path: Path) -> None:
    script = tmp_path / "decoder.py"
    script.write_text(DECODER)
    codec = synbench_codecs.load(
        "command",
        encoder="cp {input} {output}",
        decoder=f"{sys.executable} {script} {{input}} {{losses}} {{output}}",
        sample_rate=16000,
        format="raw",
        frame_samples=320,
    )
    assert codec.info.conceals
    encoded = codec.encode(np.full(32000, 0.25, dtype="float32"), 16000)
    lossy = channel(2.0, "a", conceal="codec", loss=0.3)
    received = lossy.receive(encoded, codec=codec)
    decoded = lossy.decode(received, codec=codec).reshape(-1, 320)
    assert received.of == 100
    assert np.array_equal(decoded[:, 0] == 0.5, received.lost)
    assert received.lost.any()


def test_losses_of_an_external_decoder_need_the_length_of_its_frames() -> None:
    with pytest.raises(UsageError, match="frame_samples, such as 320"):
        synbench_codecs.load(
            "command",
            encoder="e {input} {output}",
            decoder="d {input} {output} {losses}",
            sample_rate=16000,
        )
