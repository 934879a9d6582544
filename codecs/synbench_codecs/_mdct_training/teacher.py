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
from numpy.typing import NDArray
from torch import Tensor, nn

from synbench_codecs._mdct.information import teacher_steps
from synbench_codecs._mdct.losses import LogMel
from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.quantizer import Quantized
from synbench_codecs._mdct.sizes import CodecConfig
from synbench_codecs._mdct.trained_model import TrainedModel, read_model
from synbench_codecs._mdct_training.ahead import Ahead
from synbench_codecs._mdct_training.average import RunningMean
from synbench_codecs._mdct_training.balance import weighed
from synbench_codecs._mdct_training.configuration import TeacherConfig, wants_periodicity
from synbench_codecs._mdct_training.critic import Critic
from synbench_codecs._mdct_training.discriminator import make_discriminator
from synbench_codecs._mdct_training.helper import Helper
from synbench_codecs._mdct_training.loop import COMPANY_FILE, Score, make_optimiser, set_rate
from synbench_codecs._mdct_training.periodicity import periodicity_loss
from synbench_codecs._mdct_training.pitch import PitchHead, PitchLessons
from synbench_codecs._mdct_training.recogniser import (
    FeatureTrack,
    RecogniserHead,
    RecogniserLessons,
)
from synbench_codecs._mdct_training.speech_store import SpeechStore, draw_crops, spread
from synbench_codecs._mdct_training.start import refuse_other_start, start_record
from synbench_codecs.errors import UsageError

