"""The wave that a codec gets: the recording, or what a condition makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import synbench_codecs
from synbench import policy
from synbench.audio import audio_bytes
from synbench.conditions.applied import Applied
from synbench.conditions.transmission import earlier_codecs
from synbench.execution.sealed import read_sealed, write_sealed
from synbench.execution.units import ItemWork, input_artefact
from synbench.execution.worker import fatal_faults, guarded
from synbench.results.confined import inside
from synbench_base.errors import ItemError
from synbench_codecs import Codec

__all__ = ["heard"]


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
        wave = _damaged(reference, rate, damage=damage, item=item, unit=unit, seconds=seconds)
    with guarded(seconds):
        earlier = earlier_codecs(damage, codec)
    for each in earlier:
        with guarded(seconds):
            wave = _passed(each, wave, rate)
    return wave


def _damaged(
    reference: policy.Wave,
    rate: int,
    *,
    damage: Applied,
    item: ItemWork,
    unit: Any,
    seconds: float,
) -> policy.Wave:
    """What is stored of the damaged recording: every codec gets the same rounded samples."""
    name = str(input_artefact(item))
    path = inside(Path(unit.run), f"inputs/{name}")
    try:
        return read_sealed(path, name=name)[0]
    except ItemError:
        pass  # not made yet, or not what was made
    from synbench.conditions.damage import damaged_input

    with guarded(seconds):
        made = damaged_input(
            reference,
            damage.condition,
            sample_rate=rate,
            corpus=damage.corpus,
            item=item.item,
            voices=[voice.wave(sample_rate=rate) for voice in damage.voices],
        )
    data = bytes(audio_bytes(made.wave, sample_rate=rate, suffix=".flac"))
    with fatal_faults(unit.run):
        write_sealed(path, data, name=name)
    return read_sealed(path, name=name)[0]


def _passed(codec: Codec, wave: policy.Wave, rate: int) -> policy.Wave:
    """A wave through a codec's bytes, its delay removed, at the same rate and length."""
    codec_rate = codec.info.sample_rate or rate
    resampled = policy.at_rate(wave, sample_rate=rate, to=codec_rate).astype("float32")
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
