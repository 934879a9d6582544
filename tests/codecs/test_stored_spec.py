"""What a stream names: no program is started and no path opened because a file says so."""

from __future__ import annotations

import inspect
import shlex
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synbench_codecs
from synbench_codecs import Encoded, load_stored, published_spec, read_stream, write_stream
from synbench_codecs.adapters.external_program import Command
from synbench_codecs.errors import BitstreamError, Unavailable, UsageError

NAMES = synbench_codecs.names()


@pytest.mark.parametrize("name", NAMES)
def test_every_codec_says_which_options_are_paths_or_commands(name: str) -> None:
    """A text that is neither is one of a few words: another one is refused, not looked up."""
    try:
        loaded = synbench_codecs.codec_class(name)
    except Unavailable as reason:
        pytest.skip(str(reason))
    parameters = inspect.signature(loaded).parameters
    assert loaded.local_options <= set(parameters)
    texts = [key for key, one in parameters.items() if one.annotation in ("str", str)]
    for option in set(texts) - loaded.local_options - {"label"}:
        if loaded.local_options & {"encoder", "script", "folder"}:
            continue  # never loaded for a file, whatever else it says
        with pytest.raises(UsageError, match=option):
            synbench_codecs.load(name, **{option: "/no/such/place"})


@pytest.mark.parametrize("name", NAMES)
def test_no_file_sets_an_option_that_is_a_path_or_a_command(name: str, tmp_path: Path) -> None:
    try:
        options = synbench_codecs.codec_class(name).local_options
    except Unavailable as reason:
        pytest.skip(str(reason))
    for option in options:
        with pytest.raises(UsageError, match="nothing is started or opened"):
            load_stored(synbench_codecs.format_spec(name, {option: str(tmp_path)}))


@pytest.mark.parametrize(
    "template",
    [
        "command:encoder='{touch} {{input}} {{output}}',decoder='{touch} {{input}} {{output}}'",
        "isolated:python={python},script={script}",
        "recordings:folder={folder},label=x",
        "dac:weights={script}",
    ],
)
def test_a_file_starts_nothing(template: str, tmp_path: Path) -> None:
    script = tmp_path / "evil.py"
    script.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    spec = template.format(
        touch=f"touch {tmp_path / 'ran'}", python=sys.executable, script=script, folder=tmp_path
    )
    with pytest.raises(UsageError, match="nothing is started or opened"):
        load_stored(spec)
    assert not (tmp_path / "ran").exists()


def test_a_codec_that_says_nothing_is_for_the_user_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(synbench_codecs.codec_class("g722"), "local_options")
    with pytest.raises(UsageError, match="does not say that it is safe"):
        load_stored("g722")
    assert load_stored("g722", chosen="g722").info.spec == "g722"


def test_the_user_names_programs_and_the_file_the_rest() -> None:
    copy = "command:encoder='cp {input} {output}',decoder='cp {input} {output}'"
    stored = f"{copy.replace('cp', 'evil')},sample_rate=8000"
    codec: Any = load_stored(stored, chosen=copy)
    assert isinstance(codec, Command)
    assert codec.encoder[0] == codec.decoder[0] == "cp"
    assert codec.info.sample_rate == 8000
    with pytest.raises(UsageError, match="of the codec 'command', not of 'opus'"):
        load_stored(stored, chosen="opus")


@pytest.mark.parametrize(
    ("spec", "published"),
    [
        ("opus:bitrate_bps=6000", "opus:bitrate_bps=6000"),
        ("p2psyncodec:weights=/home/jane/a b/x.ckpt", "p2psyncodec:weights=x.ckpt"),
        ("recordings:folder=/home/jane/mine,label=Mine", "recordings:folder=mine,label=Mine"),
        (
            "isolated:python=~/v/bin/python,script=../jane/s.py",
            "isolated:python=python,script=s.py",
        ),
    ],
)
def test_published_specs_name_no_folder(spec: str, published: str) -> None:
    assert published_spec(spec) == published
    assert published_spec(published) == published


@pytest.mark.parametrize(
    "command",
    [
        "/home/jane/enc -c /home/jane/x.cfg {input} {output}",
        "python '/home/jane doe/enc.py' --model=/home/jane/m.bin {input} {output}",
        "sh -c 'cat /home/jane/lib/a.bin {input} > {output}'",
        "~jane/enc {input} {output}",
        "/home/jane/broken 'quote {input} {output}",
    ],
)
def test_published_commands_name_no_folder_and_keep_their_words(command: str) -> None:
    spec = synbench_codecs.format_spec("command", {"encoder": command, "decoder": "cp"})
    encoder = synbench_codecs.parse_spec(published_spec(spec))[1]["encoder"]
    assert "jane" not in str(encoder).replace("doe", "")
    assert "{input}" in str(encoder)
    assert "{output}" in str(encoder)
    if "broken" not in command:
        assert len(shlex.split(str(encoder))) == len(shlex.split(command))


def test_a_stream_carries_no_path_and_its_codec_still_decodes_it(tmp_path: Path) -> None:
    copy = f"cp {{input}} {{output}} --backup=none --suffix={tmp_path}/x"
    codec = Command(encoder=copy, decoder=copy, sample_rate=16000)
    wave = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    data = write_stream(codec.encode(wave, 16000))
    assert str(tmp_path).encode() not in data
    assert codec.decode(read_stream(data)) == pytest.approx(wave, abs=1e-4)
    assert published_spec(codec.info.spec) in str(read_stream(data).spec)


def stream(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "spec": "passthrough",
        "payload": bytes(400),
        "payload_bits": 3200,
        "n_samples": 100,
        "sample_rate": 16000,
    }
    return write_stream(Encoded(**fields | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate": 0},
        {"sample_rate": 1},
        {"sample_rate": 999},
        {"sample_rate": 4_000_000_000},
        {"n_samples": 0},
        {"n_samples": 2**63},
        {"n_samples": 16000 * 3600},
        {"sample_rate": 1000, "n_samples": 256_000_000},
    ],
)
def test_what_a_stream_states_is_bounded(changes: dict[str, int]) -> None:
    with pytest.raises(BitstreamError, match="inconsistent"):
        read_stream(stream(**changes))


def test_silence_of_a_minute_and_an_hour_of_speech_are_in_bounds() -> None:
    assert read_stream(stream(n_samples=16000 * 60, payload=b"", payload_bits=0)).payload == b""
    hour = {"n_samples": 16000 * 3600, "payload": bytes(3600 * 50), "payload_bits": 3600 * 400}
    assert read_stream(stream(**hour)).n_samples == 16000 * 3600


def test_mutated_streams_end_in_one_kind_of_error() -> None:
    """5000 mutations with a right checksum, so that every field is reached."""
    generator = np.random.default_rng(17)
    whole = stream(spec="opus:bitrate_bps=6000")[:-4]
    refused = 0
    for _ in range(5000):
        data = bytearray(whole)
        for _ in range(int(generator.integers(1, 4))):
            kind = generator.integers(3)
            offset = int(generator.integers(len(data)))
            if kind == 0:
                data[offset] = int(generator.integers(256))
            elif kind == 1:
                data[offset : offset + 1] = bytes(generator.integers(0, 256, 2).tolist())
            else:
                del data[offset]
        body = bytes(data)
        try:
            encoded = read_stream(body + struct.pack(">I", zlib.crc32(body)))
            load_stored(encoded.spec)
        except (BitstreamError, UsageError, Unavailable):
            refused += 1
    assert refused > 2500
