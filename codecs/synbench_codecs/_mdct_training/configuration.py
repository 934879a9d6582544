"""What a training run is made of, read from YAML; unknown keys are refused, the close name offered.

The packaged configurations lie in ``configs/``. Numbers that the authors published, or that their
released code holds, are the defaults here; a configuration names what differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from synbench_base.yaml_text import read_yaml
from synbench_codecs._mdct.sizes import BackboneConfig, PredictorConfig, Search
from synbench_codecs._mdct_training.settings_reader import build
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
    "refuse_heads_without_encoder",
    "wants_periodicity",
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
class MelScale:
    """One mel spectrum that the losses compare: samples of window and hop, number of bands."""

    window: int = 320
    hop: int = 40
    bands: int = 80


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the gradient at the decoder's output; terms that are absent leave theirs to others.

    The losses' weights then decide nothing but the scale of the sum, and every crop of the batch
    counts alike, be it loud or quiet. As the balancer of EnCodec (Défossez et al. 2022), which
    takes the norm over the batch instead.
    """

    mdct: float = 0.0
    mel: float = 1.0
    periodicity: float = 0.0
    adversarial: float = 0.0
    matching: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Weights of the teacher's losses, and the mel spectra that they compare.

    Attributes:
        mels: the mel losses are the mean over these. The released code has one window of 20 ms,
            for which the harmonics of a voice are too close: with it alone a short training
            learns to whisper. A window of 2048 samples at 16 kHz hears them.
        mel_floor: of the mel magnitudes before the logarithm. On speech that went through a lossy
            codec 1e-5 lets one quiet crop take a quarter of the gradient; 1e-3 does not.
        periodicity: of what voiced speech lacks in periodicity; 0, as in the released code, leaves
            it out.
        shares: fixed shares of the gradient instead of what the weights make of it.
    """

    mdct: float = 250.0
    mel_l1: float = 45.0
    mel_mse: float = 45.0
    periodicity: float = 0.0
    codebook: float = 10.0
    commitment: float = 2.5
    adversarial: float = 0.1
    matching: float = 0.1
    mels: tuple[MelScale, ...] = (MelScale(),)
    mel_floor: float = 1e-5
    shares: Shares | None = None


def wants_periodicity(losses: Losses) -> bool:
    """Whether the periodicity of the decoded wave is one of the losses."""
    return losses.periodicity > 0 and (losses.shares is None or losses.shares.periodicity > 0)


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """A head that reads fundamental frequency and voicing off the quantized latent.

    It is trained with the codec and thrown away with the run: it makes the tokens carry the
    intonation, which spectral losses alone take very long to ask for.

    Attributes:
        weight: of its loss; 0, as in the released code, leaves it out.
        channels: width of its two convolutions.
    """

    weight: float = 0.0
    channels: int = 128


@dataclass(frozen=True, kw_only=True)
class Recogniser:
    """A head that tells from the quantized latent what a recogniser's encoder hears.

    Trained with the codec and thrown away with the run, as the head of the pitch: it makes the
    tokens carry the words. Word errors that the same recogniser counts are flattered then; judge
    by another one.

    Attributes:
        weight: of its loss; 0, as in the released code, leaves it out.
        channels: width of its two convolutions.
    """

    weight: float = 0.0
    channels: int = 192


@dataclass(frozen=True, kw_only=True)
class Discriminator:
    """The discriminators: how wide, from which step on, how fast they learn.

    Attributes:
        channels: of the multi-resolution MDCT discriminator; 0 leaves both out.
        period_channels: of the first layer of a multi-period one beside it, as in APCodec (32
            there); 0, as in the released code of MDCTCodec, leaves it out.
        from_step: where they join.
        alone_steps: for this number of steps they learn alone, before the codec learns from them.
        learning_rate: their own, constant after the warm-up; the codec's and its schedule if none.
        warm_up_steps: from ``from_step`` on, of their own learning rate.
    """

    channels: int = 64
    period_channels: int = 0
    from_step: int = 0
    alone_steps: int = 0
    learning_rate: float | None = None
    warm_up_steps: int = 0


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
        average: decay per step of a running mean of the weights, which is what validation hears
            and the run's model holds; 0, as in the released code, takes the last weights.
    """

    network: BackboneConfig = field(default_factory=BackboneConfig)
    codebooks: int = 4
    codes: int = 1024
    search: Search = "cosine"
    losses: Losses = field(default_factory=Losses)
    pitch: Pitch = field(default_factory=Pitch)
    recogniser: Recogniser = field(default_factory=Recogniser)
    discriminator: Discriminator = field(default_factory=Discriminator)
    usage_decay: float = 0.0
    decoder_only: bool = False
    plain_share: float = 0.0
    predicted_share: float = 0.0
    average: float = 0.0


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


def refuse_heads_without_encoder(config: TeacherConfig) -> None:
    """Of heads, whose targets take minutes to find, where there is nothing that they could teach.

    Raises:
        UsageError: a weight on one, and ``decoder_only``.
    """
    for name, head in (("pitch", config.pitch), ("recogniser", config.recogniser)):
        if head.weight and config.decoder_only:
            raise UsageError(f"a {name} weight wants an encoder to teach, got decoder_only: true")


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
        UsageError: not a mapping, a key twice or unknown, or a value of the wrong type.
    """
    text = read_yaml(path, what="configuration", keys="steps, batch, crop", empty=True)
    made: Config = build(text, kind)
    return made
