"""Train the MDCT codecs: what ``synbench train`` calls.

Nothing heavy is imported before a function is called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import import_extra
from synbench_codecs._mdct_training.configuration import (
    Config,
    PseudoConfig,
    TeacherConfig,
    config_names,
    find_config,
    load_config,
    refuse_heads_without_encoder,
    wants_periodicity,
)
from synbench_codecs._mdct_training.journal import plot_curves
from synbench_codecs._mdct_training.parts import join_parts, split_into_parts
from synbench_codecs.errors import UsageError

# A wave (T,) and its rate to Hz every 5 ms, (frames,), 0 where unvoiced.
FindPitch = Callable[[NDArray[np.float32], int], NDArray[np.float64]]
# A wave (T,) and its rate to a recogniser's features every 20 ms, (frames, size).
FindFeatures = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
# (reference, degraded), both (T,) at the run's rate, to named scores.
Score = Callable[[NDArray[np.float32], NDArray[np.float32]], Mapping[str, float]]

__all__ = [
    "FindFeatures",
    "FindPitch",
    "PseudoConfig",
    "Score",
    "TeacherConfig",
    "config_names",
    "configure",
    "export",
    "join_parts",
    "plot_curves",
    "split_into_parts",
    "steps_done",
    "train_pseudo",
    "train_teacher",
]


def configure(name: str, kind: type[Config], **changes: Any) -> Config:
    """A packaged configuration or a YAML file, with some values replaced.

    Raises:
        UsageError: unknown name or key, or a value of the wrong type.
    """
    config = load_config(find_config(name, kind), kind)
    return dataclasses.replace(config, **changes)


def train_teacher(
    config: TeacherConfig,
    *,
    data: Path,
    validation: Path,
    folder: Path,
    cache: Path,
    score: Score,
    start_from: Path | None = None,
    find_pitch: FindPitch | None = None,
    find_features: FindFeatures | None = None,
    seconds: float | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Stage 1: train encoder, quantizer and decoder; the same call again resumes.

    Args:
        config: the run.
        data, validation: folders with speech in any format that libsndfile reads.
        folder: where the run is kept; ``model.safetensors`` in it is the codec.
        cache: where decoded training speech is kept.
        score: scores of a validation utterance.
        start_from: ``model.safetensors`` of a network of the same sizes and as many codebooks or
            fewer, to train it further; random weights if absent. Its digest and its steps go into
            the new model's record. With ``predicted_share``, a model with predictors.
        find_pitch: fundamental frequency of a wave, for configurations with a pitch weight or a
            periodicity weight.
        find_features: what a recogniser's encoder hears, for configurations with its weight.
        seconds: save and stop after this time, which starts with the first step.
        report: takes one line of progress at a time.

    Raises:
        UsageError: a folder without audio, a run of another configuration in ``folder``, a
            network of other sizes to start from, or one of these weights without what finds it.
        Unavailable: torch or accelerate is not installed.
    """
    import_extra("torch", extra="torch")
    from synbench_codecs._mdct_training.loop import make_accelerator, train
    from synbench_codecs._mdct_training.pitch import pitch_track
    from synbench_codecs._mdct_training.receiver import Receiver
    from synbench_codecs._mdct_training.recogniser import feature_track
    from synbench_codecs._mdct_training.speech_store import open_stores
    from synbench_codecs._mdct_training.teacher import Teacher

    refuse_heads_without_encoder(config)
    accelerator = make_accelerator(config)
    with accelerator.main_process_first():
        speech, held_out = open_stores(
            data, validation, sample_rate=config.sample_rate, cache=cache, report=report
        )
        track = None
        if config.pitch.weight or wants_periodicity(config.losses):
            if find_pitch is None:
                raise UsageError("a pitch or periodicity weight wants find_pitch, got none")
            track = pitch_track(speech, cache, find=find_pitch, report=report)
        features = None
        if config.recogniser.weight:
            if find_features is None:
                raise UsageError("a recogniser weight wants find_features, got none")
            features = feature_track(speech, cache, find=find_features, report=report)
    common: dict[str, Any] = {
        "speech": speech,
        "validation": held_out,
        "score": score,
        "accelerator": accelerator,
        "start_from": start_from,
    }
    if config.predicted_share:
        stage: Teacher = Receiver(config, folder=folder, report=report, **common)
    else:
        stage = Teacher(config, pitch=track, features=features, **common)
    train(stage, config, folder, accelerator=accelerator, seconds=seconds, report=report)


def train_pseudo(
    config: PseudoConfig,
    *,
    teacher: Path,
    data: Path,
    validation: Path,
    folder: Path,
    cache: Path,
    score: Score,
    start_from: Path | None = None,
    seconds: float | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Stage 2: train the predictors on the tokens of ``teacher``, a ``model.safetensors``.

    ``start_from`` is a model with predictors of the same sizes, to train them further, on the
    tokens of its own teacher or of one that was trained on from it. Arguments and errors
    otherwise as for :func:`train_teacher`.
    """
    import_extra("torch", extra="torch")
    from synbench_codecs._mdct.trained_model import read_model
    from synbench_codecs._mdct_training.loop import make_accelerator, train
    from synbench_codecs._mdct_training.pseudo import PseudoTraining
    from synbench_codecs._mdct_training.speech_store import open_stores
    from synbench_codecs._mdct_training.token_store import token_store

    trained = read_model(teacher)
    rate = trained.codec.config.sample_rate
    if rate != config.sample_rate:
        raise UsageError(f"{teacher} works at {rate} Hz, the configuration at {config.sample_rate}")
    accelerator = make_accelerator(config)
    codec = trained.codec.to(accelerator.device)
    with accelerator.main_process_first():
        speech, held_out = open_stores(
            data, validation, sample_rate=rate, cache=cache, report=report
        )
        tokens, held_out_tokens = (
            token_store(codec, store, folder / name, device=accelerator.device, report=report)
            for store, name in ((speech, "tokens.npz"), (held_out, "validation_tokens.npz"))
        )
    stage = PseudoTraining(
        config,
        teacher=trained,
        speech=speech,
        tokens=tokens,
        validation=held_out,
        validation_tokens=held_out_tokens,
        score=score,
        accelerator=accelerator,
        start_from=start_from,
    )
    train(stage, config, folder, accelerator=accelerator, seconds=seconds, report=report)


def steps_done(folder: Path) -> int:
    """Steps after which a run was last saved; 0 where there is none."""
    import_extra("torch", extra="torch")
    from synbench_codecs._mdct_training.loop import saved_step

    return saved_step(folder)


def export(folder: Path, out: Path, *, half: bool = True, teacher: Path | None = None) -> None:
    """Write the codec of a run to one file, in half precision unless told otherwise.

    Args:
        folder: the run.
        out: the file.
        half: store float16 instead of float32.
        teacher: for predictors, another teacher that differs in its decoder alone (it was trained
            further with ``decoder_only``); its tokens are the same, so the predictors fit it.

    Raises:
        Unavailable: the run has not saved yet.
        UsageError: ``teacher`` has another encoder or other codebooks.
    """
    import_extra("torch", extra="torch")
    from synbench_codecs._mdct.trained_model import read_model, replace_teacher, write_model

    model = read_model(folder / "model.safetensors")
    if teacher is not None:
        model = replace_teacher(model, read_model(teacher))
    write_model(out, model, half=half)
