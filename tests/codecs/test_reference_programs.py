"""The templates of the documentation for EVS and LC3plus, with stand-ins for the programs.

A stand-in takes the arguments and reads and writes the files of the reference program; it codes
a frame by its first sample. A frame that did not arrive becomes a tone at half scale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import synbench_codecs
from synbench_codecs import read_stream, write_stream
from synbench_codecs.errors import EncodeError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/codecs-in-their-own-environment.md"
CONCEALED = 0.5

PROGRAM = """
import pathlib, struct, sys, wave
import numpy as np
kind, words = sys.argv[1], sys.argv[2:]
if kind == "EVS_cod":
    assert words[:4] == ["-q", "-max_band", "WB", "13200"] and words[4] == "16"
    source, target, bits, hop = *words[5:], BITS or 264, 320
elif kind == "EVS_dec":
    assert words[:2] == ["-q", "16"]
    source, target, bits, hop = *words[2:], 264, 320
else:
    assert words[1:4] == ["-q", "-formatG192", "-cfgG192"]
    config = pathlib.Path(words[4])
    if words[0] == "-E":
        assert words[5:7] == ["-frame_ms", "10"] and words[9] == "32000"
        config.write_bytes(b"rates and more")
        kind, source, target = "encode", *words[7:9]
    else:
        header = struct.unpack("<9H", config.read_bytes())
        assert header[:7] == (0xcc1c, 18, 160, 320, 1, 1000, 0)
        kind, source, target = "decode", *words[5:]
    bits, hop = 320, 160
if kind in ("EVS_cod", "encode"):
    if kind == "encode":
        with wave.open(source) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    else:
        samples = np.fromfile(source, "<i2")
    samples = np.pad(samples, (0, -samples.size % hop)).reshape(-1, hop)
    with open(target, "wb") as file:
        for value in samples[:, 0].view("<u2"):
            text = f"{value:016b}".ljust(bits, "1")
            coded = [0x81 if bit == "1" else 0x7f for bit in text]
            file.write(np.array([0x6b21, bits, *coded], "<u2").tobytes())
else:
    frames = np.fromfile(source, "<u2").reshape(-1, bits + 2)
    assert (frames[:, 1] == bits).all() and np.isin(frames[:, 2:], (0x7f, 0x81)).all()
    values = (frames[:, 2:18] == 0x81) @ (1 << np.arange(15, -1, -1))
    values = values.astype("<u2").view("<i2")
    values[frames[:, 0] == 0x6b20] = 16384
    out = np.repeat(values, hop)
    if kind == "decode":
        out = out[: header[7] | header[8] << 16]
        with wave.open(target, "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(out.tobytes())
    else:
        out.tofile(target)
"""


def templates() -> list[dict[str, Any]]:
    blocks = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]
    suites = [yaml.safe_load(block.partition("```")[0])[0] for block in blocks]
    return [suite["options"] for suite in suites if suite["codec"] == "command"]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    def make(options: dict[str, Any], bits: int = 0) -> Any:
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.replace("BITS", str(bits)), encoding="utf-8")
        here = {
            "python3 /opt/g192.py": f"{sys.executable} {ROOT / 'examples/codecs/g192.py'}",
            "/opt/evs/": f"{sys.executable} {program} ",
            "/opt/lc3plus/": f"{sys.executable} {program} ",
        }
        commands = {}
        for name in ("encoder", "decoder"):
            commands[name] = options[name]
            for there, path in here.items():
                commands[name] = commands[name].replace(there, path)
        return synbench_codecs.load("command", **{**options, **commands})

    return make


@pytest.mark.parametrize("options", templates(), ids=lambda options: options["label"])
def test_bits_are_counted_and_lost_frames_marked(
    load: Callable[..., Any], options: dict[str, Any]
) -> None:
    codec = load(options)
    hop, n_samples = codec.info.hop_length, 16000
    wave = np.sin(np.arange(n_samples) / 500).astype(np.float32) / 2
    encoded = read_stream(write_stream(codec.encode(wave, 16000)))
    # One second, nothing but the frames' bits.
    assert encoded.payload_bits == options["bitrate_bps"]
    assert codec.info.conceals
    firsts = codec.decode(encoded).reshape(-1, hop)
    np.testing.assert_allclose(firsts, np.repeat(wave[::hop, None], hop, axis=1), atol=1e-4)
    lost = np.arange(n_samples // hop) % 3 == 1
    bridged = codec.decode_with_losses(encoded, lost).reshape(-1, hop)
    np.testing.assert_array_equal(bridged[~lost], firsts[~lost])
    np.testing.assert_array_equal(bridged[lost], CONCEALED)


def test_a_rate_that_varies_is_refused(load: Callable[..., Any]) -> None:
    evs = next(options for options in templates() if "EVS" in options["label"])
    with pytest.raises(EncodeError, match="no whole frames of 264 bits and two words"):
        load(evs, bits=184).encode(np.zeros(3200, np.float32), 16000)
