"""Under which id a codec's results are kept, and from which files a folder of recordings has it."""

from __future__ import annotations

import hashlib
import weakref
from pathlib import Path

from synbench import corpora
from synbench_codecs import Codec, Recording, format_spec

_DIGESTS: weakref.WeakKeyDictionary[Recording, dict[Path, str]] = weakref.WeakKeyDictionary()

__all__ = ["codec_identity", "recorded_digests"]


def codec_identity(codec: Codec | Recording) -> str:
    """The id under which a codec's results are kept, 16 hex digits.

    Recordings are identified by what lies in their folder, not by where the folder lies.
    """
    if not isinstance(codec, Recording):
        return codec.info.identity[:16]
    content = corpora.load(format_spec("folder", {"path": str(codec.folder)}))
    _DIGESTS[codec] = {item.path.resolve(): item.sha256 for item in content.items}
    info = codec.info
    made_from = f"{content.digest} {info.adapter_version} {info.output_delay_samples}"
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def recorded_digests(codec: Recording) -> dict[Path, str]:
    """By resolved path the digest of every recording at the time of :func:`codec_identity`."""
    return _DIGESTS.get(codec, {})
