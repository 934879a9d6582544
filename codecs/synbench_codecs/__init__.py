"""Speech codecs behind one interface: encode to counted bytes, decode from nothing else.

>>> import synbench_codecs
>>> codec = synbench_codecs.load("passthrough")
>>> codec.info.kind
'anchor'
"""

from synbench_codecs._interface import (
    Codec,
    CodecInfo,
    Encoded,
    Options,
    Recording,
    Wave,
    WeightsSource,
    check_wave,
)
from synbench_codecs._registry import codec_class, format_spec, load, names, parse_spec

__all__ = [
    "Codec",
    "CodecInfo",
    "Encoded",
    "Options",
    "Recording",
    "Wave",
    "WeightsSource",
    "check_wave",
    "codec_class",
    "format_spec",
    "load",
    "names",
    "parse_spec",
]
