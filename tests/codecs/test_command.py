"""External commands, played by small Python scripts: a mu-law coder and some that misbehave."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synbench_codecs import load, read_stream, write_stream
from synbench_codecs.errors import BitstreamError, EncodeError, Unavailable, UsageError

RATE = 8000

MU_LAW = """
import pathlib, sys, wave
import numpy as np
direction, source, target = sys.argv[1:]
assert [path.name for path in pathlib.Path().iterdir()] == [pathlib.Path(source).name]
if direction == "encode":
    if source.endswith(".raw"):
        data = open(source, "rb").read()
    else:
        with wave.open(source) as file:
            assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 8000, 2)
            data = file.readframes(file.getnframes())
    x = np.frombuffer(data, "<i2") / 32768
    y = np.sign(x) * np.log1p(255 * abs(x)) / np.log(256)
    open(target, "wb").write((np.round(y * 127) + 128).astype(np.uint8).tobytes())
else:
    y = (np.frombuffer(open(source, "rb").read(), np.uint8).astype(float) - 128) / 127
    x = np.sign(y) * (256 ** abs(y) - 1) / 255
    data = np.round(x * 32767).astype("<i2").tobytes()
    if target.endswith(".raw"):
        open(target, "wb").write(data)
    else:
        with wave.open(target, "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(data)
"""


def template(script: Path, *arguments: str) -> str:
    return f"'{sys.executable}' '{script}' {' '.join(arguments)} {{input}} {{output}}"


@pytest.fixture
def mu_law(tmp_path: Path) -> Callable[..., Any]:
    script = tmp_path / "mu law.py"
    script.write_text(MU_LAW)

    def make(**options: Any) -> Any:
        commands = {"encoder": template(script, "encode"), "decoder": template(script, "decode")}
        return load("command", sample_rate=RATE, **{**commands, **options})

    return make


@pytest.fixture
def misbehaving(tmp_path: Path, mu_law: Callable[..., Any]) -> Callable[..., Any]:
    def make(code: str, option: str = "encoder", **options: Any) -> Any:
        script = tmp_path / "bad.py"
        script.write_text(code)
        return mu_law(**{option: template(script)}, **options)

    return make


def tone() -> NDArray[np.float32]:
    return (0.5 * np.sin(np.arange(RATE // 4) / 5)).astype(np.float32)


@pytest.mark.parametrize("file_format", ["wav", "raw"])
def test_mu_law_coder(file_format: str, mu_law: Callable[..., Any]) -> None:
    codec = mu_law(format=file_format, bitrate_bps=64000, label="mu-law")
    encoded = read_stream(write_stream(codec.encode(tone(), RATE)))
    assert encoded.payload_bits == 8 * tone().size
    assert load(codec.info.spec).info == codec.info
    decoded = load(codec.info.spec).decode(encoded)
    assert decoded.shape == tone().shape
    assert np.abs(decoded - tone()).max() < 0.02
    assert (codec.info.label, codec.info.nominal_bitrate_bps) == ("mu-law", 64000)


def test_failing_encoder_shows_its_last_lines(misbehaving: Callable[..., Any]) -> None:
    codec = misbehaving("import sys; print('no\\nlicence', file=sys.stderr); sys.exit(3)")
    with pytest.raises(EncodeError, match="exited with 3: no / licence"):
        codec.encode(tone(), RATE)


def test_silent_encoder_is_noticed(misbehaving: Callable[..., Any]) -> None:
    with pytest.raises(EncodeError, match="wrote no output: no message"):
        misbehaving("pass").encode(tone(), RATE)


def test_slow_encoder_is_stopped(misbehaving: Callable[..., Any]) -> None:
    with pytest.raises(EncodeError, match="took longer than 1 s"):
        misbehaving("import time; time.sleep(30)", timeout=1).encode(tone(), RATE)


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("raise SystemExit('bad stream')", {}, "exited with 1: bad stream"),
        ("import sys; open(sys.argv[2], 'w').write('text')", {}, "no readable wav"),
        ("import sys; open(sys.argv[2], 'w').write('odd')", {"format": "raw"}, "no whole 16-bit"),
        (
            "import sys, wave; f = wave.open(sys.argv[2], 'wb');"
            "f.setparams((2, 2, 8000, 0, 'NONE', '')); f.writeframes(bytes(8)); f.close()",
            {},
            "expected one channel at 8000 Hz from the decoder, got 2 at 8000 Hz",
        ),
    ],
)
def test_failing_decoder(
    code: str, options: dict[str, Any], message: str, misbehaving: Callable[..., Any]
) -> None:
    codec = misbehaving(code, "decoder", **options)
    with pytest.raises(BitstreamError, match=message):
        codec.decode(codec.encode(tone(), RATE))


def test_absent_program_is_named(mu_law: Callable[..., Any]) -> None:
    codec = mu_law(encoder="no-such-encoder {input} {output}")
    with pytest.raises(Unavailable, match="no such program: no-such-encoder"):
        codec.encode(tone(), RATE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "prog {input}"}, r"encoder must contain \{input\} and \{output\}"),
        ({"decoder": "prog {input} {output} {bits}"}, "cannot read decoder"),
        ({"decoder": "prog '{input} {output}"}, "cannot read decoder"),
        ({"format": "mp3"}, "format must be one of wav, raw; got 'mp3'"),
        ({"timeout": 0}, "timeout must be an integer from 1"),
        ({"delay_samples": -1}, "delay_samples must be an integer from 0"),
    ],
)
def test_bad_options_are_refused(
    options: dict[str, Any], message: str, mu_law: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match=message):
        mu_law(**options)
