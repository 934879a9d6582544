"""The training loop of both stages: steps, journal, checkpoints, resume.

A run is a folder: ``config.json``, ``state.pt`` (everything that a resume needs),
``model.safetensors`` (what a codec loads), ``company.pt`` (discriminator, head and their
optimisers, for a run that starts from that model), ``curves.csv`` (step, name, value). Files are
renamed into place when complete. The same command again goes on from the last saved step; SIGTERM
and SIGINT save first.
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synbench_base.files import complete_file, write_bytes
from synbench_base.packages import import_extra
from synbench_codecs._mdct.trained_model import TrainedModel, write_model
from synbench_codecs._mdct_training.configuration import Optimiser, TrainingConfig
from synbench_codecs._mdct_training.journal import Journal
from synbench_codecs.errors import UsageError

__all__ = [
    "COMPANY_FILE",
    "Score",
    "Stage",
    "learning_rate",
    "make_accelerator",
    "make_optimiser",
    "saved_step",
    "set_rate",
    "train",
]

# (reference, degraded), both (T,) at the run's rate, to named scores.
Score = Callable[[NDArray[np.float32], NDArray[np.float32]], Mapping[str, float]]

# Beside a run's model: what was trained with it, for a run that starts from it.
COMPANY_FILE = "company.pt"
MAY_CHANGE = ("steps", "save_every", "validate_every", "log_every", "validation_items", "note")


class Stage(Protocol):
    """What one stage of the training does; the loop does the rest."""

    data_seconds: float

    def step(self, step: int) -> Mapping[str, Tensor]:
        """One optimiser step; the terms to write down, still on the device."""

    def validate(self) -> Mapping[str, float]:
        """Scores on the validation speech."""

    def state(self) -> dict[str, Any]:
        """Everything that changes: weights, optimisers, buffers."""

    def company(self) -> dict[str, Any]:
        """The part of it that a run which starts from this one's model wants."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state back."""

    def trained_model(self) -> TrainedModel:
        """What a codec loads."""


def make_accelerator(config: TrainingConfig) -> Any:
    """accelerate's Accelerator: devices, processes and nodes as `accelerate launch` set them.

    Raises:
        Unavailable: accelerate is not installed.
    """
    accelerator = import_extra("accelerate", extra="torch").Accelerator(
        mixed_precision=config.precision, cpu=not torch.cuda.is_available() or None
    )
    if config.batch % accelerator.num_processes:
        raise UsageError(
            f"expected a batch that {accelerator.num_processes} processes can share evenly, "
            f"got {config.batch}"
        )
    return accelerator


def learning_rate(optimiser: Optimiser, *, step: int, steps: int, steps_per_epoch: float) -> float:
    """The learning rate of a step, a function of nothing else, so that a resume needs no state."""
    rate = optimiser.learning_rate * min(1.0, (step + 1) / max(optimiser.warm_up_steps, 1))
    if optimiser.schedule == "cosine":
        return rate * 0.5 * (1 + math.cos(math.pi * step / steps))
    return float(rate * optimiser.decay_per_epoch ** math.floor(step / steps_per_epoch))


def make_optimiser(module: nn.Module, chosen: Optimiser) -> torch.optim.AdamW:
    """AdamW over all parameters of a module."""
    return torch.optim.AdamW(
        module.parameters(),
        lr=chosen.learning_rate,
        betas=chosen.betas,
        weight_decay=chosen.weight_decay,
        fused=torch.cuda.is_available() or None,
    )


def set_rate(
    optimisers: Sequence[Any], config: TrainingConfig, *, step: int, seconds: float
) -> float:
    """Give all optimisers the learning rate of a step; an epoch is ``seconds`` of speech."""
    rate = learning_rate(
        config.optimiser,
        step=step,
        steps=config.steps,
        steps_per_epoch=seconds / (config.batch * config.crop / config.sample_rate),
    )
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
    return rate


def train(
    stage: Stage,
    config: TrainingConfig,
    folder: Path,
    *,
    accelerator: Any,
    seconds: float | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Run a stage from where it was to its last step, or until ``seconds`` have passed.

    Raises:
        UsageError: the folder holds a run of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = _resume(stage, config, folder)
    journal = Journal(folder / "curves.csv", config.steps, keep_to=first)
    if first:
        report(f"continuing after step {first} of {config.steps}")
    if config.compile and first < config.steps and accelerator.is_main_process:
        report("compiling the networks: the first step takes minutes, the others do not")
    started = time.monotonic()
    crop_seconds = config.batch * config.crop / config.sample_rate

    def save(step: int) -> None:
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            _save(stage, config, folder, step=step, processes=accelerator.num_processes)

    with _stop_signals() as stopped, _without_denormals():
        for step in range(first, config.steps):
            terms = stage.step(step)
            journal.add(terms, data=stage.data_seconds, audio=crop_seconds)
            done = step + 1
            last = done == config.steps
            if (last or done % config.log_every == 0) and accelerator.is_main_process:
                report(journal.write(done))
            if (last or done % config.validate_every == 0) and accelerator.is_main_process:
                report(journal.write_scores(done, stage.validate()))
            late = seconds is not None and time.monotonic() - started > seconds
            ending = _agreed(accelerator, stopped() or late)
            if last or done % config.save_every == 0 or ending:
                save(done)
            if ending and not last:
                report(f"stopped and saved after step {done}; the same command continues")
                return
    if accelerator.is_main_process:
        report(f"done: {folder / 'model.safetensors'}")


def _identity(config: TrainingConfig) -> dict[str, Any]:
    record = json.loads(json.dumps(dataclasses.asdict(config)))
    return {key: value for key, value in record.items() if key not in MAY_CHANGE}


def saved_step(folder: Path) -> int:
    """Steps after which a run was last saved; 0 where there is none."""
    path = folder / "state.pt"
    if not path.exists():
        return 0
    return int(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["step"])


def _resume(stage: Stage, config: TrainingConfig, folder: Path) -> int:
    """Steps done; the stage takes its state back."""
    path = folder / "state.pt"
    if not path.exists():
        return 0
    saved = torch.load(path, map_location="cpu", weights_only=True)
    stored = json.loads(saved["config"])
    different = [key for key, value in _identity(config).items() if stored.get(key) != value]
    if different:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(different)}; "
            f"name another folder with --out"
        )
    stage.restore(saved["stage"])
    return int(saved["step"])


def _save(stage: Stage, config: TrainingConfig, folder: Path, *, step: int, processes: int) -> None:
    state = {"config": json.dumps(_identity(config)), "step": step, "stage": stage.state()}
    _write(folder / "state.pt", state)
    if company := stage.company():
        _write(folder / COMPANY_FILE, company)
    described = json.dumps(dataclasses.asdict(config), indent=1) + "\n"
    write_bytes(folder / "config.json", described.encode())
    model = stage.trained_model()
    training = {**model.training, "steps": step, "processes": processes, "device": device_name()}
    write_model(folder / "model.safetensors", dataclasses.replace(model, training=training))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with complete_file(path) as file:
        torch.save(content, file)


def device_name() -> str:
    """What the training ran on."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _agreed(accelerator: Any, stopped: bool) -> bool:
    """Whether any process was told to stop; all must end after the same step."""
    if accelerator.num_processes == 1:
        return stopped
    flag = torch.tensor(float(stopped), device=accelerator.device)
    return bool(accelerator.reduce(flag).item())


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Denormal numbers make a CPU some ten times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Finish the step when the first signal comes; a second one ends at once."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
