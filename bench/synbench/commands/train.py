"""``synbench train``: train MDCTCodec and P2PSynCodec; the same command again resumes."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from synbench.cache import cache_folder
from synbench.errors import UsageError
from synbench_base.packages import install
from synbench_codecs import training
from synbench_metrics.errors import Unavailable

__all__ = ["find_features", "find_pitch", "train", "validation_score"]

EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Command = Callable[..., None]


def speech_options(command: Command) -> Command:
    """What both stages take."""
    for option in (
        click.option(
            "--seconds",
            type=click.FloatRange(min=0, min_open=True),
            help="Save and stop after this time; the same command continues.",
        ),
        click.option("--steps", type=click.IntRange(min=1), help="Instead of the configuration's."),
        click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the run."),
        click.option(
            "--validation", type=EXISTING_FOLDER, required=True, help="Folder of held-out speech."
        ),
        click.option("--data", type=EXISTING_FOLDER, required=True, help="Folder of speech."),
    ):
        command = option(command)
    return command


@click.group()
def train() -> None:
    """Train MDCTCodec and P2PSynCodec; the same command again resumes.

    \b
    synbench train teacher libritts-16k --data TRAIN --validation DEV --out teacher
    synbench train pseudo libritts-16k --teacher teacher/model.safetensors \\
        --data TRAIN --validation DEV --out pseudo
    synbench run SUITE        # with a codec p2psyncodec:weights=pseudo/model.safetensors

    CONFIG is a packaged name (synbench train configs) or a YAML file. Several GPUs or machines:
    torchrun --nproc_per_node GPUS -m synbench train teacher ...
    """


@train.command(short_help="Stage 1: encoder, quantizer and decoder.")
@click.argument("config")
@click.option(
    "--start-from", type=EXISTING_FILE, help="A model.safetensors to train further; else random."
)
@speech_options
def teacher(
    config: str,
    data: Path,
    validation: Path,
    out: Path,
    steps: int | None,
    seconds: float | None,
    start_from: Path | None,
) -> None:
    """Stage 1: encoder, residual quantizer and decoder, against the discriminator."""
    chosen = training.configure(config, training.TeacherConfig, **_changes(steps))
    training.train_teacher(
        chosen,
        data=data,
        validation=validation,
        folder=out,
        cache=cache_folder() / "training",
        score=validation_score(chosen.sample_rate),
        start_from=start_from,
        find_pitch=find_pitch,
        find_features=find_features,
        seconds=seconds,
        report=_report,
    )
    _plot(out)


@train.command(short_help="Stage 2: the predictors of the pseudo quantizers.")
@click.argument("config")
@click.option("--teacher", type=EXISTING_FILE, required=True, help="model.safetensors of stage 1.")
@click.option(
    "--start-from", type=EXISTING_FILE, help="Predictors to train further; else random ones."
)
@speech_options
def pseudo(
    config: str,
    teacher: Path,
    data: Path,
    validation: Path,
    out: Path,
    steps: int | None,
    seconds: float | None,
    start_from: Path | None,
) -> None:
    """Stage 2: the predictors of the pseudo quantizers, everything else frozen."""
    chosen = training.configure(config, training.PseudoConfig, **_changes(steps))
    training.train_pseudo(
        chosen,
        teacher=teacher,
        data=data,
        validation=validation,
        folder=out,
        cache=cache_folder() / "training",
        score=validation_score(chosen.sample_rate),
        start_from=start_from,
        seconds=seconds,
        report=_report,
    )
    _plot(out)


@train.command()
def configs() -> None:
    """List the packaged configurations."""
    for stage, kind in (("teacher", training.TeacherConfig), ("pseudo", training.PseudoConfig)):
        for name in training.config_names(kind):
            click.echo(f"{stage} {name}")


@train.command(short_help="Plot the curves of a training.")
@click.argument("run", type=EXISTING_FOLDER)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG, SVG or PDF.")
def curves(run: Path, out: Path | None) -> None:
    """Plot the curves of a run, beside its curves.csv unless told otherwise."""
    training.plot_curves(run / "curves.csv", out or run / "curves.png")
    click.echo(f"{out or run / 'curves.png'}")


@train.command()
@click.argument("run", type=EXISTING_FOLDER)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--float32", is_flag=True, help="Keep single precision; half is the default.")
@click.option(
    "--teacher",
    type=EXISTING_FILE,
    help="Use the run's predictors with this teacher, whose decoder alone was trained further.",
)
def export(run: Path, out: Path, float32: bool, teacher: Path | None) -> None:
    """Write the codec of a run to one file, to give to others."""
    training.export(run, out, half=not float32, teacher=teacher)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


def _changes(steps: int | None) -> dict[str, Any]:
    return {} if steps is None else {"steps": steps}


def _report(line: str) -> None:
    click.echo(line)


def _plot(out: Path) -> None:
    try:
        training.plot_curves(out / "curves.csv", out / "curves.png")
    except ImportError:
        click.echo(f"curves.csv is written; for the plot: {install('reports')}")


def find_pitch(wave: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """The pitch that a codec is taught: Hz every 5 ms, 0 where unvoiced."""
    from synbench_metrics import voice

    return voice.pitch(wave, sample_rate, "dio")


def find_features(wave: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """What a codec is taught of the words: Moonshine's features every 20 ms, (frames, 288)."""
    from synbench_metrics import word_errors

    if sample_rate != 16000:
        raise UsageError(f"a recogniser weight wants speech at 16000 Hz, got {sample_rate} Hz")
    return word_errors.moonshine_features(wave)


def validation_score(sample_rate: int) -> training.Score:
    """What a run prints of its validation speech at some rate."""
    return functools.partial(_score, sample_rate=sample_rate)


def _score(
    reference: NDArray[np.float32], degraded: NDArray[np.float32], *, sample_rate: int
) -> Mapping[str, float]:
    """Scores of a validation utterance, and for each column whether there was one."""
    import synbench_metrics

    scores = {}
    for metric in _metrics(sample_rate):
        outcome = synbench_metrics.score(
            metric,
            reference=reference if "reference" in metric.info.needs else None,
            degraded=np.clip(degraded, -1, 1),
            sample_rate=sample_rate,
        )
        scores[f"{metric.info.column}_scored"] = float(outcome.value is not None)
        if outcome.value is not None:
            scores[metric.info.column] = outcome.value
    return scores


@functools.cache
def _metrics(sample_rate: int) -> list[Any]:
    """STOI and ViSQOL, and at 16 kHz what hears whether a voice is there; those that can run."""
    import synbench_metrics

    columns = ["stoi", "visqol_audio"]
    if sample_rate != 48000:
        columns = ["stoi", "visqol_speech_exp", "f0_semitone_autocorrelation", "periodicity"]
        columns += ["f0_semitone_dio", "voicing_error_dio", "distill_mos"]
    metrics = []
    for column in columns:
        metric = synbench_metrics.load(column)
        with contextlib.suppress(Unavailable):
            metric.check()
            metrics.append(metric)
    return metrics
