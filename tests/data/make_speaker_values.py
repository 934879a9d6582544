"""Writes what the authors' code of the speaker verifier on WavLM makes of made speech.

    git clone https://github.com/s3prl/s3prl  # ec8064b
    git clone https://github.com/microsoft/UniSpeech  # 40d3227
    python tests/data/make_speaker_values.py s3prl UniSpeech

Both networks are narrow and their weights drawn (``drawn_weights.py``), in the layout of the
published file. ``speaker_shapes.json`` has names and shapes, ``speaker_values.json`` the vectors of
two waves, a short and an odd one.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import soundfile
import torch
from drawn_weights import drawn_weights
from torch import Tensor, nn
from torch.nn.functional import layer_norm

HERE = Path(__file__).parent
SEED = 3
LENGTHS = (8000, 12345)
WAVLM = {
    "extractor_mode": "layer_norm",
    "encoder_layers": 3,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 48,
    "encoder_attention_heads": 4,
    "layer_norm_first": True,
    "conv_feature_layers": "[(16,10,5)] + [(16,3,2)] * 4 + [(16,2,2)] * 2",
    "conv_pos": 16,
    "conv_pos_groups": 4,
    "relative_position_embedding": True,
    "num_buckets": 32,
    "max_distance": 800,
    "gru_rel_pos": True,
    "normalize": True,
}


class Upstream(nn.Module):
    """The authors' WavLM, and what goes into its layers and out of the last."""

    def __init__(self, package: Any) -> None:
        super().__init__()
        self.model = package.WavLM(package.WavLMConfig(WAVLM))

    def forward(self, waves: list[Tensor]) -> dict[str, list[Tensor]]:
        states: list[Tensor] = []
        hooks = [
            layer.register_forward_hook(
                lambda _, given, __: states.append(given[0].transpose(0, 1))
            )
            for layer in self.model.encoder.layers
        ]
        hooks.append(
            self.model.encoder.register_forward_hook(lambda _, __, made: states.append(made[0]))
        )
        together = torch.stack([layer_norm(wave, wave.shape) for wave in waves])
        padding = torch.zeros(together.shape, dtype=torch.bool)
        self.model.extract_features(together, padding_mask=padding, mask=False)
        for hook in hooks:
            hook.remove()
        return {"hidden_states": states}


def main() -> None:
    s3prl, unispeech = map(Path, sys.argv[1:])
    sys.modules["torchaudio"] = types.ModuleType("torchaudio")
    sys.modules["torchaudio.transforms"] = types.ModuleType("torchaudio.transforms")
    sys.modules["torchaudio"].transforms = sys.modules["torchaudio.transforms"]  # type: ignore[attr-defined]
    for name, folder in (
        ("wavlm", s3prl / "s3prl/upstream/wavlm"),
        ("models", unispeech / "downstreams/speaker_verification/models"),
    ):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(folder)]
    utils = types.ModuleType("models.utils")
    utils.UpstreamExpert = lambda _: Upstream(importlib.import_module("wavlm.WavLM"))  # type: ignore[attr-defined]
    sys.modules["models.utils"] = utils
    package = importlib.import_module("models.ecapa_tdnn")
    network = package.ECAPA_TDNN(
        feat_dim=32, channels=16, emb_dim=12, feat_type="wavlm_large", config_path="made"
    ).eval()
    # Those of normalisation count their batches in training.
    tensors = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    weights = drawn_weights(shapes, seed=SEED, gains={"feature_extract": 1.0})
    with torch.no_grad():
        for name, tensor in tensors.items():
            # Variances are positive.
            drawn = abs(weights[name]) if name.endswith("running_var") else weights[name]
            tensor.copy_(torch.from_numpy(drawn))
    wave = torch.from_numpy(soundfile.read(HERE / "made_reference.flac", dtype="float32")[0])
    with torch.no_grad():
        vectors = {length: network(wave[None, :length])[0].tolist() for length in LENGTHS}
    lines = ",\n".join(f"  {json.dumps(name)}: {shapes[name]}" for name in sorted(shapes))
    (HERE / "speaker_shapes.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    (HERE / "speaker_values.json").write_text(json.dumps(vectors) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
