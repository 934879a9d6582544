"""Stage 1: MDCTCodec with one or more codebooks; with four it is P2PSynCodec's teacher."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synbench_codecs._mdct.information import teacher_steps
from synbench_codecs._mdct.losses import LogMel
from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.quantizer import Quantized
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

__all__ = ["Reconstruction", "Teacher", "codec_config"]


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


@dataclass(frozen=True)
class Reconstruction:
    """What a step's losses compare: waves (B, T), and coefficients (B, bins, F) in and out."""

    wave: Tensor
    coefficients: Tensor
    decoded: Tensor
    quantized: Quantized | None


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
            self._trained(), make_optimiser(self._trained(), config.optimiser)
        )
        self.prepared_discriminator, self.discriminator_optimiser = accelerator.prepare(
            self.discriminator, make_optimiser(self.discriminator, config.optimiser)
        )
        counts = torch.zeros(config.codebooks, config.codes)
        self.counts = counts.to(accelerator.device)

    def step(self, step: int) -> Mapping[str, Tensor]:
        """Discriminator first, then the codec against the updated discriminator."""
        optimisers = [self.optimiser, self.discriminator_optimiser]
        set_rate(optimisers, self.config, step=step, seconds=self.speech.seconds)
        made = self._reconstruct(step)
        wave, decoded = made.wave, self.model.mdct.inverse(made.decoded)
        settings, chosen = self.config.losses, self.config.discriminator
        difference = [mel(decoded) - mel(wave) for mel in self.mels]
        terms = {
            "mdct": nn.functional.mse_loss(made.decoded, made.coefficients),
            "mel_l1": torch.stack([one.abs().mean() for one in difference]).mean(),
            "mel_mse": torch.stack([one.square().mean() for one in difference]).mean(),
        }
        if made.quantized is not None:
            terms["codebook"] = made.quantized.codebook_loss
            terms["commitment"] = made.quantized.commitment_loss
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
        return values if made.quantized is None else values | self._usage(made.quantized.tokens)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean scores of whole validation utterances."""
        self.model.eval()
        sums: dict[str, list[float]] = {}
        for index in spread(self.validation, self.config.validation_items):
            wave = self.validation.utterance(index)
            decoded = self._decoded(index)[0].cpu().numpy()
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
        return TrainedModel(codec=self.model, training=self._record())

    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "note": self.config.note,
            "hours": round(self.speech.seconds / 3600, 2),
            "batch": self.config.batch,
            "crop_seconds": self.config.crop / self.config.sample_rate,
        }
        if self.start:
            record["started_from"] = self.start
        if self.config.decoder_only:
            record["trained"] = "decoder"
        return record

    def _trained(self) -> nn.Module:
        """The network whose output the losses see."""
        return self.model

    def _reconstruct(self, step: int) -> Reconstruction:
        wave = self._batch(step)
        first_alone = None
        if self.config.plain_share:
            first_alone = self._lots(step, len(wave)) < self.config.plain_share
        return Reconstruction(wave, *self.prepared(wave, self._refresh(step), first_alone))

    def _decoded(self, index: int) -> Tensor:
        """A whole validation utterance, (1, T)."""
        wave = torch.from_numpy(self.validation.utterance(index))[None]
        tokens = self.model.encode(wave.to(self.accelerator.device))
        decoded: Tensor = self.model.decode(self.model.quantizer.lookup(tokens))
        return decoded

    def _take(self, path: Path) -> dict[str, Any]:
        """Start from a trained model: its weights, with all codes taken as in use.

        It may have fewer codebooks; the others start at random, on what it leaves uncoded.
        """
        before = read_model(path)
        codec, books = before.codec, before.codec.config.codebooks
        wanted = dataclasses.replace(self.model.config, codebooks=books)
        if codec.config != wanted or books > self.config.codebooks:
            raise UsageError(
                f"{path} cannot start this run: expected {self.model.config} or fewer codebooks, "
                f"got {codec.config}"
            )
        self.model.load_state_dict(self.model.state_dict() | codec.state_dict())
        usage = self.model.quantizer.usage()
        usage[:books] = 1 / self.config.codes
        self.model.quantizer.set_usage(usage)
        return {"sha256": file_sha256(path), "steps": teacher_steps(before.training)}

    def _share(self) -> int:
        """Crops per step of this process."""
        return int(self.config.batch // self.accelerator.num_processes)

    def _batch(self, step: int) -> Tensor:
        started = time.perf_counter()
        seed = (self.config.seed, step, self.accelerator.process_index)
        crops = torch.from_numpy(self.speech.crops(self._share(), self.config.crop, seed))
        wave = crops.to(self.accelerator.device, non_blocking=True)
        self.data_seconds = time.perf_counter() - started
        return wave

    def _refresh(self, step: int) -> torch.Generator | None:
        if not self.config.usage_decay or self.config.decoder_only:
            return None
        return torch.Generator().manual_seed(self.config.seed * 2**32 + step)

    def _lots(self, step: int, items: int) -> Tensor:
        """A number from 0 to 1 for each item of a step, a function of the seed and the step."""
        rng = np.random.default_rng((self.config.seed, step, self.accelerator.process_index, 1))
        return torch.from_numpy(rng.random(items)).to(self.accelerator.device)

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
