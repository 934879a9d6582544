"""Any external encoder and decoder, run as commands on temporary files.

The payload is the file that the encoder wrote, and all its bits are counted, a file header among
them. Where that would overstate the bit rate, choose an output without a header, or strip it in a
script of one's own. The EVS reference coder, for one, stores every bit as a 16-bit word (ITU-T
G.192) unless it is called with ``-mime``, which packs the bits and adds one byte per frame.

The decoder runs in a new folder that holds nothing but the bitstream: nothing can pass it by.
Commands are split as a shell would (:mod:`shlex`) and run without a shell, in that folder: files
that they name, such as a script, need absolute paths. The digests of the programs, and of every
file that a command names, are part of the codec's identity: a program that was built anew is
another codec.
"""

from __future__ import annotations

import math
import re
import shlex
import shutil
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_base.folders import typed_path
from synbench_base.sample_rates import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from synbench_base.weights import WeightsSource, file_sha256
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import (
    BitstreamError,
    EncodeError,
    SynbenchError,
    Unavailable,
    UsageError,
)
from synbench_codecs.support.adapting import check_choice, check_range, from_pcm, full_spec, to_pcm
from synbench_codecs.support.child_process import run_program, scratch_folder

FORMATS = {"wav": ".wav", "raw": ".raw"}
PCM = np.dtype("<i2")
# What may be the path of a file inside a word, such as a script for `sh -c`.
PATH_IN_TEXT = re.compile(r"[~/][^\s\"'=:,;|&<>()]+")
LOSSES = "losses.txt"
DEFAULTS = {
    "label": "",
    "bitrate_bps": 0,
    "delay_samples": 0,
    "format": "wav",
    "frame_samples": 0,
    "timeout": 60,
}

__all__ = ["CODECS", "Command"]


