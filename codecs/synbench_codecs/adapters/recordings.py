"""Systems that are present only as decoded files, such as samples published with a paper.

A file belongs to a corpus item when its path below ``folder``, without the suffix, is the item's
id; or, failing that, when the ends of path and id agree as far as the shorter of them goes
(``speaker/clip`` and ``dev/speaker/clip``); or, failing that, when the file names alone agree. At
the first of these steps that finds anything, exactly one file must be found.

No bitstream exists, so the bit rate is the one declared, and tables mark it so.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from synbench_codecs._interface import CodecInfo, Wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import EncodeError, UsageError
from synbench_codecs.support.adapting import check_range, full_spec

SUFFIXES = frozenset({".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"})
HIGHEST_BPS = 10_000_000
LONGEST_DELAY = 1_000_000

__all__ = ["CODECS", "Recordings", "matching_files"]


class Recordings:
    """One system's decoded files.

    Args:
        folder: where the files lie, in any sub-folders.
        label: name for tables; two systems of one suite need two labels.
        bitrate_bps: the declared bit rate; 0 where it is unknown.
        delay_samples: lag of the files behind the originals, at the files' rate.
    """

    points: ClassVar[tuple[Options, ...]] = ()
    local_options: ClassVar[frozenset[str]] = frozenset({"folder"})

    def __init__(
        self, *, folder: str, label: str, bitrate_bps: int | float = 0, delay_samples: int = 0
    ) -> None:
        if not str(label).strip():
            raise UsageError("recordings: label must be a name for tables; got an empty one")
        if isinstance(bitrate_bps, bool | str) or not 0 <= bitrate_bps <= HIGHEST_BPS:
            raise UsageError(
                f"recordings: bitrate_bps must be from 0 to {HIGHEST_BPS}; got {bitrate_bps!r}"
            )
        check_range("recordings", "delay_samples", delay_samples, 0, LONGEST_DELAY)
        self.folder = Path(str(folder))
        if not self.folder.is_dir():
            raise UsageError(f"recordings: no such folder: {folder}")
        options = {
            "folder": str(folder),
            "label": label,
            "bitrate_bps": bitrate_bps,
            "delay_samples": delay_samples,
        }
        self.info = CodecInfo(
            spec=full_spec("recordings", options, {"bitrate_bps": 0, "delay_samples": 0}),
            label=str(label),
            kind="recordings",
            adapter_version=1,
            implementation="decoded files",
            sample_rate=None,
            output_sample_rate=None,
            nominal_bitrate_bps=Fraction(bitrate_bps).limit_denominator() if bitrate_bps else None,
            causal=None,
            lookahead_samples=None,
            output_delay_samples=delay_samples,
            bits_counted=False,
            source="files as given; the bit rate is declared by whoever runs the suite",
        )

    def fetch(self, item_id: str) -> tuple[Wave, int]:
        """The decoded wave of one item, mono float32, shape ``(samples,)``, and its rate in Hz.

        Raises:
            EncodeError: no file, several files, or a file that holds no usable audio. Several
                channels are taken only where they are all the same.
        """
        import soundfile

        path = self._find(item_id)
        try:
            samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise EncodeError(f"cannot read {path}: {error}") from error
        if not samples.size:
            raise EncodeError(f"{path}: the file holds no samples")
        if not np.isfinite(samples).all():
            raise EncodeError(f"{path}: the file contains NaN or infinity")
        if (samples != samples[:, :1]).any():
            raise EncodeError(f"{path}: expected mono, got {samples.shape[1]} different channels")
        return np.ascontiguousarray(samples[:, 0], dtype=np.float32), int(sample_rate)

    @functools.cached_property
    def _files(self) -> dict[str, list[Path]]:
        """All audio files by file name without the suffix."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.setdefault(path.stem, []).append(path)
        return found

    def _find(self, item_id: str) -> Path:
        matches = matching_files(item_id, self._files, self.folder)
        if len(matches) == 1:
            return matches[0]
        name = PurePosixPath(item_id).name
        if not matches:
            raise EncodeError(
                f"{self.info.label}: no file for item {item_id!r} below {self.folder}; looked for "
                f"{item_id} and {name} with any of {', '.join(sorted(SUFFIXES))}"
            )
        listed = ", ".join(str(path.relative_to(self.folder)) for path in matches[:3])
        raise EncodeError(
            f"{self.info.label}: {len(matches)} files for item {item_id!r} below {self.folder}: "
            f"{listed}{', ...' if len(matches) > 3 else ''}"
        )


def matching_files(item_id: str, files: Mapping[str, list[Path]], folder: Path) -> list[Path]:
    """All files that fit an item equally well: by whole path, by end of path, by file name.

    ``files`` maps file names without their suffix to paths below ``folder``.
    """
    wanted = _without_suffix(PurePosixPath(item_id))
    candidates = files.get(wanted[-1], []) if wanted else []
    parts = {path: path.relative_to(folder).with_suffix("").parts for path in candidates}
    whole = [path for path in candidates if parts[path] == wanted]
    ends = [path for path in candidates if _same_end(parts[path], wanted)]
    return whole or ends or candidates


def _without_suffix(path: PurePosixPath) -> tuple[str, ...]:
    """Parts of an item id; only a suffix of audio is one, for ids may contain dots."""
    return (path.with_suffix("") if path.suffix.lower() in SUFFIXES else path).parts


def _same_end(path: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    shorter = min(len(path), len(wanted))
    return shorter > 1 and path[-shorter:] == wanted[-shorter:]


CODECS = {"recordings": Recordings}
