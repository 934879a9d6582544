"""One stored row: what it says of a cell, and the columns in which it is kept.

A ``None`` is a null in the file: not measured, or no such thing.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow

Stage = Literal["decodes", "scores"]
STAGES: tuple[Stage, ...] = ("decodes", "scores")

# By name the function of pyarrow that makes the type. Nothing is ever taken away, so that a run
# folder of an older version has the same columns but for some that came later.
DECODE_COLUMNS = {
    "corpus": "string",
    "item": "string",
    "item_digest": "string",
    "condition": "string",
    "codec": "string",
    "codec_id": "string",
    "policy_id": "string",
    "status": "string",
    "reason": "string",
    "transient": "bool_",
    "attempt": "int32",
    "written": "float64",
    "seconds": "float64",
    "payload_bits": "int64",
    "side_bits": "int64",
    "encode_cpu_seconds": "float64",
    "encode_wall_seconds": "float64",
    "decode_cpu_seconds": "float64",
    "decode_wall_seconds": "float64",
    "threads": "int32",
    "lag_seconds": "float64",
    "correlation": "float64",
    "clipped_samples": "int64",
    "filled_samples": "int64",
    "surplus_seconds": "float64",
    "anticorrelation": "float64",
    "envelope_correlation": "float64",
    "level_db": "float64",
    "dc_offset": "float64",
    "bitstream": "string",
    "reconstruction": "string",
    "channel_hits": "int64",
    "channel_units": "int64",
    "lag_profile": "binary",
    "header_bits": "int64",
}
SCORE_COLUMNS = {
    "corpus": "string",
    "item": "string",
    "item_digest": "string",
    "condition": "string",
    "codec": "string",
    "codec_id": "string",
    "metric": "string",
    "metric_id": "string",
    "policy_id": "string",
    "status": "string",
    "value": "float64",
    "reason": "string",
    "weight": "float64",
    "details": "string",
    "vector": "binary",
    "transient": "bool_",
    "attempt": "int32",
    "written": "float64",
    "seconds": "float64",
    "cpu_seconds": "float64",
}
ITEM_COLUMNS = {
    "corpus": "string",
    "item": "string",
    "item_digest": "string",
    "condition": "string",
    "path": "string",
    "seconds": "float64",
    "sample_rate": "int32",
    "channels": "int32",
    "target_rate": "int32",
    "speaker": "string",
    "transcript": "string",
    "problem": "string",
    "input": "string",
    "gender": "string",
    "language": "string",
    "accent": "string",
}
COLUMNS: Mapping[Stage, Mapping[str, str]] = {"decodes": DECODE_COLUMNS, "scores": SCORE_COLUMNS}

Row = Mapping[str, Any]

__all__ = [
    "COLUMNS",
    "DECODE_COLUMNS",
    "ITEM_COLUMNS",
    "SCORE_COLUMNS",
    "STAGES",
    "DecodeRow",
    "Row",
    "ScoreRow",
    "Stage",
    "arrow_schema",
    "as_mapping",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodeRow:
    """How the coding and decoding of one item by one codec ended.

    Attributes:
        condition: label of what was done to the speech, empty for the recording as it is.
        codec: its specification; ``codec_id`` covers version and weights too.
        reason: why it failed, empty otherwise.
        transient: whether the next start should try again.
        attempt: which try of this cell it is, from 1. Of several rows the highest counts.
        written: seconds since 1970 by the clock of the machine that wrote it.
        seconds: duration of the item.
        bitstream, reconstruction: paths below the run folder.
        channel_hits: how many bits, frames, tokens or books the channel hit.
        channel_units: out of how many.
        lag_profile: see :mod:`synbench.lag`.
        header_bits: what the ``.syn`` file holds beside the payload.
    """

    corpus: str
    item: str
    item_digest: str
    condition: str = ""
    codec: str
    codec_id: str
    policy_id: str
    status: Literal["ok", "failed"]
    reason: str = ""
    transient: bool = False
    attempt: int = 1
    written: float = field(default_factory=time.time)
    seconds: float
    payload_bits: int | None = None
    side_bits: int | None = None
    encode_cpu_seconds: float | None = None
    encode_wall_seconds: float | None = None
    decode_cpu_seconds: float | None = None
    decode_wall_seconds: float | None = None
    threads: int = 1
    lag_seconds: float | None = None
    correlation: float | None = None
    clipped_samples: int | None = None
    filled_samples: int | None = None
    surplus_seconds: float | None = None
    anticorrelation: float | None = None
    envelope_correlation: float | None = None
    level_db: float | None = None
    dc_offset: float | None = None
    bitstream: str | None = None
    reconstruction: str | None = None
    channel_hits: int | None = None
    channel_units: int | None = None
    lag_profile: bytes | None = None
    header_bits: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRow:
    """How one metric of one reconstruction ended; what is not named here is as in DecodeRow.

    Attributes:
        metric: its column; ``metric_id`` covers version and weights too.
        value: the score, ``None`` unless the status is ok.
        weight: with which it enters a mean over the corpus.
        details: counts and the like, as JSON.
        vector: embeddings, float32 in little-endian order, where a corpus is compared as a whole.
        cpu_seconds: what computing it took.
    """

    corpus: str
    item: str
    item_digest: str
    condition: str = ""
    codec: str
    codec_id: str
    metric: str
    metric_id: str
    policy_id: str
    status: Literal["ok", "not_applicable", "failed"]
    value: float | None = None
    reason: str = ""
    weight: float | None = None
    details: str | None = None
    vector: bytes | None = None
    transient: bool = False
    attempt: int = 1
    written: float = field(default_factory=time.time)
    seconds: float
    cpu_seconds: float = 0.0


def as_mapping(row: DecodeRow | ScoreRow | Row) -> Row:
    """The columns of a row by name."""
    if isinstance(row, Mapping):
        return row
    return {entry.name: getattr(row, entry.name) for entry in dataclasses.fields(row)}


def arrow_schema(columns: Mapping[str, str]) -> pyarrow.Schema:
    """The Arrow schema of some columns."""
    import pyarrow

    return pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns.items()])
