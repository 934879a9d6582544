"""Fundamental frequency and voicing as something to learn: targets, a head, its loss.

The targets, one value every 5 ms, are found once for a whole speech store and kept beside its
samples; who trains says by what.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synbench_base.files import complete_file
from synbench_codecs._mdct.quantizer import Quantized
from synbench_codecs._mdct_training.configuration import TeacherConfig
from synbench_codecs._mdct_training.helper import Helper
from synbench_codecs._mdct_training.speech_store import SpeechStore

# A wave (T,) and its rate to Hz every 5 ms, (frames,), 0 where unvoiced.
FindPitch = Callable[[NDArray[np.float32], int], NDArray[np.float64]]

LOWEST_HZ = 65.0  # Hz
FRAMES_PER_SECOND = 200
# Half a semitone each, from LOWEST_HZ on.
BINS_PER_OCTAVE, BINS = 24, 72

__all__ = ["FindPitch", "PitchHead", "PitchLessons", "pitch_loss", "pitch_of_tokens", "pitch_track"]


class PitchHead(nn.Module):
    """Two convolutions; a latent (B, K, L) to logits (B, 1 + bins, L), voicing first."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(latent, channels, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(channels, channels, 3, padding=1),
            nn.GELU(),
            nn.Conv1d(channels, 1 + BINS, 1),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits of voicing and of the fundamental frequency."""
        logits: Tensor = self.layers(vectors)
        return logits


class PitchLessons:
    """A head in training: the pitch of each step's crops, and its loss on their tokens."""

    def __init__(
        self, config: TeacherConfig, helper: Helper, track: NDArray[np.float32] | None
    ) -> None:
        self.config, self.helper, self.track = config, helper, track

    def loss(self, quantized: Quantized, begin: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """The loss on the plain tokens and, with several books, on all together; and the hits.

        ``begin`` (B,) holds the first samples of the crops in the store of the speech.
        """
        assert self.track is not None
        network = self.config.network
        pitch = pitch_of_tokens(
            self.track,
            begin,
            tokens=quantized.tokens.shape[-1],
            hop=network.bins * network.ratio,
            sample_rate=self.config.sample_rate,
        )
        wanted = torch.from_numpy(pitch).to(quantized.plain.device)
        plain, near = pitch_loss(self.helper.prepared(quantized.plain), wanted)
        if self.config.codebooks == 1:
            return plain, near
        return 0.5 * (plain + pitch_loss(self.helper.prepared(quantized.vectors), wanted)[0]), near

    def every_10_ms(self, begin: NDArray[np.int64], samples: int) -> Tensor:
        """Hz (B, N) at every 10 ms of crops of some samples, from their first one on."""
        assert self.track is not None
        per_frame = self.config.sample_rate // FRAMES_PER_SECOND
        first = (begin[:, None] + per_frame // 2) // per_frame
        frames = first + 2 * np.arange(samples // per_frame // 2)
        return torch.from_numpy(self.track[np.minimum(frames, len(self.track) - 1)])


def pitch_loss(logits: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
    """The loss, and the share of voiced tokens whose likeliest bin is within a semitone.

    Args:
        logits: (B, 1 + bins, L).
        pitch: Hz, (B, L); 0 where unvoiced.
    """
    voiced = pitch > 0
    voicing = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], voiced.float())
    wanted = BINS_PER_OCTAVE * torch.log2(pitch.clamp(min=LOWEST_HZ) / LOWEST_HZ)
    distance = torch.arange(BINS, device=pitch.device)[:, None] - wanted[:, None]
    target = torch.softmax(-0.5 * distance.square(), 1)
    entropy = -(target * torch.log_softmax(logits[:, 1:], 1)).sum(1)
    count = voiced.sum().clamp(min=1)
    near = (logits[:, 1:].detach().argmax(1) - wanted).abs() <= BINS_PER_OCTAVE / 12
    return voicing + (entropy * voiced).sum() / count, (near & voiced).sum() / count


def pitch_of_tokens(
    track: NDArray[np.float32], begin: NDArray[np.int64], *, tokens: int, hop: int, sample_rate: int
) -> NDArray[np.float32]:
    """Hz of each token (B, L) of stretches that begin at some samples of the store.

    A token is voiced if half of its frames are; its pitch is their geometric mean.
    """
    per_frame = sample_rate // FRAMES_PER_SECOND
    first = (begin[:, None] + hop * np.arange(tokens)[None] + per_frame // 2) // per_frame
    width = max(hop // per_frame, 1)
    frames = np.minimum(first[..., None] + np.arange(width), len(track) - 1)
    values = track[frames]
    voiced = values > 0
    count = voiced.sum(-1)
    mean = np.exp(np.log(np.where(voiced, values, 1.0)).sum(-1) / np.maximum(count, 1))
    pitch: NDArray[np.float32] = np.where(2 * count >= width, mean, 0.0).astype(np.float32)
    return pitch


def pitch_track(
    store: SpeechStore, cache: Path, *, find: FindPitch, report: Callable[[str], None]
) -> NDArray[np.float32]:
    """Hz every 5 ms of the whole store, 0 where unvoiced; frames count from its first sample."""
    path = cache / f"{store.digest}.f0.npy"
    if not path.exists():
        report(f"finding the pitch of {store.seconds / 3600:.1f} h of speech, once: {path}")
        track = _track(store, find)
        with complete_file(path) as file:
            np.save(file, track)
    kept: NDArray[np.float32] = np.load(path)
    return kept


def _track(store: SpeechStore, find: FindPitch) -> NDArray[np.float32]:
    per_frame = store.sample_rate // FRAMES_PER_SECOND
    track = np.zeros(math.ceil(store.starts[-1] / per_frame), np.float32)
    for index, (start, end) in enumerate(zip(store.starts[:-1], store.starts[1:], strict=True)):
        pitch = find(store.utterance(index), store.sample_rate)
        frames = np.arange(-(-start // per_frame), -(-end // per_frame))
        near = np.round((frames * per_frame - start) / per_frame).astype(int)
        track[frames] = pitch[np.minimum(near, len(pitch) - 1)]
    return track
