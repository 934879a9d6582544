"""Codecs that a file names: what a stream or a run folder says starts no program and opens no path.

A spec in a file is the text of whoever wrote the file. A class says in ``local_options`` which of
its options name a path or a command of the machine; a class that says nothing is loaded for nobody
but the user.
"""

from __future__ import annotations

from synbench_codecs._interface import Codec, Recording
from synbench_codecs._registry import codec_class, load
from synbench_codecs._spec import Options, format_spec, parse_spec
from synbench_codecs.errors import UsageError

__all__ = ["load_stored"]


def load_stored(spec: str, *, chosen: str = "") -> Codec | Recording:
    """Make the codec that a file names.

    Args:
        spec: from the file.
        chosen: name, or name and options, of the same codec as the user typed it; its options go
            before those of the file, and paths and commands are taken from here alone.

    Raises:
        UsageError: the file names a program or a path, or another codec than the user; or as
            :func:`synbench_codecs.load`.
        Unavailable: as :func:`synbench_codecs.load`.
    """
    name, options = parse_spec(spec)
    own_name, own = parse_spec(chosen) if chosen else (name, {})
    if own_name != name:
        raise UsageError(f"the file is of the codec {name!r}, not of {own_name!r}")
    local = getattr(codec_class(name), "local_options", None)
    taken: Options = {key: value for key, value in options.items() if key not in (local or ())}
    if chosen:
        return load(format_spec(name, taken | own))
    if local is None:
        raise UsageError(_refusal(name, "the codec", f"{name} does not say that it is safe"))
    refused = sorted(options.keys() & local)
    if refused:
        what = " and ".join(refused)
        raise UsageError(_refusal(name, what, f"{what} names a program or a path"))
    return load(spec)


def _refusal(name: str, what: str, why: str) -> str:
    return (
        f"the file names the codec {name}, and {why}: nothing is started or opened because a file "
        f"says so; if you trust it, name {what} yourself: --codec '{name}:...'"
    )
