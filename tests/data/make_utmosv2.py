"""Writes ``utmosv2.json``: what the authors' UTMOSv2, narrow, with drawn weights, says of speech.

    git clone https://github.com/sarulab-speech/UTMOSv2  # cc2700d
    pip install timm librosa torchvision transformers tqdm soundfile
    python tests/data/make_utmosv2.py UTMOSv2
    python tests/data/make_utmosv2.py UTMOSv2 weights.pth  # full size: compares and writes nothing

The file has the names and shapes of the checkpoint, and a score for each wave. Their program draws
from numpy's global generator, which is set to seed 0 before each.
"""

from __future__ import annotations

import functools
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import timm
import torch
import transformers
from drawn_weights import drawn_weights
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet

HERE = Path(__file__).parent
SEED = 5
SPEECH = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "conv_dim": [16] * 7,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
PICTURES = [
    ["cn_r1_k3_s1_e1_c8_skip"],
    ["er_r2_k3_s2_e4_c8"],
    ["er_r1_k3_s2_e4_c16"],
    ["ir_r2_k3_s2_e4_c16_se0.25"],
    ["ir_r1_k3_s1_e6_c24_se0.25"],
    ["ir_r2_k3_s2_e6_c32_se0.25"],
]


def narrow_pictures(*_: Any, **__: Any) -> EfficientNet:
    return EfficientNet(
        decode_arch_def(PICTURES),
        num_classes=0,
        num_features=16,
        stem_size=8,
        pad_type="same",
        act_layer=torch.nn.SiLU,
        norm_layer=functools.partial(torch.nn.BatchNorm2d, eps=1e-3),
    )


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    full = len(sys.argv) > 2
    create = timm.create_model
    timm.create_model = (
        functools.partial(without_weights, create) if full else narrow_pictures  # type: ignore[assignment]
    )
    config = transformers.Wav2Vec2Config(**({} if full else SPEECH))
    transformers.AutoModel.from_pretrained = lambda _: transformers.Wav2Vec2Model(config)
    transformers.AutoFeatureExtractor.from_pretrained = lambda _: (
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False)
    )
    import utmosv2
    from utmosv2.model import ssl

    if not full:
        ssl.get_ssl_output_shape = lambda _: (
            SPEECH["num_hidden_layers"] + 1,
            SPEECH["hidden_size"],
        )
    model = utmosv2.create_model(pretrained=False)
    state = model.state_dict()
    shapes = {
        name: list(value.shape)
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    drawn = drawn_weights(shapes, seed=SEED, gains={})
    model.load_state_dict(
        {
            name: torch.from_numpy(drawn[name]) if name in drawn else torch.tensor(0)
            for name in state
        }
    )
    scores = {}
    for name in ("reference", "noise"):
        wave, rate = soundfile.read(HERE / f"made_{name}.flac", dtype="float32")
        np.random.seed(0)
        (score,) = model.predict(data=wave[None], sr=rate, device="cpu", verbose=False)
        scores[name] = float(score)
    if full:
        torch.save(model.state_dict(), sys.argv[2])
        print(scores)
        return
    text = json.dumps({"made_by": "UTMOSv2 1.3.1.dev0 (cc2700d)", "scores": scores})
    (HERE / "utmosv2.json").write_text(f'{text[:-1]}, "shapes": {json.dumps(shapes)}}}\n')


def without_weights(create: Any, name: str, **options: Any) -> Any:
    return create(name, **{**options, "pretrained": False})


if __name__ == "__main__":
    main()
