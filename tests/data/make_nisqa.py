"""Writes ``nisqa.json``: what torchmetrics' NISQA says of a made wave, with made weights.

    pip install torchmetrics librosa requests
    python tests/data/make_nisqa.py

The weights are drawn in the order of their names from numpy's generator, so that a test draws the
same ones for our network and nothing large has to be kept.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torchmetrics.functional.audio import nisqa

SIZES = {
    "ms_seg_length": 15,
    "ms_seg_hop_length": 4,
    "ms_max_segments": 1300,
    "ms_n_fft": 4096,
    "ms_hop_length": 0.01,
    "ms_win_length": 0.02,
    "ms_n_mels": 48,
    "ms_fmax": 20000,
    "cnn_kernel_size": [3, 3],
    "cnn_c_out_1": 16,
    "cnn_c_out_2": 32,
    "cnn_c_out_3": 64,
    "cnn_pool_1": [24, 7],
    "cnn_pool_2": [12, 5],
    "cnn_pool_3": [6, 3],
    "cnn_dropout": 0.2,
    "td_sa_d_model": 64,
    "td_sa_nhead": 1,
    "td_sa_num_layers": 2,
    "td_sa_h": 64,
    "td_sa_dropout": 0.1,
    "pool_att_h": 128,
    "pool_att_dropout": 0.1,
}


def made_wave(seconds: float) -> np.ndarray:
    """A tone with noise, 48 kHz."""
    time = np.arange(round(seconds * 48000)) / 48000
    noise = np.random.default_rng(1).standard_normal(time.size)
    return 0.3 * np.sin(2 * np.pi * 220 * time) * np.sin(7 * time) + 0.01 * noise


def made_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Weights of a size that keeps every layer alive."""
    generator = np.random.default_rng(2)
    state = {}
    for name in sorted(shapes):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.long)
            continue
        inputs = int(np.prod(shapes[name][1:])) if len(shapes[name]) > 1 else 100
        drawn = 1.5 * generator.standard_normal(shapes[name]) / np.sqrt(inputs)
        if name.endswith("running_var") or (name.endswith("weight") and len(shapes[name]) == 1):
            drawn += 1
        state[name] = torch.from_numpy(drawn.astype(np.float32))
    return state


def main() -> None:
    model = nisqa._NISQADIM(SIZES)
    model.load_state_dict(
        made_state({name: tuple(value.shape) for name, value in model.state_dict().items()})
    )
    nisqa._load_nisqa_model = lambda: (model, SIZES)
    opinions = {}
    for seconds in (0.5, 1.234):
        wave = torch.from_numpy(made_wave(seconds).astype(np.float32))
        said = nisqa.non_intrusive_speech_quality_assessment(wave, 48000)
        opinions[str(seconds)] = [round(float(each), 6) for each in said]
    text = json.dumps({"made_by": "torchmetrics 1.9.0, librosa 0.11.0", "opinions": opinions})
    Path(__file__).with_name("nisqa.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
