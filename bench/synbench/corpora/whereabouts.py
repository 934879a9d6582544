"""Where the recordings of a corpus lie on this machine, by the digest of the corpus.

A run folder says which recordings it was made from (ids and digests) and never where they lie: it
may be published, and it may come from somebody else. This machine remembers that in its cache, for
every corpus that it has read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from synbench.cache import cache_folder
from synbench.corpora._model import Corpus
from synbench_base.files import write_bytes

__all__ = ["are_known", "known_recordings", "remember_recordings"]


def remember_recordings(corpus: Corpus) -> None:
    """Take note of where the items of a corpus lie; a cache that cannot be written costs that."""
    text = json.dumps({item.id: str(item.path) for item in corpus.items})
    mark = hashlib.sha256(text.encode()).hexdigest()
    with contextlib.suppress(OSError):
        if _mark(corpus.digest) != mark:
            write_bytes(_note(corpus.digest), f"{mark}\n{text}".encode())


def known_recordings(digest: str) -> dict[str, Path]:
    """Item id to path of the corpus with this digest; empty where it was never read here."""
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        _, _, text = _note(digest).read_text(encoding="utf-8").partition("\n")
        paths = json.loads(text)
        return {item: Path(path) for item, path in paths.items()}
    return {}


def are_known(digest: str) -> bool:
    """Whether this machine remembers where the items of the corpus with this digest lie."""
    return _note(digest).is_file()


def _mark(digest: str) -> str:
    """The first line of a note; a corpus of many thousand items is not read to compare it."""
    with contextlib.suppress(OSError, UnicodeDecodeError), _note(digest).open("rb") as file:
        return file.readline().decode().strip()
    return ""


def _note(digest: str) -> Path:
    # The digest may come from a stranger's manifest; only hex digits become a part of the path.
    name = "".join(character for character in str(digest) if character in "0123456789abcdef")
    return cache_folder() / "corpora" / f"{name}.json"
