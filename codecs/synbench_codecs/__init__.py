"""Speech codecs behind one interface: encode to counted bytes, decode from nothing else.

>>> import synbench_codecs
>>> codec = synbench_codecs.load("passthrough")
>>> codec.info.kind
'anchor'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synbench_base.device import device
    from synbench_base.weights import Checkpoint, WeightsFile, WeightsSource, find_weights
    from synbench_codecs._bitstream import read_stream, write_stream
    from synbench_codecs._coding import decode, encode
    from synbench_codecs._costs import (
        Complexity,
        Speed,
        count_costs,
        has_costs,
        measure_speed,
        untrained,
    )
    from synbench_codecs._delays import Delays, delays_of
    from synbench_codecs._frame_times import time_frames
    from synbench_codecs._framing import (
        payload_frames,
        payload_tokens,
        with_payload_frames,
        with_payload_tokens,
    )
    from synbench_codecs._interface import (
        Codec,
        CodecInfo,
        ConcealingCodec,
        Encoded,
        Recording,
        Wave,
        check_encoded,
        check_wave,
    )
    from synbench_codecs._latency import Latency, declared_latency, measure_latency
    from synbench_codecs._packing import pack_tokens, token_bits, unpack_tokens
    from synbench_codecs._published import published_spec
    from synbench_codecs._registry import codec_class, describe, load, names
    from synbench_codecs._spec import Options, format_spec, parse_spec
    from synbench_codecs._stored_spec import load_stored

# Imported when they are used: what only reads a specification or scores files needs few of them.
_HOMES = {
    "synbench_base.device": ("device",),
    "synbench_base.weights": (
        "Checkpoint",
        "WeightsFile",
        "WeightsSource",
        "find_weights",
    ),
    "synbench_codecs._bitstream": (
        "read_stream",
        "write_stream",
    ),
    "synbench_codecs._coding": (
        "decode",
        "encode",
    ),
    "synbench_codecs._costs": (
        "Complexity",
        "Speed",
        "count_costs",
        "has_costs",
        "measure_speed",
        "untrained",
    ),
    "synbench_codecs._delays": (
        "Delays",
        "delays_of",
    ),
    "synbench_codecs._frame_times": ("time_frames",),
    "synbench_codecs._framing": (
        "payload_frames",
        "payload_tokens",
        "with_payload_frames",
        "with_payload_tokens",
    ),
    "synbench_codecs._interface": (
        "Codec",
        "CodecInfo",
        "ConcealingCodec",
        "Encoded",
        "Recording",
        "Wave",
        "check_encoded",
        "check_wave",
    ),
    "synbench_codecs._latency": (
        "Latency",
        "declared_latency",
        "measure_latency",
    ),
    "synbench_codecs._packing": (
        "pack_tokens",
        "token_bits",
        "unpack_tokens",
    ),
    "synbench_codecs._published": ("published_spec",),
    "synbench_codecs._registry": (
        "codec_class",
        "describe",
        "load",
        "names",
    ),
    "synbench_codecs._spec": (
        "Options",
        "format_spec",
        "parse_spec",
    ),
    "synbench_codecs._stored_spec": ("load_stored",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Checkpoint",
    "Codec",
    "CodecInfo",
    "Complexity",
    "ConcealingCodec",
    "Delays",
    "Encoded",
    "Latency",
    "Options",
    "Recording",
    "Speed",
    "Wave",
    "WeightsFile",
    "WeightsSource",
    "check_encoded",
    "check_wave",
    "codec_class",
    "count_costs",
    "declared_latency",
    "decode",
    "delays_of",
    "describe",
    "device",
    "encode",
    "find_weights",
    "format_spec",
    "has_costs",
    "load",
    "load_stored",
    "measure_latency",
    "measure_speed",
    "names",
    "pack_tokens",
    "parse_spec",
    "payload_frames",
    "payload_tokens",
    "published_spec",
    "read_stream",
    "time_frames",
    "token_bits",
    "unpack_tokens",
    "untrained",
    "with_payload_frames",
    "with_payload_tokens",
    "write_stream",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
