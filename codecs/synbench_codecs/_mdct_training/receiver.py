"""After stage 2: the decoder alone goes on learning, from what the receiver will give it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from synbench_codecs._mdct.trained_model import read_model
from synbench_codecs._mdct_training.configuration import TeacherConfig, wants_periodicity
from synbench_codecs._mdct_training.loop import Score
from synbench_codecs._mdct_training.speech_store import SpeechStore
from synbench_codecs._mdct_training.teacher import Reconstruction, Teacher
from synbench_codecs._mdct_training.token_store import token_store
from synbench_codecs.errors import UsageError

__all__ = ["Receiver"]


class Receiver(Teacher):
    """A teacher whose decoder hears predicted tokens in ``predicted_share`` of the crops.

    Of the other crops it hears the teacher's own tokens, or, in ``plain_share``, the plain ones
    alone, so that one decoder serves every way of decoding. Tokens are made once, of whole
    utterances, as at the receiver.
    """

    def __init__(
        self,
        config: TeacherConfig,
        *,
        speech: SpeechStore,
        validation: SpeechStore,
        score: Score,
        accelerator: Any,
        start_from: Path | None,
        folder: Path,
        report: Callable[[str], None],
    ) -> None:
        if not config.decoder_only or config.predicted_share + config.plain_share > 1:
            raise UsageError(
                f"predicted_share wants decoder_only, and shares of at most 1 together, got "
                f"{config.decoder_only}, {config.predicted_share} and {config.plain_share}"
            )
        if wants_periodicity(config.losses):
            raise UsageError("predicted_share takes no periodicity so far")
        before = read_model(start_from) if start_from else None
        if start_from is None or before is None or before.pseudo is None:
            raise UsageError(
                f"predicted_share wants predictors to hear: give --start-from a model of "
                f"synbench train pseudo, got {start_from}"
            )
        super().__init__(
            config,
            speech=speech,
            validation=validation,
            score=score,
            accelerator=accelerator,
            start_from=start_from,
        )
        self.stages = len(before.pseudo.predictors) + 1
        device = accelerator.device
        codec, pseudo = before.codec.to(device).eval(), before.pseudo.to(device).eval()
        with accelerator.main_process_first():
            self.tokens, self.validation_tokens = (
                token_store(
                    codec, store, folder / name, pseudo=pseudo, device=device, report=report
                )
                for store, name in (
                    (speech, "receiver_tokens.npz"),
                    (validation, "validation_receiver_tokens.npz"),
                )
            )
        self.tables = codec.quantizer.tables()

    def _trained(self) -> nn.Module:
        return self.model.decoder

    def _reconstruct(self, step: int) -> Reconstruction:
        wave, vectors = self._heard(step)
        return Reconstruction(wave, self.model.mdct(wave), self.prepared(vectors), None)

    def _decoded(self, index: int) -> Tensor:
        tokens = self.validation_tokens.utterance(index).to(self.accelerator.device)
        predicted, _ = self._predicted_and_own(tokens)
        decoded: Tensor = self.model.decode(self.model.quantizer.lookup(predicted))
        return decoded

    def _record(self) -> dict[str, Any]:
        shares = {name: getattr(self.config, name) for name in ("predicted_share", "plain_share")}
        return super()._record() | shares

    @torch.no_grad()
    def _heard(self, step: int) -> tuple[Tensor, Tensor]:
        """Waves (B, T), and the summed vectors (B, K, L) that the decoder gets."""
        started = time.perf_counter()
        share, hop, bins = self._share(), self.model.config.hop, self.config.network.bins
        seed = (self.config.seed, step, self.accelerator.process_index)
        n_tokens = (self.config.crop + bins) // hop
        waves, drawn = self.tokens.crops_with_speech(
            self.speech, share, n_tokens, seed, hop=hop, bins=bins
        )
        device = self.accelerator.device
        wave = torch.from_numpy(waves).to(device, non_blocking=True)
        tokens = drawn.to(device, non_blocking=True)
        self.data_seconds = time.perf_counter() - started
        lot = self._lots(step, share)
        predicted = lot < self.config.predicted_share
        plain = ~predicted & (lot < self.config.predicted_share + self.config.plain_share)
        chosen = torch.where(predicted[:, None, None], *self._predicted_and_own(tokens))
        vectors = [self.tables[stage][row] for stage, row in enumerate(chosen.unbind(1))]
        further = torch.stack(vectors[1:]).sum(0).masked_fill(plain[:, None, None], 0)
        return wave, (vectors[0] + further).transpose(1, 2)

    def _predicted_and_own(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The receiver's tokens and the teacher's, each (B, stages, L)."""
        books = self.config.codebooks
        return torch.cat([tokens[:, :1], tokens[:, books:]], 1), tokens[:, : self.stages]
