"""Mimi's last frame: the wave is filled up to whole frames first, as the authors' package does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

import untrained

import synbench_codecs

HOP = 1920


@pytest.mark.parametrize("n_samples", [1, 959, 1921, 3000, 5759, 9601])
def test_a_wave_codes_as_with_its_zeros(n_samples: int) -> None:
    codec = synbench_codecs.load("mimi", weights=untrained.weights("mimi", {"codebooks": 8}))
    wave = (0.1 * np.random.default_rng(n_samples).standard_normal(n_samples)).astype(np.float32)
    filled = np.pad(wave, (0, -n_samples % HOP))
    assert codec.encode(wave, 24000).payload == codec.encode(filled, 24000).payload
