"""A run's files in parts of a few megabytes, to carry them over a link that takes no large file.

Beside the parts lies ``parts.json``: for each file its parts in order and the SHA-256 of the whole.
"""

from __future__ import annotations

import json
from pathlib import Path

from synbench_base.files import replacing
from synbench_base.weights import file_sha256
from synbench_codecs.errors import UsageError

LARGEST_PART_BYTES = 15_000_000  # bytes
MANIFEST = "parts.json"

__all__ = ["LARGEST_PART_BYTES", "join_parts", "split_into_parts"]


def split_into_parts(
    folder: Path, parts: Path, *, names: tuple[str, ...], largest: int = LARGEST_PART_BYTES
) -> list[Path]:
    """Write those of some files of a folder that exist, in parts of at most ``largest`` bytes.

    What lay in ``parts`` is replaced; the manifest comes last, so it names complete parts only.
    """
    parts.mkdir(parents=True, exist_ok=True)
    before = set(parts.iterdir())
    manifest: dict[str, dict[str, object]] = {}
    written: list[Path] = []
    for name in names:
        if not (folder / name).is_file():
            continue
        digest = file_sha256(folder / name)
        pieces: list[str] = []
        with (folder / name).open("rb") as file:
            while piece := file.read(largest):
                # A new name for new content: a half-replaced set never passes for a whole one.
                path = parts / f"{name}.{digest[:12]}.{len(pieces):03d}"
                path.write_bytes(piece)
                pieces.append(path.name)
        manifest[name] = {"sha256": digest, "parts": pieces}
        written += [parts / piece for piece in pieces]
    (parts / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    for path in before - {*written, parts / MANIFEST}:
        path.unlink()
    return written


def join_parts(parts: Path, folder: Path) -> list[Path]:
    """Put the files together again; those that are there already and whole are left alone.

    Raises:
        UsageError: no manifest, a part is absent, or the whole is another one.
    """
    if not (parts / MANIFEST).is_file():
        raise UsageError(f"no {MANIFEST} in {parts}: expected a folder of parts")
    manifest = json.loads((parts / MANIFEST).read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    joined = []
    for name, entry in manifest.items():
        absent = [piece for piece in entry["parts"] if not (parts / piece).is_file()]
        if absent:
            raise UsageError(f"{parts} lacks {', '.join(absent)} of {name}: copy it there too")
        path = folder / name
        if not path.is_file() or file_sha256(path) != entry["sha256"]:
            with replacing(path) as temporary:
                with temporary.open("wb") as file:
                    for piece in entry["parts"]:
                        file.write((parts / piece).read_bytes())
                if file_sha256(temporary) != entry["sha256"]:
                    raise UsageError(f"the parts of {name} in {parts} are damaged: copy them again")
        joined.append(path)
    return joined
