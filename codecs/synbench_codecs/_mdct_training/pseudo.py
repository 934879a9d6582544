"""Stage 2: the predictors of P2PSynCodec's pseudo quantizers, on the tokens of a frozen teacher.

The teacher's tokens of every utterance are computed once and kept beside the run. A crop is a
stretch of tokens, not of sound: whole utterances went through the teacher, as at the receiver.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.predictor import PseudoQuantizers, cascade
from synbench_codecs._mdct.sizes import PredictorConfig
from synbench_codecs._mdct.trained_model import TrainedModel, read_model
from synbench_codecs._mdct_training.configuration import PseudoConfig
from synbench_codecs._mdct_training.loop import Score, make_optimiser, set_rate
from synbench_codecs._mdct_training.speech_store import SpeechStore, spread
from synbench_codecs._mdct_training.start import refuse_other_start, start_record
from synbench_codecs._mdct_training.token_store import TokenStore
from synbench_codecs.errors import UsageError

__all__ = ["PseudoTraining"]


class PseudoTraining:
    """Predictors and their optimiser; the teacher stays as it is."""

    def __init__(
        self,
        config: PseudoConfig,
        *,
        teacher: TrainedModel,
        speech: SpeechStore,
        tokens: TokenStore,
        validation: SpeechStore,
        validation_tokens: TokenStore,
        score: Score,
        accelerator: Any,
        start_from: Path | None = None,
    ) -> None:
        self.config, self.teacher, self.speech, self.tokens = config, teacher, speech, tokens
        self.validation, self.validation_tokens = validation, validation_tokens
        self.score, self.accelerator = score, accelerator
        self.data_seconds = 0.0
        self.codec = teacher.codec.to(accelerator.device).requires_grad_(False)
        books = self.codec.config.codebooks
        if config.pseudo >= books:
            raise UsageError(
                f"expected at most {books - 1} pseudo quantizers for a teacher with {books} "
                f"codebooks, got {config.pseudo}"
            )
        self.tables = self.codec.quantizer.tables()
        torch.manual_seed(config.seed)
        self.model = PseudoQuantizers(predictor_config(config, self.codec), config.pseudo)
        self.start = self._take(start_from) if start_from else {}
        self.prepared, self.optimiser = accelerator.prepare(
            self.model, make_optimiser(self.model, config.optimiser)
        )
        if config.compile:
            self.model.compile()

    def step(self, step: int) -> Mapping[str, Tensor]:
        """Cross-entropy of every stage, summed; nothing is shared, so each trains on its own."""
        tokens = self._batch(step)
        set_rate([self.optimiser], self.config, step=step, seconds=self.speech.seconds)
        # Dropout's random numbers too are a function of the step alone.
        torch.manual_seed(self.config.seed * 2**32 + step * 1024 + self.accelerator.process_index)
        values: dict[str, Tensor] = {}
        losses = []
        for stage, logits in enumerate(self.prepared(self.tables, tokens), start=1):
            losses.append(
                nn.functional.cross_entropy(
                    logits.float().flatten(0, 1),
                    tokens[:, stage].flatten(),
                    label_smoothing=self.config.label_smoothing,
                )
            )
            values[f"cross_entropy_{stage}"] = losses[-1].detach()
            hits = logits.detach().argmax(-1) == tokens[:, stage]
            values[f"top1_{stage}"] = hits.float().mean()
        self.optimiser.zero_grad()
        self.accelerator.backward(torch.stack(losses).sum())
        if self.config.optimiser.clip is not None:
            for predictor in self.model.predictors:
                self.accelerator.clip_grad_norm_(predictor.parameters(), self.config.optimiser.clip)
        self.optimiser.step()
        return values

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Cross-entropy, top-1 and top-10 by teacher forcing; top-1 of the cascade; scores."""
        self.model.eval()
        sums: dict[str, list[float]] = {}
        for index in spread(self.validation, self.config.validation_items):
            tokens = self.validation_tokens.utterance(index).to(self.accelerator.device)
            tokens = tokens[:, : self.config.pseudo + 1]
            made = cascade(self.model.predictors, self.tables, tokens[:, 0])
            logits = self.model(self.tables, tokens)
            values = _accuracy(logits, tokens, made) | self._scores(index, made)
            for name, value in values.items():
                sums.setdefault(name, []).append(value)
        self.model.train()
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def _scores(self, index: int, tokens: Tensor) -> dict[str, float]:
        wave = self.validation.utterance(index)
        decoded = self.codec.decode(self.codec.quantizer.lookup(tokens))[0].cpu().numpy()
        shared = min(wave.size, decoded.size)
        return dict(self.score(wave[:shared], decoded[:shared]))

    def state(self) -> dict[str, Any]:
        """Predictors and optimiser."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "start": self.start,
        }

    def company(self) -> dict[str, Any]:
        """Nothing is trained beside the predictors."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state back.

        Raises:
            UsageError: the run started from other predictors than this one.
        """
        refuse_other_start(state, self.start)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])

    def trained_model(self) -> TrainedModel:
        """The teacher, the predictors, and the record of both trainings."""
        training = {
            "note": self.config.note or self.teacher.training.get("note", ""),
            "hours": round(self.speech.seconds / 3600, 2),
            "batch": self.config.batch,
            "crop_seconds": self.config.crop / self.config.sample_rate,
            "teacher": dict(self.teacher.training),
        }
        if self.start:
            training["started_from"] = self.start
        return TrainedModel(codec=self.codec, pseudo=self.model, training=training)

    def _take(self, path: Path) -> dict[str, Any]:
        """Start from trained predictors of the same sizes, be their teacher this one or another."""
        before = read_model(path)
        if before.pseudo is None:
            raise UsageError(f"{path} cannot start this run: it has no predictors")
        sizes = (before.pseudo.config, len(before.pseudo.predictors))
        if sizes != (self.model.config, self.config.pseudo):
            raise UsageError(
                f"{path} cannot start this run: expected {self.config.pseudo} predictors of "
                f"{self.model.config}, got {sizes[1]} of {sizes[0]}"
            )
        self.model.load_state_dict(before.pseudo.state_dict())
        steps = before.training.get("started_from", {}).get("steps", 0)
        return start_record(path, steps=steps + int(before.training.get("steps", 0)))

    def _batch(self, step: int) -> Tensor:
        started = time.perf_counter()
        share = self.config.batch // self.accelerator.num_processes
        seed = (self.config.seed, step, self.accelerator.process_index)
        length = self.config.crop // self.codec.config.hop
        tokens = self.tokens.crops(share, length, seed)[:, : self.config.pseudo + 1]
        tokens = tokens.to(self.accelerator.device, non_blocking=True)
        self.data_seconds = time.perf_counter() - started
        return tokens


def predictor_config(config: PseudoConfig, codec: MDCTModel) -> PredictorConfig:
    """Sizes of the predictors for this teacher."""
    latent, codes = codec.config.backbone.latent, codec.config.codes
    return dataclasses.replace(config.predictors, latent=latent, codes=codes)


def _accuracy(logits: list[Tensor], tokens: Tensor, made: Tensor) -> dict[str, float]:
    values = {}
    for stage, one in enumerate(logits, start=1):
        target = tokens[:, stage]
        best = one.topk(min(10, one.shape[-1]), dim=-1).indices
        values[f"cross_entropy_{stage}"] = float(
            nn.functional.cross_entropy(one.flatten(0, 1), target.flatten())
        )
        values[f"top1_{stage}"] = float((best[..., 0] == target).float().mean())
        values[f"top10_{stage}"] = float((best == target[..., None]).any(-1).float().mean())
        values[f"cascade_top1_{stage}"] = float((made[:, stage] == target).float().mean())
    return values
