"""Does the decoded wave repeat itself after the recording's period? The voice, as a loss.

At 10 ms steps in voiced speech, both waves are correlated with themselves one period of the
recording later, as they are and differentiated, since the fundamental alone outweighs all other
harmonics. What the decoded wave lacks of the recording's correlation is the loss. Log-mel spectra
ask for harmonics too, but weakly: where they are missing, noise of the right envelope is almost as
good.
"""

from __future__ import annotations

import torch
from torch import Tensor

SECONDS_BETWEEN = 0.01
WINDOW_SECONDS = 0.032
# Of a full-scale square wave; quieter stretches are as good as silent.
QUIET_POWER = 1e-7

__all__ = ["SECONDS_BETWEEN", "periodicity_loss", "self_similarity"]


def periodicity_loss(decoded: Tensor, wave: Tensor, pitch: Tensor, *, sample_rate: int) -> Tensor:
    """Mean of what decoded waves lack, a scalar from 0 to 2; 0 without a voiced place.

    Args:
        decoded, wave: (B, T).
        pitch: Hz every 10 ms from the first sample on, (B, N); 0 where unvoiced.
        sample_rate: Hz.
    """
    voiced = pitch > 0
    lacking = torch.zeros_like(pitch)
    for given, made in ((wave, decoded), (wave.diff(), decoded.diff())):
        with torch.no_grad():
            wanted = self_similarity(given, pitch, sample_rate=sample_rate)
        lacking = lacking + torch.relu(
            wanted - self_similarity(made, pitch, sample_rate=sample_rate)
        )
    return (lacking * voiced).sum() / (2 * voiced.sum()).clamp(min=1)


def self_similarity(wave: Tensor, pitch: Tensor, *, sample_rate: int) -> Tensor:
    """Normalised correlation of waves (B, T) with themselves one period later, (B, N).

    The two stretches lie around the place that the pitch belongs to; beyond an end of the wave they
    are shifted inside.
    """
    size, samples = int(WINDOW_SECONDS * sample_rate), wave.shape[-1]
    period = torch.round(sample_rate / pitch.clamp(min=sample_rate / (samples - size))).long()
    centre = (
        torch.arange(pitch.shape[1], device=wave.device) * SECONDS_BETWEEN * sample_rate
    ).long()
    begin = torch.clamp(centre - (size + period) // 2, min=0)
    begin = torch.minimum(begin, samples - size - period)
    offsets = torch.arange(size, device=wave.device)
    shape = (*begin.shape, size)
    first, second = (
        wave.gather(1, (start[..., None] + offsets).flatten(1)).view(shape)
        for start in (begin, begin + period)
    )
    energy = (first.square().sum(-1) * second.square().sum(-1) + (QUIET_POWER * size) ** 2).sqrt()
    similarity: Tensor = (first * second).sum(-1) / energy
    return similarity
