"""``synbench encode``, ``decode`` and ``info``: one file through one codec."""

from __future__ import annotations

import json
from pathlib import Path

import click

import synbench_codecs
from synbench import coding
from synbench.audio import audio_bytes
from synbench_base.errors import BitstreamError
from synbench_base.files import one_line
from synbench_base.outputs import is_standard_output, is_stream, write_output
from synbench_codecs import Encoded

__all__ = ["decode", "encode", "info"]

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("codec")
@click.argument("source", metavar="IN.wav", type=EXISTING_FILE)
@click.argument("target", metavar="OUT.syn", type=NEW_FILE)
def encode(codec: str, source: Path, target: Path) -> None:
    """Encode IN.wav with CODEC, such as opus:bitrate_bps=6000, into OUT.syn."""
    encoded = coding.codec(codec).encode(source)
    write_output(target, synbench_codecs.write_stream(encoded))
    click.echo(_rates(encoded), err=is_standard_output(target))


@click.command()
@click.argument("source", metavar="IN.syn", type=EXISTING_FILE)
@click.argument("target", metavar="OUT.wav", type=NEW_FILE)
@click.option(
    "--codec",
    "chosen",
    default="",
    metavar="CODEC",
    help="The codec, if it starts a program or needs your own files (a stream cannot name those).",
)
def decode(source: Path, target: Path, chosen: str) -> None:
    """Decode IN.syn into OUT.wav, without the codec's delay and exactly as long as the original.

    A codec that starts programs or opens paths is loaded only where --codec names it, with its
    programs and paths: --codec p2psyncodec:weights=mine.safetensors.
    """
    encoded = synbench_codecs.read_stream(source.read_bytes())
    loaded = coding.loaded(synbench_codecs.load_stored(encoded.spec, chosen=chosen), encoded.spec)
    try:
        wave = loaded.decode(encoded)
    except BitstreamError as error:
        raise BitstreamError(f"{source}: {error}") from error
    rate = loaded.output_rate(encoded)
    ending = ".wav" if is_stream(target) else target.suffix
    write_output(target, audio_bytes(wave, sample_rate=rate, suffix=ending))
    said = f"{target}: {wave.size} samples at {rate} Hz, {wave.size / rate:.3f} s"
    click.echo(said, err=is_standard_output(target))


@click.command()
@click.argument("source", metavar="IN.syn", type=EXISTING_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(source: Path, as_json: bool) -> None:
    """Describe the bitstream IN.syn."""
    data = source.read_bytes()
    encoded = synbench_codecs.read_stream(data)
    facts = {
        "codec": encoded.spec,
        "sample_rate": encoded.sample_rate,
        "n_samples": encoded.n_samples,
        "seconds": encoded.n_samples / encoded.sample_rate,
        "payload_bits": encoded.payload_bits,
        "side_bits": encoded.side_bits,
        "payload_bitrate_bps": _bitrate(encoded),
        "file_bytes": len(data),
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        shown = f"{value:.6g}" if isinstance(value, float) else one_line(str(value))
        click.echo(f"{name:20} {shown}")


def _bitrate(encoded: Encoded) -> float:
    return encoded.payload_bits * encoded.sample_rate / encoded.n_samples


def _rates(encoded: Encoded) -> str:
    seconds = encoded.n_samples / encoded.sample_rate
    return (
        f"{encoded.payload_bits} payload bits for {seconds:.3f} s: "
        f"{_bitrate(encoded) / 1000:.3f} kbit/s"
    )
