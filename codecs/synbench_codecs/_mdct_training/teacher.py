"""Stage 1: MDCTCodec with one or more codebooks; with four it is P2PSynCodec's teacher."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synbench_codecs._mdct.losses import LogMel
from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs._mdct.trained_model import TrainedModel, read_model
from synbench_codecs._mdct_training.configuration import TeacherConfig
from synbench_codecs._mdct_training.discriminator import (
    MDCTDiscriminator,
    discriminator_loss,
    generator_losses,
)
from synbench_codecs._mdct_training.loop import Score, make_optimiser, set_rate
from synbench_codecs._mdct_training.speech_store import SpeechStore, spread
from synbench_codecs._weights import file_sha256
from synbench_codecs.errors import UsageError

__all__ = ["Teacher", "codec_config"]


def codec_config(config: TeacherConfig) -> CodecConfig:
    """The codec that a configuration describes."""
    return CodecConfig(
        sample_rate=config.sample_rate,
        backbone=config.network,
        codebooks=config.codebooks,
        codes=config.codes,
        search=config.search,
    )


def _log_mels(config: TeacherConfig) -> nn.ModuleList:
    """The mel spectra that the losses compare; a long window moves by a quarter of itself."""
    mels = [LogMel(sample_rate=config.sample_rate, hop=config.losses.mel_hop)]
    if size := config.losses.long_window:
        n_fft = max(1024, 1 << (size - 1).bit_length())
        mels.append(LogMel(sample_rate=config.sample_rate, n_fft=n_fft, hop=size // 4, size=size))
    return nn.ModuleList(mels)


class Teacher:
    """One codec, its discriminator and their optimisers."""

    def __init__(
        self,
        config: TeacherConfig,
        *,
        speech: SpeechStore,
        validation: SpeechStore,
        score: Score,
        accelerator: Any,
        start_from: Path | None = None,
    ) -> None:
        self.config, self.speech, self.validation = config, speech, validation
        self.score, self.accelerator = score, accelerator
        self.data_seconds = 0.0
        torch.manual_seed(config.seed)
        self.model = MDCTModel(codec_config(config), usage_decay=config.usage_decay)
        self.start = self._take(start_from) if start_from else {}
        if config.decoder_only:
            if not start_from:
                raise UsageError("decoder_only trains the decoder of a model: give --start-from")
            self.model.encoder.requires_grad_(False)
            self.model.quantizer.requires_grad_(False)
        self.discriminator = MDCTDiscriminator(max(config.discriminator.channels, 1))
        if config.compile:
            self.model.encoder.compile()
            self.model.decoder.compile()
        self.mels = _log_mels(config).to(accelerator.device)
        self.prepared, self.optimiser = accelerator.prepare(
            self.model, make_optimiser(self.model, config.optimiser)
        )
        self.prepared_discriminator, self.discriminator_optimiser = accelerator.prepare(
            self.discriminator, make_optimiser(self.discriminator, config.optimiser)
        )
        counts = torch.zeros(config.codebooks, config.codes)
        self.counts = counts.to(accelerator.device)

    def step(self, step: int) -> Mapping[str, Tensor]:
        """Discriminator first, then the codec against the updated discriminator."""
        wave = self._batch(step)
        optimisers = [self.optimiser, self.discriminator_optimiser]
        set_rate(optimisers, self.config, step=step, seconds=self.speech.seconds)
        coefficients, decoded_coefficients, quantized = self.prepared(wave, self._refresh(step))
        decoded = self.model.mdct.inverse(decoded_coefficients)
        settings, chosen = self.config.losses, self.config.discriminator
        difference = [mel(decoded) - mel(wave) for mel in self.mels]
        terms = {
            "mdct": nn.functional.mse_loss(decoded_coefficients, coefficients),
            "mel_l1": torch.stack([one.abs().mean() for one in difference]).mean(),
            "mel_mse": torch.stack([one.square().mean() for one in difference]).mean(),
            "codebook": quantized.codebook_loss,
            "commitment": quantized.commitment_loss,
        }
        if chosen.channels and step >= chosen.from_step:
            judged = self._train_discriminator(wave, decoded.detach())
            # Unwrapped: its gradients are not wanted here, so no process waits for them.
            self.discriminator.requires_grad_(False)
            with torch.no_grad():
                real = self.discriminator(wave)
            terms["adversarial"], terms["matching"] = generator_losses(
                real, self.discriminator(decoded)
            )
            self.discriminator.requires_grad_(True)
        else:
            judged = None
        loss = torch.stack([getattr(settings, name) * term for name, term in terms.items()]).sum()
        self._descend(self.optimiser, self.model, loss)
        values: dict[str, Tensor] = {name: term.detach() for name, term in terms.items()}
        if judged is not None:
            values["discriminator"] = judged
        return values | self._usage(quantized.tokens)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean scores of whole validation utterances."""
        self.model.eval()
        sums: dict[str, list[float]] = {}
        for index in spread(self.validation, self.config.validation_items):
            wave = self.validation.utterance(index)
            tokens = self.model.encode(torch.from_numpy(wave)[None].to(self.accelerator.device))
            decoded = self.model.decode(self.model.quantizer.lookup(tokens))[0].cpu().numpy()
            shared = min(wave.size, decoded.size)
            for name, value in self.score(wave[:shared], decoded[:shared]).items():
                sums.setdefault(name, []).append(value)
        self.model.train()
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def state(self) -> dict[str, Any]:
        """Weights, optimisers, and the codes' use."""
        return {
            "model": self.model.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "usage": self.model.quantizer.usage(),
            "start": self.start,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state back.

        Raises:
            UsageError: the run started from another model than this one.
        """
        if state["start"] != self.start:
            started = state["start"].get("sha256", "random weights")
            raise UsageError(
                f"this run started from {started}, expected {self.start or 'random weights'}; "
                f"give the same --start-from, or another folder with --out"
            )
        self.model.load_state_dict(state["model"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
        self.model.quantizer.set_usage(state["usage"])

    def trained_model(self) -> TrainedModel:
        """The codec with its record."""
        training = {
            "note": self.config.note,
            "hours": round(self.speech.seconds / 3600, 2),
            "batch": self.config.batch,
            "crop_seconds": self.config.crop / self.config.sample_rate,
        }
        if self.start:
            training["started_from"] = self.start
        if self.config.decoder_only:
            training["trained"] = "decoder"
        return TrainedModel(codec=self.model, training=training)

    def _take(self, path: Path) -> dict[str, Any]:
        """Start from a trained model: its weights, with all codes taken as in use."""
        before = read_model(path)
        if before.codec.config != self.model.config:
            raise UsageError(
                f"{path} cannot start this run: expected {self.model.config}, "
                f"got {before.codec.config}"
            )
        self.model.load_state_dict(before.codec.state_dict())
        quantizer = self.model.quantizer
        quantizer.set_usage(torch.full_like(quantizer.usage(), 1 / self.config.codes))
        return {"sha256": file_sha256(path), "steps": before.training.get("steps", 0)}

    def _batch(self, step: int) -> Tensor:
        started = time.perf_counter()
        share = self.config.batch // self.accelerator.num_processes
        seed = (self.config.seed, step, self.accelerator.process_index)
        crops = torch.from_numpy(self.speech.crops(share, self.config.crop, seed))
        wave = crops.to(self.accelerator.device, non_blocking=True)
        self.data_seconds = time.perf_counter() - started
        return wave

    def _refresh(self, step: int) -> torch.Generator | None:
        if not self.config.usage_decay or self.config.decoder_only:
            return None
        return torch.Generator().manual_seed(self.config.seed * 2**32 + step)

    def _train_discriminator(self, wave: Tensor, decoded: Tensor) -> Tensor:
        both = self.prepared_discriminator(torch.cat([wave, decoded]))
        real = [[features[: len(wave)] for features in branch] for branch in both]
        fake = [[features[len(wave) :] for features in branch] for branch in both]
        loss = discriminator_loss(real, fake)
        self._descend(self.discriminator_optimiser, self.discriminator, loss)
        return loss.detach()

    def _descend(self, optimiser: Any, module: nn.Module, loss: Tensor) -> None:
        optimiser.zero_grad()
        self.accelerator.backward(loss)
        if self.config.optimiser.clip is not None:
            self.accelerator.clip_grad_norm_(module.parameters(), self.config.optimiser.clip)
        optimiser.step()

    def _usage(self, tokens: Tensor) -> dict[str, Tensor]:
        """Share of the codes of each book that some hundred steps have used lately."""
        values = {}
        for book, row in enumerate(tokens.unbind(1)):
            counts = self.counts[book].mul_(0.98)
            counts += torch.bincount(row.flatten(), minlength=counts.numel())
            values[f"codes_used_{book + 1}"] = (counts > 0.02).float().mean()
        return values
