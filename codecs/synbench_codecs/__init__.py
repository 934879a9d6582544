"""Speech codecs behind one interface: encode to counted bytes, decode from nothing else.

>>> import synbench_codecs
>>> codec = synbench_codecs.load("passthrough")
>>> codec.info.kind
'anchor'
"""

from synbench_codecs._bitstream import read_stream, write_stream
from synbench_codecs._interface import (
    Codec,
    CodecInfo,
    Encoded,
    Options,
    Recording,
    Wave,
    WeightsSource,
    check_encoded,
    check_wave,
)
from synbench_codecs._packing import pack_tokens, unpack_tokens
from synbench_codecs._registry import codec_class, format_spec, load, names, parse_spec

__all__ = [
    "Codec",
    "CodecInfo",
    "Encoded",
    "Options",
    "Recording",
    "Wave",
    "WeightsSource",
    "check_encoded",
    "check_wave",
    "codec_class",
    "format_spec",
    "load",
    "names",
    "pack_tokens",
    "parse_spec",
    "read_stream",
    "unpack_tokens",
    "write_stream",
]
