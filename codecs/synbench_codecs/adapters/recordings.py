"""Systems that are present only as decoded files, such as samples published with a paper.

A file belongs to a corpus item by the rule of :class:`synbench_base.folders.AudioFiles`: the same
path, else the same end of the path, else the same file name. At the first of these steps that
finds anything, exactly one file must be found.

No bitstream exists, so the bit rate is the one declared, and tables mark it so.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import ClassVar

from synbench_base.errors import ItemError
from synbench_base.folders import SUFFIXES, AudioFiles, typed_path
from synbench_base.sound_files import read_decoded
from synbench_codecs._interface import CodecInfo, Wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import EncodeError, UsageError
from synbench_codecs.support.adapting import check_range, full_spec

HIGHEST_BPS = 10_000_000
LONGEST_DELAY_SAMPLES = 1_000_000

__all__ = ["CODECS", "Recordings"]


class Recordings:
    """One system's decoded files.

    Args:
        folder: where the files lie, in any sub-folders.
        label: name for tables, that of the folder if not given.
        bitrate_bps: the declared bit rate; 0 where it is unknown.
        delay_samples: lag of the files behind the originals, at the files' rate.
    """

    points: ClassVar[tuple[Options, ...]] = ()
    local_options: ClassVar[frozenset[str]] = frozenset({"folder"})

    def __init__(
        self,
        *,
        folder: str,
        label: str | None = None,
        bitrate_bps: int | float = 0,
        delay_samples: int = 0,
    ) -> None:
        if label is not None and not str(label).strip():
            raise UsageError("recordings: label must be a name for tables; got an empty one")
        if isinstance(bitrate_bps, bool | str) or not 0 <= bitrate_bps <= HIGHEST_BPS:
            raise UsageError(
                f"recordings: bitrate_bps must be from 0 to {HIGHEST_BPS}; got {bitrate_bps!r}"
            )
        check_range("recordings", "delay_samples", delay_samples, 0, LONGEST_DELAY_SAMPLES)
        self.folder = typed_path(folder)
        if not self.folder.is_dir():
            raise UsageError(f"recordings: no such folder: {folder}")
        label = self.folder.resolve().name if label is None else label
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
        try:
            return read_decoded(self._find(item_id))
        except ItemError as error:
            raise EncodeError(str(error)) from error

    @functools.cached_property
    def _files(self) -> AudioFiles:
        return AudioFiles(self.folder)

    def path_of(self, item_id: str) -> Path:
        """The resolved path of one item's file.

        Raises:
            EncodeError: no file, or several.
        """
        return self._find(item_id).resolve()

    def _find(self, item_id: str) -> Path:
        matches = self._files.matching(item_id)
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


CODECS = {"recordings": Recordings}
