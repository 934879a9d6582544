"""Coding and decoding in a worker: every item through the bytes on disk, aligned, stored."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import synbench_codecs
from synbench import policy
from synbench.audio import read_audio
from synbench.conditions.applied import applied
from synbench.conditions.channel import Received
from synbench.conditions.transmission import Channel, channel_of
from synbench.execution.guard import CellFault, guarded
from synbench.execution.heard import heard
from synbench.execution.identity import codec_identity, recorded_digests
from synbench.execution.longest import longest_seconds
from synbench.execution.scratch import staged
from synbench.execution.sealed import write_sealed
from synbench.execution.streams import Sent, encoded_stream, stored_or_made
from synbench.execution.units import CodecPoint, DecodeUnit, ItemWork, artefact
from synbench.execution.worker import (
    NO_SUCH_CELL,
    UnitReport,
    cell_seconds,
    fatal_faults,
    published_reason,
    read_item,
    stopwatch,
)
from synbench.results.confined import inside
from synbench.results.rows import DecodeRow
from synbench.results.store import RunFolder
from synbench_base.errors import ItemError, NotApplicable
from synbench_base.files import write_bytes
from synbench_codecs import Codec, CodecInfo, Recording, published_spec

# The longest frame of a codec that does not state one: that of Opus.
LONGEST_FRAME_SECONDS = 0.06

__all__ = ["blank_decode", "check_length", "decode_unit", "output_rate", "store_reconstruction"]


@functools.lru_cache(maxsize=1)
def _codec(point: CodecPoint) -> Codec | Recording:
    """One codec at a time stays in memory, built once per run of units.

    Raises:
        CellFault: programs, weights or recordings are not those that the run was planned with.
    """
    codec = synbench_codecs.load(point.spec)
    # Networks are read at their first use; that must not count as the first wave's coding.
    if hasattr(codec, "warm_up"):
        codec.warm_up()
    else:
        getattr(codec, "model", None)
    if codec_identity(codec) != point.codec_id:
        raise CellFault(
            "the codec's programs, weights or recordings changed after the run was planned; type "
            "the same command again"
        )
    return codec


def decode_unit(unit: DecodeUnit) -> UnitReport:
    """Code every item, decode it from the bytes on disk, align it, store it.

    Raises:
        EnvironmentFault: the disk is full or read-only.
    """
    report = UnitReport()
    with (
        stopwatch() as spent,
        fatal_faults(unit.run),
        staged(Path(unit.run)) as (files, bundles),
    ):
        rows = [_decode_item(unit, item, files) for item in unit.items]
    report.measured[unit.codec.codec_id] = spent["cpu"]
    for item, row in zip(unit.items, rows, strict=True):
        report.statuses[unit.codec.codec_id, row.status] += 1
        if row.status != "ok":
            report.reasons[row.reason] += 1
            key = (item.corpus, item.item, unit.codec.codec_id)
            report.undecoded[key] = (row.reason, row.transient)
    with fatal_faults(unit.run):
        RunFolder(Path(unit.run)).add("decodes", rows)
    return replace(report, bundles=tuple(bundles))


def _decode_item(unit: DecodeUnit, item: ItemWork, files: Path) -> DecodeRow:
    row = blank_decode(unit, item)
    if item.problem:
        return replace(row, reason=published_reason(item.problem, run=unit.run, item=item))
    try:
        stored = store_reconstruction(unit, unit.codec, item, files=files)
    except NotApplicable as error:
        return replace(row, reason=f"{NO_SUCH_CELL}{error}")
    except (ItemError, OSError) as error:
        reason = published_reason(str(error), run=unit.run, item=item)
        return replace(row, reason=reason, transient=True)
    return replace(row, status="ok", **stored)


def store_reconstruction(
    unit: Any, codec_point: CodecPoint, item: ItemWork, *, files: Path
) -> dict[str, Any]:
    """Code and decode one item and write its files; what the row says of it.

    Args:
        unit: has ``run``, ``policy_id`` and ``cell_seconds``.
        files: the run folder, or one on scratch in its place.

    Raises:
        ItemError: the item or the codec is at fault; the message says in what.
        EnvironmentFault: the disk is full or read-only.
    """
    run = Path(unit.run)
    seconds = cell_seconds(item, unit.cell_seconds)
    with guarded(seconds):
        codec = _codec(codec_point)
    longest = longest_seconds(codec)
    if longest is not None and item.seconds > longest:
        raise NotApplicable(
            f"{codec.info.label} takes at most {longest:g} s, got {item.seconds:.0f} s: cut the "
            f"item into shorter ones"
        )
    reference, rate = read_item(item)
    damage = applied(item.damage)
    target = artefact(codec_point, item, unit.policy_id, ".flac")
    if isinstance(codec, Recording):
        if damage is not None:
            raise NotApplicable(f"{codec.info.label} has decoded files of clean recordings only")
        decoded, decoded_rate = _fetched(codec, item, seconds)
        measured: dict[str, Any] = {}
    else:
        name = f"bitstreams/{artefact(codec_point, item, unit.policy_id, '.syn')}"
        channel = channel_of(damage, item=item.item, seconds=item.seconds)

        def encoded() -> Sent:
            wave = heard(
                reference, rate, damage=damage, item=item, codec=codec, unit=unit, seconds=seconds
            )
            return encoded_stream(codec, wave, rate, seconds=seconds)

        if channel is None:
            sent = encoded()
        else:
            sent_name = artefact(codec_point, item.before_channel, unit.policy_id, ".syn")
            path = inside(run, f"bitstreams/{sent_name}")
            sent = stored_or_made(
                path, encoded, codec=codec, reference=(reference, rate), unit=unit
            )
        decoded, decoded_rate, measured = _through_bytes(
            codec, sent, inside(files, name), channel=channel, unit=unit, seconds=seconds
        )
        measured["bitstream"] = name
    aligned = policy.align(
        decoded,
        sample_rate=decoded_rate,
        delay_samples=codec.info.output_delay_samples,
        reference=reference,
        reference_rate=rate,
    )
    name = f"reconstructions/{target}"
    with fatal_faults(unit.run):
        write_sealed(inside(files, name), aligned.wave, sample_rate=rate, name=str(target))
    return measured | {
        "lag_seconds": aligned.lag_seconds,
        "correlation": aligned.correlation,
        "clipped_samples": aligned.clipped_samples,
        "filled_samples": aligned.filled_samples,
        "surplus_seconds": aligned.surplus_seconds,
        "anticorrelation": aligned.anticorrelation,
        "envelope_correlation": aligned.envelope_correlation,
        "level_db": aligned.level_db,
        "dc_offset": aligned.dc_offset,
        "lag_profile": aligned.lag_profile,
        "reconstruction": name,
    }


def _fetched(codec: Recording, item: ItemWork, seconds: float) -> tuple[Any, int]:
    """The decoded file of an item, if it is the one that the run was planned with."""
    with guarded(seconds):
        decoded, decoded_rate = codec.fetch(item.item)
        path = getattr(codec, "path_of", lambda _: None)(item.item)
    if path is not None:
        known = recorded_digests(codec).get(path)
        if known is not None and read_audio(path, by_stretches=True).sha256 != known:
            raise CellFault(
                f"{path.name} of {codec.info.label} changed after the run was planned; type the "
                "same command again"
            )
    return decoded, decoded_rate


def _through_bytes(
    codec: Codec,
    sent: Sent,
    path: Path,
    *,
    channel: Channel | None,
    unit: Any,
    seconds: float,
) -> tuple[Any, int, dict[str, Any]]:
    """Write what arrives, read back, decode: the decoder sees what lies on the disk."""
    stream, codec_rate = sent.stream, sent.stream.sample_rate
    with guarded(seconds):
        received = Received(stream) if channel is None else channel.receive(stream, codec=codec)
    with fatal_faults(unit.run):
        write_bytes(path, synbench_codecs.write_stream(received.encoded))
    file_bytes = path.read_bytes()
    encoded = synbench_codecs.read_stream(file_bytes)
    with guarded(seconds), stopwatch() as decode_time:
        if channel is None:
            decoded = synbench_codecs.decode(codec, encoded)
        else:
            decoded = channel.decode(replace(received, encoded=encoded), codec=codec)
    decoded_rate = output_rate(codec.info, codec_rate)
    check_length(codec.info, decoded, encoded.n_samples, codec_rate, decoded_rate)
    measured = {
        "payload_bits": encoded.payload_bits,
        "side_bits": encoded.side_bits,
        "header_bits": 8 * len(file_bytes) - encoded.payload_bits,
        "encode_cpu_seconds": sent.cpu_seconds,
        "encode_wall_seconds": sent.wall_seconds,
        "decode_cpu_seconds": decode_time["cpu"],
        "decode_wall_seconds": decode_time["wall"],
    }
    if channel is not None:
        measured |= {"channel_hits": received.damaged, "channel_units": received.of}
    return decoded, decoded_rate, measured


def check_length(
    info: CodecInfo, decoded: Any, n_samples: int, codec_rate: int, decoded_rate: int
) -> None:
    """A decoder gives the input, its delay, and at most the rest of a frame.

    Raises:
        CellFault: it gave less or more by over a frame and what the codec declares.
    """
    expected = round(n_samples * decoded_rate / codec_rate) + info.output_delay_samples
    if info.hop_length:
        frame = -(-info.hop_length * decoded_rate // codec_rate)
    else:
        frame = round(LONGEST_FRAME_SECONDS * decoded_rate)
    length = len(decoded) if getattr(decoded, "ndim", 0) == 1 else expected
    # A delay that is no whole number of samples at the other rate is declared rounded.
    if not expected - frame - 1 <= length <= expected + frame + 1 + info.surplus_samples:
        raise CellFault(
            f"the decoder returned {length} samples, expected {expected} and at most a frame of "
            f"{frame} less or more"
        )


def output_rate(info: CodecInfo, codec_rate: int) -> int:
    """Rate in Hz of the wave that a codec returns for an input at ``codec_rate``."""
    return info.output_sample_rate or codec_rate


def blank_decode(unit: DecodeUnit, item: ItemWork) -> DecodeRow:
    """What is stored of a decode before anything was done: a failure without a reason."""
    return DecodeRow(
        corpus=item.corpus,
        item=item.item,
        item_digest=item.digest,
        condition=item.condition,
        codec=published_spec(unit.codec.spec),
        codec_id=unit.codec.codec_id,
        policy_id=unit.policy_id,
        status="failed",
        attempt=unit.earlier.get((item.corpus, item.item), 0) + 1,
        seconds=item.seconds,
    )
