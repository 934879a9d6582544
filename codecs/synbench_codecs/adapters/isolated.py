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
``bitrate_bps``, ``code_licence``, ``weights_licence``, ``training_data``, ``training_note``,
``source``, and ``weights``, a list of files whose digests count too. A relative path in it is
looked up beside the script.

A script may have two more functions. ``load()`` is called once before the first wave, so that
describing a codec needs no network. ``configure(...)`` is called before all else with what the
option ``settings`` says: ``settings='rate=25;books=4'`` calls ``configure(rate=25, books=4)``. The
settings are part of the identity; they are words and numbers, no paths.

Numbers that are sent once per wave, such as a speaker's tokens: ``describe`` gives their sizes as
``side_sizes``, ``encode`` returns ``{"tokens": ..., "side": ...}`` with ``side`` of shape
``(numbers,)``, and ``decode`` gets the same. They are counted, as side information.

Frames of different lengths: ``describe`` gives ``longest_frame``, and each frame lasts 1 to that
many hops. ``encode`` returns ``{"tokens": ..., "lengths": ...}`` with ``lengths`` of shape
``(frames,)`` in hops, ``n_frames`` of them in all, and ``decode`` gets the same. They are counted.

A decoder that draws random numbers: ``describe`` gives ``seed``, and those of :mod:`random`, numpy
and torch start from it before every wave. It is part of the identity.

Scripts for published codecs lie in ``examples/codecs`` of the repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from synbench_base.folders import typed_path
from synbench_base.option_values import Options, as_written
from synbench_codecs._interface import Encoded, Wave, check_encoded, check_wave
from synbench_codecs.errors import BitstreamError, EncodeError, Unavailable, UsageError
from synbench_codecs.support.adapting import check_range, full_spec
from synbench_codecs.support.child_process import scratch_folder
from synbench_codecs.support.isolated_description import described
from synbench_codecs.support.isolation import Isolated

DEFAULTS = {"settings": "", "timeout": 600}

__all__ = ["CODECS", "IsolatedCodec"]


class IsolatedCodec:
    """A codec that runs in another interpreter.

    Args:
        python: the interpreter, as a rule ``bin/python`` of a virtual environment.
        script: the script with ``describe``, ``encode`` and ``decode``.
        settings: for the script, ``name=value;name=value``; see ``configure``.
        timeout: seconds that coding or decoding one wave may take.
    """

    points: ClassVar[tuple[Options, ...]] = ()
    local_options: ClassVar[frozenset[str]] = frozenset({"python", "script"})

    def __init__(self, *, python: str, script: str, settings: str = "", timeout: int = 600) -> None:
        check_range("isolated", "timeout", timeout, 1, 86400)
        self._paths = typed_path(python), typed_path(script)
        self._settings = _parsed(settings)
        self._timeout = timeout
        self._process: Isolated | None = None
        answer = self._other.ask({"do": "describe"}, failure=Unavailable)
        options = {"python": python, "script": script, "settings": settings, "timeout": timeout}
        self.info, self._layout, self._seed = described(
            answer, spec=full_spec("isolated", options, DEFAULTS), script=self._paths[1]
        )

    @property
    def _other(self) -> Isolated:
        """The process; a new one after it has died of a wave, so that the next has a chance."""
        if self._process is None or not self._process.alive:
            python, script = self._paths
            self._process = Isolated(
                python=python, script=script, settings=self._settings, seconds=self._timeout
            )
        return self._process

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, in the other interpreter.

        Raises:
            EncodeError: what :func:`check_wave` refuses; the script raised, died or gave no codes.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        with scratch_folder("isolated") as folder:
            source, target = folder / "wave.npy", folder / "codes"
            np.save(source, checked, allow_pickle=False)
            answer = self._ask("encode", source, target, EncodeError)
            payload, n_bits, side_bits = self._packed(target, answer["kind"], checked.size)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=n_bits,
            side_bits=side_bits,
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
        with scratch_folder("isolated") as folder:
            source, target = folder / "codes", folder / "wave.npy"
            if self._layout is None:
                source.write_bytes(encoded.payload)
            else:
                n_frames = self._n_frames(encoded.n_samples, BitstreamError)
                with source.open("wb") as file:
                    parts: dict[str, Any] = self._layout.unpacked(encoded.payload, n_frames)
                    np.savez(file, **parts)
            more = {"kind": self._kind, "samples": encoded.n_samples}
            self._ask("decode", source, target, BitstreamError, **more)
            wave: Wave = np.load(target, allow_pickle=False)
        return np.ascontiguousarray(wave, dtype=np.float32)

    @property
    def _kind(self) -> str:
        """What the script gives and takes: bytes, tokens alone, or a dictionary of parts."""
        if self._layout is None:
            return "bytes"
        return "codes" if self._layout.plain else "parts"

    def _ask(
        self,
        do: str,
        source: Path,
        target: Path,
        failure: type[EncodeError] | type[BitstreamError],
        **more: Any,
    ) -> dict[str, Any]:
        request = {"do": do, "source": str(source), "target": str(target), **more}
        return self._other.ask({**request, "seed": self._seed}, failure=failure)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a wave of ``n_samples``, as the script says.

        Raises:
            EncodeError: the script raised or died.
        """
        return self._n_frames(n_samples, EncodeError)

    def _n_frames(self, n_samples: int, failure: type[EncodeError] | type[BitstreamError]) -> int:
        answer = self._other.ask({"do": "frames", "samples": n_samples}, failure=failure)
        return int(answer["frames"])

    def _packed(self, path: Path, kind: str, n_samples: int) -> tuple[bytes, int, int]:
        """The payload, its bits, and the bits of side information among them."""
        if kind != self._kind:
            raise EncodeError(f"{self.info.label}: encode gave {kind}, expected {self._expected}")
        if self._layout is None:
            payload = path.read_bytes()
            return payload, 8 * len(payload), 0
        with np.load(path, allow_pickle=False) as stored:
            parts = {name: stored[name] for name in stored.files}
        try:
            return self._layout.packed(parts, self._n_frames(n_samples, EncodeError))
        except ValueError as error:
            raise EncodeError(
                f"{self.info.label}: {error} for a wave of {n_samples} samples"
            ) from error

    @property
    def _expected(self) -> str:
        if self._layout is None:
            return "bytes"
        codes = f"codes of {len(self._layout.codebook_sizes)} codebooks"
        return codes if self._layout.plain else f"a dictionary: {', '.join(self._layout.names)}"


def _parsed(settings: str) -> Options:
    """``rate=25;books=4`` as a dictionary, numbers and true/false as such.

    Raises:
        UsageError: a part without ``=``, or a path: a stored spec may bring settings along, and
            what it says must open no file.
    """
    parsed: Options = {}
    for part in filter(None, map(str.strip, settings.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"isolated: expected settings as name=value;name=value, got {part!r}")
        if "/" in value or "\\" in value:
            raise UsageError(
                f"isolated: expected words and numbers as settings, got the path {value!r}; "
                "write it into the script"
            )
        parsed[name.strip()] = as_written(value.strip())
    return parsed


CODECS = {"isolated": IsolatedCodec}
