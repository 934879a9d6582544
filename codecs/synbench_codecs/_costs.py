"""What a torch codec costs at its published width: counted, and measured, without a checkpoint.

Weights do not matter for either, so both take the codec with random ones.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from synbench_base.option_values import typed_options
from synbench_base.packages import import_extra
from synbench_codecs._registry import codec_class
from synbench_codecs._spec import parse_spec
from synbench_codecs.errors import Unavailable, UsageError

__all__ = [
    "Complexity",
    "Speed",
    "complexity",
    "count_costs",
    "has_costs",
    "measure_speed",
    "untrained",
]


@dataclass(frozen=True, kw_only=True)
class Complexity:
    """Size and cost of one codec at its published width.

    Attributes:
        spec, label: of the codec.
        seconds: length of the wave that was counted.
        parameters: all that the network holds, its codebooks among them.
        encoder_macs_per_second, decoder_macs_per_second: properly counted.
        thop_parameters, thop_macs_per_second: as thop prints, encoder and decoder together.
    """

    spec: str
    label: str
    seconds: float
    parameters: int
    encoder_macs_per_second: float
    decoder_macs_per_second: float
    thop_parameters: int
    thop_macs_per_second: float

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Time and memory of one codec, on one thread of this machine, in a process of its own.

    Attributes:
        spec: of the codec.
        seconds: length of the wave.
        encoder_cpu_per_second, decoder_cpu_per_second: CPU seconds per second of audio, packing
            included; the smallest of the repetitions.
        peak_memory_bytes: largest resident size of the process, Python and torch included.
        idle_memory_bytes: its size with torch loaded, before there was a network.
    """

    spec: str
    seconds: float
    encoder_cpu_per_second: float
    decoder_cpu_per_second: float
    peak_memory_bytes: int
    idle_memory_bytes: int

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


def has_costs(name: str) -> bool:
    """Whether a codec has a network that can be counted."""
    return hasattr(codec_class(name), "untrained")


def untrained(spec: str, **more: bool) -> Any:
    """The codec of a spec with random weights, on torch's default device.

    Raises:
        UsageError: it has no network.
        Unavailable: torch is absent.
    """
    import_extra("torch", extra="torch")
    name, options = parse_spec(spec)
    if not has_costs(name):
        raise UsageError(f"{name} has no network of which costs could be counted")
    loaded = codec_class(name)
    options.pop("weights", None)
    typed = typed_options(options, inspect.signature(loaded).parameters)
    return loaded.untrained(**typed, **more)


def count_costs(spec: str, *, seconds: float = 1.0) -> Complexity:
    """Parameters and operations of a codec; see :mod:`synbench_codecs._complexity`.

    Raises:
        UsageError: it has no network.
        Unavailable: a package is absent.
    """
    torch = import_extra("torch", extra="torch")
    try:
        # Tensors on the meta device have a shape and nothing else: no memory, no arithmetic.
        with torch.device("meta"):
            return complexity(untrained(spec), seconds=seconds)
    except (NotImplementedError, RuntimeError):
        # Some networks look at values on their way; those have to run.
        return complexity(untrained(spec), seconds=seconds)


def complexity(codec: Any, *, seconds: float = 1.0) -> Complexity:
    """Count a codec that ``untrained`` made, best on the meta device.

    ``codec`` has ``info``, ``model``, ``tokenise`` and ``synthesise`` as in :class:`TokenCodec`.
    """
    torch = import_extra("torch", extra="torch")
    from synbench_codecs._complexity import count

    parameters = list(codec.model.parameters())
    waves = torch.zeros(1, round(seconds * codec.info.sample_rate), device=parameters[0].device)
    tokens: list[Any] = []
    encoder = count(codec.model, lambda: tokens.append(codec.tokenise(waves)))
    decoder = count(codec.model, lambda: codec.synthesise(tokens[0]))
    known = {**encoder.thop_layers, **decoder.thop_layers}
    return Complexity(
        spec=codec.info.spec,
        label=codec.info.label,
        seconds=seconds,
        parameters=sum(parameter.numel() for parameter in parameters),
        encoder_macs_per_second=encoder.macs / seconds,
        decoder_macs_per_second=decoder.macs / seconds,
        thop_parameters=sum(known.values()),
        thop_macs_per_second=(encoder.thop_macs + decoder.thop_macs) / seconds,
    )


def measure_speed(spec: str, *, seconds: float = 5.0, repetitions: int = 3) -> Speed:
    """CPU time and peak memory of a codec, in a new process with one thread.

    Raises:
        Unavailable: the process failed; the message holds its last line.
    """
    command = [sys.executable, "-m", "synbench_codecs._speed", spec, str(seconds), str(repetitions)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Unavailable(f"{spec}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return Speed(**json.loads(done.stdout))