SMALLEST_FFT = 1024
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
    """The mel spectra that the losses compare."""
    return nn.ModuleList(
        LogMel(
            sample_rate=config.sample_rate,
            bands=scale.bands,
            n_fft=max(SMALLEST_FFT, 1 << (scale.window - 1).bit_length()),
            hop=scale.hop,
            size=scale.window,
            floor=config.losses.mel_floor,
        )
        for scale in config.losses.mels
    )


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
        pitch: NDArray[np.float32] | None = None,
        features: FeatureTrack | None = None,
    ) -> None:
        self.config, self.speech, self.validation = config, speech, validation
        self.score, self.accelerator = score, accelerator
        self.data_seconds = 0.0
        self.ahead = Ahead(self._crops)
        torch.manual_seed(config.seed)
        self.model = MDCTModel(codec_config(config), usage_decay=config.usage_decay)
        self.taught_by = ""
        self.start = self._take(start_from) if start_from else {}
        if config.decoder_only:
            if not start_from:
                raise UsageError("decoder_only trains the decoder of a model: give --start-from")
            self.model.encoder.requires_grad_(False)
            self.model.quantizer.requires_grad_(False)
        self.mean = RunningMean(self.model, config.average) if config.average else None
        discriminator = make_discriminator(config.discriminator)
        if config.compile:
            self.model.encoder.compile()
            self.model.decoder.compile()
            discriminator.compile()
        self.mels = _log_mels(config).to(accelerator.device)
        self.prepared, self.optimiser = accelerator.prepare(
            self._trained(), make_optimiser(self._trained(), config.optimiser)
        )
        head = PitchHead(config.network.latent, config.pitch.channels)
        self.helpers = {
            "discriminator": Helper(discriminator, config.optimiser, accelerator),
            "head": Helper(head, config.optimiser, accelerator),
        }
        if features is not None:
            listener = RecogniserHead(
                config.network.latent,
                channels=config.recogniser.channels,
                size=features.features.shape[1],
            )
            self.helpers["recogniser"] = Helper(listener, config.optimiser, accelerator)
        self.critic = Critic(config.discriminator, self.helpers["discriminator"])
        self.lessons = PitchLessons(config, self.helpers["head"], pitch)
        self.words = None
        if features is not None:
            self.words = RecogniserLessons(config, self.helpers["recogniser"], features)
        if start_from:
            self._take_company(start_from.with_name(COMPANY_FILE))
        counts = torch.zeros(config.codebooks, config.codes)
        self.counts = counts.to(accelerator.device)

    def step(self, step: int) -> Mapping[str, Tensor]:
        """Discriminator first, then the codec against the updated discriminator."""
        self._set_rates(step)
        made = self._reconstruct(step)
        wave, decoded = made.wave, self.model.mdct.inverse(made.decoded)
        difference = [mel(decoded) - mel(wave) for mel in self.mels]
        terms = {
            "mdct": nn.functional.mse_loss(made.decoded, made.coefficients),
            "mel_l1": torch.stack([one.abs().mean() for one in difference]).mean(),
            "mel_mse": torch.stack([one.square().mean() for one in difference]).mean(),
        }
        if made.quantized is not None:
            terms["codebook"] = made.quantized.codebook_loss
            terms["commitment"] = made.quantized.commitment_loss
        values: dict[str, Tensor] = {}
        if self.critic.learns(step):
            values["discriminator"] = self.critic.learn(wave, decoded.detach())
        if self.critic.is_heard(step):
            terms |= self.critic.judge(wave, decoded)
        if wants_periodicity(self.config.losses):
            pitch = self.lessons.every_10_ms(self._crops_begin(step), wave.shape[-1])
            terms["periodicity"] = periodicity_loss(
                decoded, wave, pitch.to(wave.device), sample_rate=self.config.sample_rate
            )
        measure = (step + 1) % self.config.log_every == 0
        loss, shares = weighed(terms, made.decoded, self.config.losses, measure=measure)
        if self.config.pitch.weight and made.quantized is not None:
            begin = self._crops_begin(step)
            terms["pitch"], values["pitch_top1"] = self.lessons.loss(made.quantized, begin)
            loss = loss + self.config.pitch.weight * terms["pitch"]
        if self.words is not None and made.quantized is not None:
            terms["recogniser"] = self.words.loss(made.quantized, self._crops_begin(step))
            loss = loss + self.config.recogniser.weight * terms["recogniser"]
        self._descend(loss)
        if self.mean is not None:
            self.mean.add(self.model, step)
        values |= {name: term.detach() for name, term in terms.items()} | shares
        return values if made.quantized is None else values | self._usage(made.quantized.tokens)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean scores of whole validation utterances."""
        heard = self._heard_model().eval()
        sums: dict[str, list[float]] = {}
        for index in spread(self.validation, self.config.validation_items):
            wave = self.validation.utterance(index)
            decoded = self._decoded(index)[0].cpu().numpy()
            shared = min(wave.size, decoded.size)
            for name, value in self.score(wave[:shared], decoded[:shared]).items():
                sums.setdefault(name, []).append(value)
        heard.train()
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def state(self) -> dict[str, Any]:
        """Weights, optimisers, and the codes' use."""
        return self.company() | {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean": self.mean.module.state_dict() if self.mean else {},
            "usage": self.model.quantizer.usage(),
            "start": self.start,
        }

    def company(self) -> dict[str, Any]:
        """What a run that starts from this one's model finds beside it."""
        return {name: helper.state() for name, helper in self.helpers.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state back.

        Raises:
            UsageError: the run started from another model than this one.
        """
        refuse_other_start(state, self.start)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        for name, helper in self.helpers.items():
            helper.restore(state[name])
        if self.mean is not None:
            self.mean.module.load_state_dict(state["mean"])
        self.model.quantizer.set_usage(state["usage"])

    def trained_model(self) -> TrainedModel:
        """The codec with its record."""
        return TrainedModel(codec=self._heard_model(), training=self._record())

    def _heard_model(self) -> MDCTModel:
        """The codec that is validated and written down: the mean of the weights if it is kept."""
        heard = self.model if self.mean is None else self.mean.module
        assert isinstance(heard, MDCTModel)
        return heard

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
        if self.taught_by or self.words is not None:
            record["taught_by"] = self.taught_by or "a recogniser"
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
        heard = self._heard_model()
        tokens = heard.encode(wave.to(self.accelerator.device))
        return heard.decode(heard.quantizer.lookup(tokens))

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
        # Who taught the words of that model has taught those of this one.
        self.taught_by = before.training.get("teacher", before.training).get("taught_by", "")
        return start_record(path, steps=teacher_steps(before.training))

    def _take_company(self, path: Path) -> None:
        """Discriminator and head as the run of that model left them, where sizes are equal."""
        left = torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else {}
        for name, helper in self.helpers.items():
            helper.take(left.get(name, {}))

    def _share(self) -> int:
        """Crops per step of this process."""
        return int(self.config.batch // self.accelerator.num_processes)

    def _seed(self, step: int) -> tuple[int, int, int]:
        return (self.config.seed, step, self.accelerator.process_index)

    def _crops(self, step: int) -> Tensor:
        begin = self._crops_begin(step)
        return torch.from_numpy(self.speech.stretches(begin, self.config.crop))

    def _batch(self, step: int) -> Tensor:
        started = time.perf_counter()
        wave = self.ahead(step).to(self.accelerator.device, non_blocking=True)
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

    def _set_rates(self, step: int) -> None:
        rate = set_rate([self.optimiser], self.config, step=step, seconds=self.speech.seconds)
        for helper in self._heads():
            helper.set_rate(rate)
        self.critic.set_rate(step, rate)

    def _crops_begin(self, step: int) -> NDArray[np.int64]:
        """First samples of a step's crops in the store of the speech."""
        return draw_crops(
            self.speech.starts, self._share(), self.config.crop, self._seed(step), unit="samples"
        )

    def _descend(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        for helper in self._heads():
            helper.optimiser.zero_grad()
        self.accelerator.backward(loss)
        if self.config.optimiser.clip is not None:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.optimiser.clip)
        self.optimiser.step()
        for helper in self._heads():
            helper.optimiser.step()

    def _heads(self) -> list[Helper]:
        """The networks that learn to read off the tokens what the codec is taught."""
        heads = [self.lessons.helper] if self.config.pitch.weight else []
        return heads if self.words is None else [*heads, self.words.helper]

    def _usage(self, tokens: Tensor) -> dict[str, Tensor]:
        """Share of the codes of each book that some hundred steps have used lately."""
        values = {}
        for book, row in enumerate(tokens.unbind(1)):
            counts = self.counts[book].mul_(0.98)
            counts += torch.bincount(row.flatten(), minlength=counts.numel())
            values[f"codes_used_{book + 1}"] = (counts > 0.02).float().mean()
        return values
