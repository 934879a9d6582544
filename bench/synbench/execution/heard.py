"""The wave that a codec gets: the recording, or what a condition makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import synbench_codecs
from synbench import policy
from synbench.conditions.applied import Applied
from synbench.conditions.transmission import earlier_codecs
from synbench.execution.guard import guarded
from synbench.execution.sealed import read_sealed, write_sealed
from synbench.execution.units import ItemWork, input_artefact
from synbench.execution.worker import fatal_faults
from synbench.results.confined import inside
from synbench_base.errors import ItemError
from synbench_codecs import Codec

__all__ = ["damaged_recording", "heard"]


def heard(
    reference: policy.Wave,
    rate: int,
    *,
    damage: Applied | None,
    item: ItemWork,
    codec: Codec,
    unit: Any,
    seconds: float,
) -> policy.Wave:
    """The wave at ``rate`` Hz that the last codec of an item gets, as long as the recording.

    Args:
        unit: has ``run``.
        seconds: longest time that noise, room or an earlier codec may take.

    Raises:
        ItemError: the damage cannot be done to this recording, or an earlier codec is at fault.
        EnvironmentFault: the disk is full or read-only.
    """
    if damage is None:
        return reference
    wave = reference
    if damage.condition.damages_input:
        wave = damaged_recording(
            reference, rate, damage=damage, item=item, run=unit.run, seconds=seconds
        )
    if isinstance(damage.condition.tandem, int):
        return _through(earlier_codecs(damage, codec), wave, rate, seconds=seconds)

    def made() -> policy.Wave:
        with guarded(seconds):
            earlier = earlier_codecs(damage, codec)
        return _through(earlier, wave, rate, seconds=seconds)

    # What other codecs leave of an item is the same whatever codec comes last.
    return _stored(f"{input_artefact(item).with_suffix('')}.coded.flac", made, rate, run=unit.run)


def _through(codecs: list[Codec], wave: policy.Wave, rate: int, *, seconds: float) -> policy.Wave:
    for each in codecs:
        with guarded(seconds):
            wave = _passed(each, wave, rate)
    return wave


def damaged_recording(
    reference: policy.Wave,
    rate: int,
    *,
    damage: Applied,
    item: ItemWork,
    run: str,
    seconds: float,
) -> policy.Wave:
    """What is stored of the damaged recording: every codec gets the same rounded samples.

    It is made where it is not there yet, or is not what was made.

    Raises:
        ItemError: the damage cannot be done to this recording.
        EnvironmentFault: the disk is full or read-only.
    """

    def made() -> policy.Wave:
        from synbench.conditions.damage import damaged_input

        with guarded(seconds):
            return damaged_input(
                np.asarray(reference),
                damage.condition,
                sample_rate=rate,
                corpus=damage.corpus,
                item=item.item,
                voices=[voice.wave(sample_rate=rate) for voice in damage.voices],
            ).wave

    return _stored(str(input_artefact(item)), made, rate, run=run)


def _stored(name: str, make: Callable[[], policy.Wave], rate: int, *, run: str) -> policy.Wave:
    """A wave that is kept below ``inputs``; made where it is not there, or is not what was made."""
    path = inside(Path(run), f"inputs/{name}")
    try:
        return read_sealed(path, name=name)[0]
    except ItemError:
        wave = make()
    with fatal_faults(run):
        write_sealed(path, wave, sample_rate=rate, name=name)
    return read_sealed(path, name=name)[0]


def _passed(codec: Codec, wave: policy.Wave, rate: int) -> policy.Wave:
    """A wave through a codec's bytes, its delay removed, at the same rate and length."""
    codec_rate = codec.info.sample_rate or rate
    resampled = np.asarray(policy.at_rate(wave, sample_rate=rate, to=codec_rate), dtype=np.float32)
    encoded = synbench_codecs.encode(codec, resampled, codec_rate)
    stream = synbench_codecs.read_stream(synbench_codecs.write_stream(encoded))
    aligned = policy.align(
        synbench_codecs.decode(codec, stream),
        sample_rate=codec.info.output_sample_rate or codec_rate,
        delay_samples=codec.info.output_delay_samples,
        reference=wave,
        reference_rate=rate,
    )
    return aligned.wave
