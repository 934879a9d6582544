"""What a training run is made of, read from YAML; unknown keys are refused, the close name offered.

The packaged configurations lie in ``configs/``. Numbers that the authors published, or that their
released code holds, are the defaults here; a configuration names what differs.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from synbench_codecs._mdct.sizes import BackboneConfig, PredictorConfig, Search
from synbench_codecs.errors import UsageError

Schedule = Literal["exponential", "cosine"]
Precision = Literal["no", "bf16", "fp16"]

__all__ = [
    "PseudoConfig",
    "TeacherConfig",
    "TrainingConfig",
    "config_names",
    "find_config",
    "load_config",
]

CONFIGS = Path(__file__).with_name("configs")


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW and its learning rate.

    Attributes:
        schedule: ``exponential`` multiplies the rate by ``decay_per_epoch`` after every epoch;
            ``cosine`` lets it fall to zero at the last step.
        clip: largest norm of the gradient, none if absent.
    """

    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.8, 0.99)
    weight_decay: float = 0.01
    schedule: Schedule = "exponential"
    decay_per_epoch: float = 0.999
    warm_up_steps: int = 0
    clip: float | None = None


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Weights of the teacher's losses, and the hop of the mel spectra in samples.

    Attributes:
        long_window: also compare mel spectra of this window, in samples, and take the mean of the
            two; 0, as in the released code, leaves it out. The harmonics of a voice are too close
            for the 20 ms of the other window, so without it a short training learns to whisper.
    """

    mdct: float = 250.0
    mel_l1: float = 45.0
    mel_mse: float = 45.0
    codebook: float = 10.0
    commitment: float = 2.5
    adversarial: float = 0.1
    matching: float = 0.1
    mel_hop: int = 40
    long_window: int = 0


@dataclass(frozen=True, kw_only=True)
class Discriminator:
    """Width of the discriminator, and the step at which it joins; ``channels: 0`` leaves it out."""

    channels: int = 64
    from_step: int = 0


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What both stages have in common.

    Attributes:
        batch: crops per step over all devices together.
        crop: samples per crop.
        steps: optimiser steps of the whole run; may be raised or lowered before a resume.
        save_every, validate_every, log_every: steps.
        validation_items: utterances that are coded and scored at a validation.
        precision: mixed precision of forward and backward passes.
        compile: let torch compile the networks; needs a C++ compiler on a CPU.
        note: goes into the checkpoint, and from there to every table that shows its scores.
    """

    sample_rate: int = 16000
    seed: int = 1234
    batch: int = 48
    crop: int = 15960
    steps: int = 200_000
    save_every: int = 5000
    validate_every: int = 5000
    log_every: int = 100
    validation_items: int = 20
    precision: Precision = "no"
    compile: bool = False
    optimiser: Optimiser = field(default_factory=Optimiser)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class TeacherConfig(TrainingConfig):
    """Stage 1: encoder, residual quantizer and decoder against the discriminator.

    Attributes:
        usage_decay: how fast online clustering forgets a code's use; 0 turns clustering off, as in
            the released code.
        decoder_only: leave encoder and codebooks as the run started from them, so that tokens and
            predictors trained on them stay valid.
        plain_share: share of the crops that are decoded from the first codebook alone. Without
            it a deeper teacher moves what is needed out of the plain tokens (the paper's Table
            II); 0, as in the released code, leaves it out.
        predicted_share: share of the crops that the decoder hears through the predictors of the
            model that the run starts from, as at the receiver; wants ``decoder_only``. The
            authors' decoder never hears a predicted token before it is used.
    """

    network: BackboneConfig = field(default_factory=BackboneConfig)
    codebooks: int = 4
    codes: int = 1024
    search: Search = "cosine"
    losses: Losses = field(default_factory=Losses)
    discriminator: Discriminator = field(default_factory=Discriminator)
    usage_decay: float = 0.0
    decoder_only: bool = False
    plain_share: float = 0.0
    predicted_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PseudoConfig(TrainingConfig):
    """Stage 2: the predictors alone, everything else is the frozen teacher.

    Attributes:
        pseudo: number of pseudo quantizers, at most the teacher's codebooks less one.
        predictors: their sizes; ``latent`` and ``codes`` are the teacher's.
        label_smoothing: of the cross-entropy.
    """

    batch: int = 32
    crop: int = 64000
    pseudo: int = 3
    predictors: PredictorConfig = field(default_factory=PredictorConfig)
    label_smoothing: float = 0.0


Config = TypeVar("Config", bound=TrainingConfig)


def config_names(kind: type[TrainingConfig]) -> list[str]:
    """Packaged configurations of a stage."""
    stage = "teacher" if kind is TeacherConfig else "pseudo"
    return sorted(path.stem for path in (CONFIGS / stage).glob("*.yaml"))


def find_config(name: str, kind: type[TrainingConfig]) -> Path:
    """The file of a packaged name, or the path itself.

    Raises:
        UsageError: neither; the message lists the names.
    """
    stage = "teacher" if kind is TeacherConfig else "pseudo"
    packaged = CONFIGS / stage / f"{name}.yaml"
    for path in (packaged, Path(name)):
        if path.is_file():
            return path
    listed = ", ".join(config_names(kind))
    raise UsageError(f"no configuration {name!r}: expected a YAML file or one of {listed}")


def load_config(path: Path, kind: type[Config]) -> Config:
    """Read a configuration.

    Raises:
        UsageError: not a mapping, an unknown key, or a value of the wrong type.
    """
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {error}") from error
    made: Config = _build(record or {}, kind, str(path))
    return made


def _build(record: Any, kind: Any, where: str) -> Any:
    if not isinstance(record, dict):
        raise UsageError(f"{where}: expected a mapping, got {record!r}")
    types_of = typing.get_type_hints(kind)
    values = {}
    for key, value in record.items():
        if key not in types_of:
            close = difflib.get_close_matches(str(key), types_of)
            hint = f"did you mean {close[0]}?" if close else f"it has: {', '.join(types_of)}"
            raise UsageError(f"{where}: unknown key {key!r}; {hint}")
        values[key] = _value(value, types_of[key], f"{where}: {key}")
    return kind(**values)


def _value(value: Any, kind: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(value, kind, where)
    if typing.get_origin(kind) is Literal:
        # YAML reads a bare `no` as false.
        value = "no" if value is False else value
        if value not in typing.get_args(kind):
            listed = ", ".join(map(str, typing.get_args(kind)))
            raise UsageError(f"{where}: expected one of {listed}, got {value!r}")
        return value
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list) or len(value) != len(typing.get_args(kind)):
            raise UsageError(f"{where}: expected {len(typing.get_args(kind))} numbers")
        return tuple(float(one) for one in value)
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = typing.get_args(kind)[0]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value
