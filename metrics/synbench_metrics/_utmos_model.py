"""The network of UTMOS22's strong learner, with the names of its published checkpoint.

Shape letters
    B  waves      T  samples at 16 kHz     F  frames of 20 ms     H  hidden values, 768

A wav2vec 2.0 encoder, then a bidirectional LSTM that also sees a fixed embedding of the domain and
of a judge, then a projection per frame.

References:
    T. Saeki et al., "UTMOS: UTokyo-SaruLab System for VoiceMOS Challenge 2022", Interspeech 2022.
    Names: tarepan/SpeechMOS v1.2.0.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from synbench_metrics._wav2vec2 import BASE, Wav2Vec2

SIDE_FEATURES = 128  # of the embeddings of domain and judge

__all__ = ["Utmos"]


class Utmos(nn.Module):
    """Mean opinion score of waves ``(B, T)``, ``(B,)``."""

    def __init__(self) -> None:
        super().__init__()
        self.wav2vec2 = Wav2Vec2()
        self.domain_emb = nn.Parameter(torch.empty(1, SIDE_FEATURES))
        self.judge_emb = nn.Parameter(torch.empty(1, SIDE_FEATURES))
        self.blstm = nn.LSTM(
            BASE.hidden + 2 * SIDE_FEATURES, 512, batch_first=True, bidirectional=True
        )
        self.projection = nn.Sequential(nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 1))

    def forward(self, waves: Tensor) -> Tensor:
        """Scores ``(B,)`` of waves ``(B, T)``, T at least 400."""
        features = self.wav2vec2(waves)  # (B, F, H)
        fixed = torch.cat([self.domain_emb, self.judge_emb], dim=1)
        fixed = fixed.expand(*features.shape[:2], 2 * SIDE_FEATURES)
        listened, _ = self.blstm(torch.cat([features, fixed], dim=2))  # (B, F, 1024)
        return cast(Tensor, self.projection(listened).mean(dim=(1, 2)) * 2 + 3)
