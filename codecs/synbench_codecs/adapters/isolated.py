"""A codec in another Python interpreter, for packages whose pins conflict with the ones here.

Make a virtual environment with what the codec needs, and numpy; write a script::

    def describe():
        return {"label": "Theirs 1 kbps", "sample_rate": 16000, "hop_length": 320,
                "codebook_sizes": [1024, 1024], "implementation": "theirs 0.3"}

    def n_frames(n_samples):                   # needed with codebook_sizes
        return -(-n_samples // 320)

    def encode(wave):                          # float32, shape (samples,)
        return tokens                          # integers, shape (codebooks, frames); or bytes

    def decode(tokens, n_samples):             # what encode returned
        return wave                            # float32, shape (samples,)

and name both: ``isolated:python=theirs/bin/python,script=theirs.py``. Tokens are packed and counted
here, as for every codec; the script never sees a wave when it decodes. It is loaded once per
worker, and its digest is part of the codec's identity. ``describe`` may also give
``output_sample_rate``, ``output_delay_samples``, ``lookahead_samples``, ``causal``,
``bitrate_bps``, ``code_licence``, ``weights_licence``, ``training_note``, ``source``, and
``weights``, a list of files whose digests count too.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from synbench_base.folders import typed_path
from synbench_base.weights import WeightsSource, file_sha256
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._packing import pack_tokens, unpack_tokens
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError, EncodeError, Unavailable
from synbench_codecs.support.adapting import check_range, full_spec
from synbench_codecs.support.child_process import scratch_folder
from synbench_codecs.support.isolation import Isolated

DEFAULTS = {"timeout": 600}
# What a description may hold, and the type of each value.
FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "label": str,
    "sample_rate": int,
    "hop_length": int,
    "codebook_sizes": list,
    "implementation": str,
    "output_sample_rate": int,
    "output_delay_samples": int,
    "lookahead_samples": (int, type(None)),
    "causal": bool,
    "bitrate_bps": (int, float),
    "code_licence": str,
    "weights_licence": str,
    "training_note": str,
    "source": str,
    "weights": list,
}

__all__ = ["CODECS", "IsolatedCodec"]


class IsolatedCodec:
    """A codec that runs in another interpreter.

    Args:
        python: the interpreter, as a rule ``bin/python`` of a virtual environment.
        script: the script with ``describe``, ``encode`` and ``decode``.
        timeout: seconds that coding or decoding one wave may take.
    """

    points: ClassVar[tuple[Options, ...]] = ()
    local_options: ClassVar[frozenset[str]] = frozenset({"python", "script"})

    def __init__(self, *, python: str, script: str, timeout: int = 600) -> None:
        check_range("isolated", "timeout", timeout, 1, 86400)
        self._paths = typed_path(python), typed_path(script)
        self._timeout = timeout
        self._process: Isolated | None = None
        answer = self._other.ask({"do": "describe"}, failure=Unavailable)
        options = {"python": python, "script": script, "timeout": timeout}
        self.info = _info(answer, full_spec("isolated", options, DEFAULTS), self._paths[1])

    @property
    def _other(self) -> Isolated:
        """The process; a new one after it has died of a wave, so that the next has a chance."""
        if self._process is None or not self._process.alive:
            python, script = self._paths
            self._process = Isolated(python=python, script=script, seconds=self._timeout)
        return self._process

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, in the other interpreter.

        Raises:
            EncodeError: what :func:`check_wave` refuses; the script raised, died or gave no codes.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        with scratch_folder("isolated") as folder:
            source, target = folder / "wave.npy", folder / "codes.npy"
            np.save(source, checked, allow_pickle=False)
            answer = self._ask("encode", source, target, EncodeError)
            payload, n_bits = self._packed(target, answer["kind"], checked.size)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=n_bits,
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The other interpreter's wave, unchanged.

        Raises:
            BitstreamError: not a payload of this codec, or the script raised or died.
        """
        check_encoded(encoded, info=self.info)
        sizes = self.info.codebook_sizes
        with scratch_folder("isolated") as folder:
            source, target = folder / "codes.npy", folder / "wave.npy"
            if sizes:
                n_frames = self._n_frames(encoded.n_samples, BitstreamError)
                np.save(source, unpack_tokens(encoded.payload, sizes, n_frames))
            else:
                source.write_bytes(encoded.payload)
            more = {"kind": "codes" if sizes else "bytes", "samples": encoded.n_samples}
            self._ask("decode", source, target, BitstreamError, **more)
            wave: Wave = np.load(target, allow_pickle=False)
        return np.ascontiguousarray(wave, dtype=np.float32)

    def _ask(
        self,
        do: str,
        source: Path,
        target: Path,
        failure: type[EncodeError] | type[BitstreamError],
        **more: Any,
    ) -> dict[str, Any]:
        request = {"do": do, "source": str(source), "target": str(target), **more}
        return self._other.ask(request, failure=failure)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave of ``n_samples``, as the script says.

        Raises:
            EncodeError: the script raised or died.
        """
        return self._n_frames(n_samples, EncodeError)

    def _n_frames(self, n_samples: int, failure: type[EncodeError] | type[BitstreamError]) -> int:
        answer = self._other.ask({"do": "frames", "samples": n_samples}, failure=failure)
        return int(answer["frames"])

    def _packed(self, path: Path, kind: str, n_samples: int) -> tuple[bytes, int]:
        sizes = self.info.codebook_sizes
        if (kind == "codes") != bool(sizes):
            wanted = f"codes of {len(sizes)} codebooks" if sizes else "bytes"
            raise EncodeError(f"{self.info.label}: encode gave {kind}, expected {wanted}")
        if not sizes:
            payload = path.read_bytes()
            return payload, 8 * len(payload)
        tokens = np.load(path, allow_pickle=False)
        n_frames = self._n_frames(n_samples, EncodeError)
        if tokens.shape != (len(sizes), n_frames):
            raise EncodeError(
                f"{self.info.label}: encode gave codes of shape {tokens.shape}, expected "
                f"{(len(sizes), n_frames)} for {n_samples} samples"
            )
        try:
            return pack_tokens(tokens, sizes)
        except ValueError as error:
            raise EncodeError(f"{self.info.label}: {error}") from error


def _info(answer: dict[str, Any], spec: str, script: Path) -> CodecInfo:
    told = _checked(answer["description"], script)
    sample_rate, hop = told["sample_rate"], told.get("hop_length")
    sizes = tuple(told.get("codebook_sizes", ()))
    frame_rate = Fraction(sample_rate, hop) if hop else None
    bits = float(sum(np.log2(sizes))) if sizes else None
    nominal = told.get("bitrate_bps")
    if nominal is None and bits and frame_rate:
        nominal = Fraction(bits) * frame_rate
    return CodecInfo(
        spec=spec,
        label=told["label"],
        kind="external",
        adapter_version=1,
        implementation=f"{told.get('implementation', script.name)}, Python {answer['python']}",
        sample_rate=sample_rate,
        output_sample_rate=told.get("output_sample_rate", sample_rate),
        nominal_bitrate_bps=None if nominal is None else Fraction(nominal),
        hop_length=hop,
        frame_rate_hz=frame_rate,
        codebook_sizes=sizes,
        bits_per_frame=bits,
        causal=told.get("causal"),
        lookahead_samples=told.get("lookahead_samples"),
        output_delay_samples=told.get("output_delay_samples", 0),
        code_licence=told.get("code_licence", ""),
        weights_licence=told.get("weights_licence", ""),
        weights=tuple(_source(path) for path in (script, *map(Path, told.get("weights", ())))),
        training_note=told.get("training_note", ""),
        source=told.get("source", "a script of the user's own"),
    )


def _checked(told: Any, script: Path) -> dict[str, Any]:
    if not isinstance(told, dict) or not {"label", "sample_rate"} <= set(told):
        raise Unavailable(f"{script}: describe() must give at least label and sample_rate")
    for name, value in told.items():
        if name not in FIELD_TYPES:
            raise Unavailable(
                f"{script}: describe() gives {name!r}; known: {', '.join(FIELD_TYPES)}"
            )
        if not isinstance(value, FIELD_TYPES[name]):
            raise Unavailable(f"{script}: describe() gives {name}={value!r} of a wrong type")
    checked: dict[str, Any] = told
    return checked


def _source(path: Path) -> WeightsSource:
    if not path.is_file():
        raise Unavailable(f"describe() names weights that are not there: {path}")
    return WeightsSource(
        repository="local",
        revision="",
        file=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
    )


CODECS = {"isolated": IsolatedCodec}
