"""`encode`, `decode`, `info` and the lists: what they print, write, refuse and exit with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import synbench_codecs
from synbench_codecs import Encoded, pack_tokens, write_stream

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_there_and_back(speech_folder: Path, synbench: Command, tmp_path: Path) -> None:
    stream, wave = tmp_path / "a.syn", tmp_path / "a.wav"
    source = speech_folder / "a.wav"
    coded = synbench("encode", "g722", source, stream)
    assert coded.returncode == 0, coded.stderr
    assert synbench("decode", stream, wave).returncode == 0
    assert soundfile.info(wave).frames == soundfile.info(source).frames
    facts = json.loads(synbench("info", stream, "--json").stdout)
    assert facts["codec"] == "g722"
    assert facts["payload_bitrate_bps"] == pytest.approx(64000, rel=0.02)
    assert facts["file_bytes"] == stream.stat().st_size > facts["payload_bits"] / 8
    assert "payload_bits" in synbench("info", stream).stdout


def test_damaged_and_foreign_streams_are_refused(
    speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    stream, wave = tmp_path / "a.syn", tmp_path / "a.wav"
    assert synbench("encode", "passthrough", speech_folder / "a.wav", stream).returncode == 0
    whole = bytearray(stream.read_bytes())
    whole[len(whole) // 2] ^= 1
    for content in (bytes(whole), bytes(whole[:40]), b"RIFF of another kind", b""):
        stream.write_bytes(content)
        for command in (("decode", stream, wave), ("info", stream)):
            done = synbench(*command)
            assert done.returncode == 2
            assert done.stderr.startswith("Error: ")
            assert "Traceback" not in done.stderr
    assert not wave.exists()


@pytest.mark.parametrize(
    ("frames", "codebooks", "codes", "expected", "spec"),
    [(75, 8, 1024, 6000, "encodec"), (40, 1, 4096, 480, "wavtokenizer")],
)
def test_the_bit_rate_of_a_second_of_tokens(
    frames: int,
    codebooks: int,
    codes: int,
    expected: int,
    spec: str,
    synbench: Command,
    tmp_path: Path,
) -> None:
    """Counted from packed tokens, and in the codec's documents: frames x codebooks x log2 codes."""
    tokens = np.random.default_rng(0).integers(0, codes, (codebooks, frames))
    payload, bits = pack_tokens(tokens, [codes] * codebooks)
    encoded = Encoded(
        spec=spec, payload=payload, payload_bits=bits, n_samples=24000, sample_rate=24000
    )
    (tmp_path / "a.syn").write_bytes(write_stream(encoded))
    facts = json.loads(synbench("info", tmp_path / "a.syn", "--json").stdout)
    assert facts["payload_bitrate_bps"] == expected
    pytest.importorskip("torch", reason="the documents' part: pip install 'synbench[torch]'")
    info = synbench_codecs.describe(spec)
    assert info is not None
    assert info.nominal_bitrate_bps == expected
    assert (info.frame_rate_hz, info.codebook_sizes) == (frames, (codes,) * codebooks)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("opuss:bitrate_bps=6000", "opus"),
        ("opus:bitrate=6000", "bitrate_bps"),
        ("opus:bitrate_bps=6001", "6001"),
    ],
)
def test_a_misspelt_codec(
    spec: str, said: str, speech_folder: Path, synbench: Command, tmp_path: Path
) -> None:
    done = synbench("encode", spec, speech_folder / "a.wav", tmp_path / "a.syn")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "a.syn").exists()


def test_a_missing_file_and_a_missing_command(synbench: Command, tmp_path: Path) -> None:
    absent = synbench("encode", "passthrough", tmp_path / "none.wav", tmp_path / "a.syn")
    assert absent.returncode == 2
    assert "none.wav" in absent.stderr
    misspelt = synbench("runn")
    assert misspelt.returncode == 2
    assert "did you mean run" in misspelt.stderr


@pytest.mark.parametrize(
    ("command", "key", "expected"),
    [
        ("codecs", "spec", {"passthrough", "lowpass-3k5", "opus:bitrate_bps=6000"}),
        ("metrics", "column", {"pesq_wb", "stoi", "visqol_speech_exp", "si_sdr"}),
    ],
)
def test_lists_for_programs(command: str, key: str, expected: set[str], synbench: Command) -> None:
    facts = json.loads(synbench(command, "--json").stdout)
    assert expected <= {fact[key] for fact in facts}
    assert synbench(command).returncode == 0


def test_corpora_and_suites_are_listed(synbench: Command) -> None:
    assert {"folder", "libritts", "vctk"} <= set(json.loads(synbench("corpora", "--json").stdout))
    assert "demo" in json.loads(synbench("suites", "--json").stdout)
    assert json.loads(synbench("suites", "--schema").stdout)["additionalProperties"] is False


def test_plan_says_what_is_missing_and_computes_nothing(
    speech_folder: Path, write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    suite, run = write_suite(speech_folder, metrics=["si_sdr"]), tmp_path / "run"
    before = synbench("plan", suite, "--out", run)
    assert before.returncode == 0, before.stderr
    assert "3 of 3 scores to compute" in before.stdout
    assert not run.exists()
    assert synbench("run", suite, "--out", run, "--workers", "0").returncode == 0
    assert "0 of 3 scores to compute (3 are there)" in synbench("plan", suite, "--out", run).stdout
