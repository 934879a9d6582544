"""Tokens of a whole speech store, made once and kept beside the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synbench_base.files import complete_file
from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.predictor import PseudoQuantizers, cascade
from synbench_codecs._mdct_training.speech_store import SpeechStore, draw_crops

__all__ = ["TokenStore", "token_store"]


@dataclass(frozen=True)
class TokenStore:
    """Tokens (rows, all tokens), and where each utterance starts, and last the end."""

    tokens: NDArray[np.int16]
    starts: NDArray[np.int64]

    def utterance(self, index: int) -> Tensor:
        """Tokens (1, rows, L) of a whole utterance."""
        return self._stretches(self.starts[index : index + 1], self._length(index))

    def crops(self, n_crops: int, n_tokens: int, seed: tuple[int, ...]) -> Tensor:
        """Random stretches (B, rows, L) inside utterances; the same seed draws the same.

        Raises:
            UsageError: no utterance is long enough.
        """
        begin = draw_crops(self.starts, n_crops, n_tokens, seed, unit="tokens")
        return self._stretches(begin, n_tokens)

    def crops_with_speech(
        self,
        speech: SpeechStore,
        n_crops: int,
        n_tokens: int,
        seed: tuple[int, ...],
        *,
        hop: int,
        bins: int,
    ) -> tuple[NDArray[np.float32], Tensor]:
        """Random stretches, as :meth:`crops`, and the samples (B, hop * L - bins) they stand for.

        Token ``k`` of an utterance decodes to the ``hop`` samples from ``hop * k`` on, and the
        last ``bins`` samples of a stretch need the token after it.
        """
        # Tokens of every utterance whose samples are all there.
        whole = (np.diff(speech.starts) + bins) // hop
        ends = np.concatenate([[0], np.cumsum(whole)])
        begin = draw_crops(ends, n_crops, n_tokens, seed, unit="tokens")
        index = np.searchsorted(ends, begin, side="right") - 1
        inside = begin - ends[index]
        waves = speech.stretches(speech.starts[index] + hop * inside, hop * n_tokens - bins)
        return waves, self._stretches(self.starts[index] + inside, n_tokens)

    def _length(self, index: int) -> int:
        return int(self.starts[index + 1] - self.starts[index])

    def _stretches(self, begin: NDArray[np.int64], length: int) -> Tensor:
        rows = np.stack([self.tokens[:, start : start + length] for start in begin])
        return torch.from_numpy(rows.astype(np.int64))


@torch.inference_mode()
def token_store(
    teacher: MDCTModel,
    speech: SpeechStore,
    path: Path,
    *,
    pseudo: PseudoQuantizers | None = None,
    device: torch.device,
    report: Callable[[str], None] = print,
) -> TokenStore:
    """The tokens of a store, read from ``path`` or computed and written there.

    Rows are the teacher's stages; with ``pseudo``, behind them what its predictors make of the
    first at the receiver, for a whole utterance at a time.
    """
    identity = _identity(teacher, pseudo, speech)
    if path.exists():
        with np.load(path) as saved:
            if str(saved["identity"]) == identity:
                return TokenStore(saved["tokens"], saved["starts"])
    report(f"coding {len(speech.names)} utterances with the teacher to {path}, once")
    tables = teacher.quantizer.tables()
    rows, starts = [], [0]
    for index in range(len(speech.names)):
        wave = torch.from_numpy(speech.utterance(index))[None].to(device)
        tokens = teacher.encode(wave)
        if pseudo is not None:
            made = cascade(pseudo.predictors, tables, tokens[:, 0])
            tokens = torch.cat([tokens, made[:, 1:]], 1)
        rows.append(tokens[0].cpu().numpy().astype(np.int16))
        starts.append(starts[-1] + rows[-1].shape[1])
    store = TokenStore(np.concatenate(rows, axis=1), np.asarray(starts, dtype=np.int64))
    path.parent.mkdir(parents=True, exist_ok=True)
    with complete_file(path) as file:
        np.savez(file, tokens=store.tokens, starts=store.starts, identity=identity)
    return store


def _identity(teacher: MDCTModel, pseudo: PseudoQuantizers | None, speech: SpeechStore) -> str:
    digest = hashlib.sha256(speech.digest.encode())
    for module in (teacher, pseudo):
        for name, value in sorted(module.state_dict().items() if module else ()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