class Command:
    """An external codec.

    Args:
        encoder: command with ``{input}`` and ``{output}``, from samples to bitstream.
        decoder: command with ``{input}`` and ``{output}``, from bitstream to samples; one that
            bridges lost frames by itself also has ``{losses}``: a text file with a line ``0`` or
            ``1`` for each frame, 1 where it was lost and its bits must not be used.
        sample_rate: Hz, of input and output.
        bitrate_bps: nominal bit rate; 0 where there is none.
        delay_samples: lag of the decoded wave.
        format: ``wav`` or ``raw`` (16-bit little-endian without a header).
        frame_samples: samples per frame, which ``{losses}`` needs; 0 where unknown.
        timeout: seconds that each command may take.
        label: name for tables; the encoder's program where empty.
    """

    points: ClassVar[tuple[Options, ...]] = ()
    local_options: ClassVar[frozenset[str]] = frozenset({"decoder", "encoder"})

    def __init__(
        self,
        *,
        encoder: str,
        decoder: str,
        sample_rate: int,
        bitrate_bps: int = 0,
        delay_samples: int = 0,
        format: str = "wav",  # noqa: A002 - the option's name in a suite
        frame_samples: int = 0,
        timeout: int = 60,
        label: str = "",
    ) -> None:
        check_range("command", "sample_rate", sample_rate, LOWEST_RATE_HZ, HIGHEST_RATE_HZ)
        check_range("command", "bitrate_bps", bitrate_bps, 0, 10_000_000)
        check_range("command", "delay_samples", delay_samples, 0, 1_000_000)
        check_range("command", "frame_samples", frame_samples, 0, sample_rate)
        check_range("command", "timeout", timeout, 1, 86400)
        check_choice("command", "format", format, FORMATS)
        self.encoder = _split("encoder", encoder)
        self.decoder = _split("decoder", decoder)
        conceals = any("{losses}" in part for part in self.decoder)
        if conceals and not frame_samples:
            raise UsageError(
                "command: a decoder with {losses} needs frame_samples, such as 320 for 20 ms at "
                "16000 Hz"
            )
        self.suffix = FORMATS[format]
        self.timeout = timeout
        self._files = {path: _digest(path) for path in _named_files(self.encoder, self.decoder)}
        options = {
            "encoder": encoder,
            "decoder": decoder,
            "sample_rate": sample_rate,
            "bitrate_bps": bitrate_bps,
            "delay_samples": delay_samples,
            "format": format,
            "frame_samples": frame_samples,
            "timeout": timeout,
            "label": label,
        }
        self.info = CodecInfo(
            spec=full_spec("command", options, DEFAULTS),
            label=label or Path(self.encoder[0]).name,
            kind="external",
            adapter_version=2,
            implementation=f"{Path(self.encoder[0]).name}, {Path(self.decoder[0]).name}",
            sample_rate=sample_rate,
            output_sample_rate=sample_rate,
            nominal_bitrate_bps=Fraction(bitrate_bps) if bitrate_bps else None,
            hop_length=frame_samples or None,
            frame_rate_hz=Fraction(sample_rate, frame_samples) if frame_samples else None,
            lookahead_samples=None,
            output_delay_samples=delay_samples,
            weights=tuple(
                WeightsSource(repository="local", revision="", file=path.name, sha256=digest)
                for path, digest in self._files.items()
            ),
            conceals=conceals,
            source="external programs",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Run the encoder on a wave, shape ``(samples,)``; the samples are rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses; the command failed or wrote nothing.
            Unavailable: the program is absent.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        with scratch_folder("command") as folder:
            source, target = folder / f"input{self.suffix}", folder / "bitstream"
            _write_samples(source, checked, sample_rate)
            self._run(self.encoder, source, target, EncodeError)
            payload = target.read_bytes()
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=8 * len(payload),
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """Run the decoder on the payload and return what it writes, unchanged, at its full length.

        Raises:
            BitstreamError: the command failed or wrote no usable samples.
            Unavailable: the program is absent.
        """
        hop = self.info.hop_length
        n_frames = math.ceil(encoded.n_samples / hop) if hop else 0
        return self.decode_with_losses(encoded, np.zeros(n_frames, dtype=bool))

    def decode_with_losses(self, encoded: Encoded, lost: NDArray[np.bool_]) -> Wave:
        """The same, told which frames were lost; see ``{losses}``."""
        check_encoded(encoded, info=self.info)
        with scratch_folder("command") as folder:
            source, target = folder / "bitstream", folder / f"output{self.suffix}"
            source.write_bytes(encoded.payload)
            if any("{losses}" in part for part in self.decoder):
                (folder / LOSSES).write_text("".join(f"{int(one)}\n" for one in lost))
            self._run(self.decoder, source, target, BitstreamError)
            return _read_samples(target, encoded.sample_rate)

    def _run(
        self, command: list[str], source: Path, target: Path, failure: type[SynbenchError]
    ) -> None:
        losses = source.parent / LOSSES
        filled = [part.format(input=source, output=target, losses=losses) for part in command]
        program = shutil.which(filled[0])
        name = Path(filled[0]).name
        if program is None:
            raise Unavailable(f"no such program: {name}; install it or name its full path")
        changed = [path.name for path, digest in self._files.items() if _digest(path) != digest]
        if changed:
            raise failure(f"{', '.join(changed)} changed after the codec was loaded")
        try:
            code, said = run_program(
                [Path(program).absolute(), *filled[1:]],
                folder=source.parent,
                seconds=self.timeout,
            )
        except TimeoutError as error:
            raise failure(f"{name} took longer than {self.timeout} s") from error
        except OSError as error:
            raise failure(f"{name} cannot be started: {error.strerror}") from error
        if code:
            raise failure(f"{name} exited with {code}: {said}")
        if not target.is_file() or not target.stat().st_size:
            raise failure(f"{name} wrote no output: {said}")


def _named_files(*commands: list[str]) -> list[Path]:
    """The programs and all files that the words of commands name, each once, in their order."""
    files: dict[Path, None] = {}
    for program, *words in commands:
        where = shutil.which(program)
        files[Path(where or program)] = None
        for word in words:
            for text in (word, *PATH_IN_TEXT.findall(word)):
                path = typed_path(text) if text.startswith(("/", "~/")) else None
                if path is not None and path.is_file():
                    files[path] = None
    return list(files)


def _digest(path: Path) -> str:
    """Of a file; a word where there is none, so that its coming changes the codec's identity."""
    return file_sha256(path) if path.is_file() else "absent"


def _split(option: str, template: str) -> list[str]:
    """The parts of a command template.

    Raises:
        UsageError: it lacks ``{input}`` or ``{output}``, or holds another field.
    """
    try:
        parts = shlex.split(str(template))
        fields = {"input": "\0in", "output": "\0out"}
        if option == "decoder":
            fields["losses"] = "\0losses"
        filled = " ".join(part.format(**fields) for part in parts)
    except (ValueError, LookupError) as error:
        raise UsageError(f"command: cannot read {option} {template!r}: {error}") from error
    if "\0in" not in filled or "\0out" not in filled:
        raise UsageError(
            f"command: {option} must contain {{input}} and {{output}}; got {template!r}"
        )
    return parts


def _write_samples(path: Path, wave: Wave, sample_rate: int) -> None:
    samples = to_pcm(wave)
    if path.suffix == ".raw":
        path.write_bytes(samples.astype(PCM).tobytes())
        return
    import soundfile

    soundfile.write(path, samples, sample_rate, subtype="PCM_16")


def _read_samples(path: Path, sample_rate: int) -> Wave:
    if path.suffix == ".raw":
        data = path.read_bytes()
        if len(data) % PCM.itemsize:
            raise BitstreamError(f"the decoder wrote {len(data)} bytes, no whole 16-bit samples")
        return from_pcm(np.frombuffer(data, dtype=PCM).astype(np.int16))
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise BitstreamError(f"the decoder wrote no readable wav file: {error}") from error
    if rate != sample_rate or samples.shape[1] != 1:
        raise BitstreamError(
            f"expected one channel at {sample_rate} Hz from the decoder, got {samples.shape[1]} at "
            f"{rate} Hz"
        )
    return np.ascontiguousarray(samples[:, 0], dtype=np.float32)


CODECS = {"command": Command}
