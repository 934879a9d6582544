"""What a speech recogniser hears as something to learn: targets, a head, its loss.

The targets are the output of a recogniser's encoder, found once for a whole speech store and kept
beside its samples; who trains says by which recogniser. As the semantic distillation of
SpeechTokenizer (Zhang et al. 2024) and Mimi (Défossez et al. 2024), here onto the tokens of a
codec that has one or two books.
"""

from __future__ import annotations

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
from synbench_codecs.errors import UsageError

# A wave (T,) and its rate to features every 20 ms, (ceil(T / 20 ms), size); the first is of the
# moment 10 ms after the start.
FindFeatures = Callable[[NDArray[np.float32], int], NDArray[np.float32]]

FRAMES_PER_SECOND = 50
STATISTICS_EVERY = 16  # frames

__all__ = ["FeatureTrack", "FindFeatures", "RecogniserHead", "RecogniserLessons", "feature_track"]


class RecogniserHead(nn.Module):
    """Two convolutions; a latent (B, K, L) to features (B, size, L)."""

    def __init__(self, latent: int, *, channels: int, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(latent, channels, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(channels, channels, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(channels, size, 1),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Features that the recogniser would have found."""
        features: Tensor = self.layers(vectors)
        return features


class FeatureTrack:
    """Features of all utterances of a store, standardised when they are read.

    Attributes:
        features: (all frames, size), utterance after utterance.
    """

    def __init__(self, features: NDArray[np.float16], store: SpeechStore) -> None:
        self.features, self.starts = features, store.starts
        self.samples_per_frame = store.sample_rate // FRAMES_PER_SECOND
        frames = -(-np.diff(store.starts) // self.samples_per_frame)
        self.first_frame = np.concatenate([[0], np.cumsum(frames)])
        some = np.asarray(features[::STATISTICS_EVERY], np.float32)
        self.mean, self.deviation = some.mean(0), some.std(0) + np.float32(1e-6)

    def of_tokens(self, begin: NDArray[np.int64], *, tokens: int, hop: int) -> NDArray[np.float32]:
        """Features (B, size, L) in the middles of the tokens of crops from some samples on."""
        utterance = np.searchsorted(self.starts, begin, "right") - 1
        middles = (begin - self.starts[utterance])[:, None] + hop * (np.arange(tokens) + 0.5)
        frame = middles / self.samples_per_frame - 0.5
        first, end = self.first_frame[utterance][:, None], self.first_frame[utterance + 1][:, None]
        before = np.clip(first + np.floor(frame).astype(np.int64), first, end - 1)
        after = np.minimum(before + 1, end - 1)
        weight = np.clip(frame - np.floor(frame), 0, 1).astype(np.float32)[..., None]
        mixed = self.features[before] * (1 - weight) + self.features[after] * weight
        features: NDArray[np.float32] = ((mixed - self.mean) / self.deviation).swapaxes(1, 2)
        return np.ascontiguousarray(features, np.float32)


class RecogniserLessons:
    """A head in training: the features of each step's crops, and its loss on their tokens."""

    def __init__(self, config: TeacherConfig, helper: Helper, track: FeatureTrack) -> None:
        self.config, self.helper, self.track = config, helper, track

    def loss(self, quantized: Quantized, begin: NDArray[np.int64]) -> Tensor:
        """One less the cosine, on the plain tokens and, with several books, on all together.

        ``begin`` (B,) holds the first samples of the crops in the store of the speech.
        """
        network = self.config.network
        features = self.track.of_tokens(
            begin, tokens=quantized.tokens.shape[-1], hop=network.bins * network.ratio
        )
        wanted = torch.from_numpy(features).to(quantized.plain.device)
        plain = self._distance(quantized.plain, wanted)
        if self.config.codebooks == 1:
            return plain
        return 0.5 * (plain + self._distance(quantized.vectors, wanted))

    def _distance(self, vectors: Tensor, wanted: Tensor) -> Tensor:
        told = self.helper.prepared(vectors)
        return 1 - nn.functional.cosine_similarity(told.float(), wanted, dim=1).mean()


def feature_track(
    store: SpeechStore, cache: Path, *, find: FindFeatures, report: Callable[[str], None]
) -> FeatureTrack:
    """The features of the whole store, found once."""
    path = cache / f"{store.digest}.features.npy"
    if not path.exists():
        report(f"recognising {store.seconds / 3600:.1f} h of speech, once: {path}")
        features = [_features(store, index, find) for index in range(len(store.names))]
        with complete_file(path) as file:
            np.save(file, np.concatenate(features))
    return FeatureTrack(np.load(path, mmap_mode="r"), store)


def _features(store: SpeechStore, index: int, find: FindFeatures) -> NDArray[np.float16]:
    wave = store.utterance(index)
    features = find(wave, store.sample_rate)
    frames = -(-wave.size // (store.sample_rate // FRAMES_PER_SECOND))
    if features.ndim != 2 or len(features) != frames:
        raise UsageError(
            f"find_features gave an array of shape {features.shape} for {wave.size} samples, "
            f"expected ({frames}, size): one row every 20 ms"
        )
    return features.astype(np.float16)
