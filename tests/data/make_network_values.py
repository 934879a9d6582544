"""Writes what the authors' code of BigCodec and WavTokenizer makes of made speech.

    git clone https://github.com/Aria-K-Alethia/BigCodec  # 09845ab
    git clone https://github.com/jishengpeng/WavTokenizer  # 5cf440d
    python tests/data/make_network_values.py BigCodec WavTokenizer

The networks are narrow and their weights drawn (``drawn_weights.py``), in the authors' layout.
``network_shapes.json`` has names and shapes, ``network_values.npz`` tokens and waves.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from drawn_weights import drawn_weights
from torch import nn

HERE = Path(__file__).parent
LENGTHS = (12000, 12001)
SEEDS = {"bigcodec": 1, "wavtokenizer": 2}
GAINS = {
    "bigcodec": {"CodecEnc": 1.25, "generator": 0.7},
    "wavtokenizer": {"feature_extractor": 2.5},
}
# Of the decoders' last layers, so that the waves are neither silent nor cut.
LAST = {"bigcodec": ("generator.model.8.weight_g", 2.0), "wavtokenizer": ("head.out.weight", 1.0)}


class _Absent(types.ModuleType):
    """A package that the networks do not need: every attribute exists and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in(*names: str) -> None:
    for name in names:
        sys.modules[name] = _Absent(name)
        sys.modules[name].__path__ = []


def load(parts: dict[str, nn.Module], network: str) -> dict[str, list[int]]:
    """Draw the weights of all parts; their names and shapes."""
    tensors = {
        f"{prefix}.{name}": tensor
        for prefix, part in parts.items()
        for name, tensor in part.eval().state_dict().items()
    }
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    weights = drawn_weights(shapes, seed=SEEDS[network], gains=GAINS[network])
    last, factor = LAST[network]
    weights[last] *= factor
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(weights[name]))
    return shapes


def bigcodec(wave: torch.Tensor) -> tuple[dict[str, list[int]], list[tuple[Any, Any]]]:
    encoder = importlib.import_module("vq.codec_encoder").CodecEncoder(ngf=2, out_channels=32)
    decoder = importlib.import_module("vq.codec_decoder").CodecDecoder(
        in_channels=32, upsample_initial_channel=64, ngf=2, vq_dim=32, codebook_size=128
    )
    shapes = load({"CodecEnc": encoder, "generator": decoder}, "bigcodec")
    coded = []
    for length in LENGTHS:
        padded = nn.functional.pad(wave[:, :length], (0, 200 - length % 200))
        quantized, codes, _ = decoder(encoder(padded[:, None]), vq=True)
        coded.append((codes.reshape(-1), decoder(quantized, vq=False).reshape(-1)))
    return shapes, coded


def wavtokenizer(wave: torch.Tensor) -> tuple[dict[str, list[int]], list[tuple[Any, Any]]]:
    modules = importlib.import_module("encoder.modules")
    quantization = importlib.import_module("encoder.quantization")
    encoder = modules.SEANetEncoder(
        causal=False, n_residual_layers=1, norm="weight_norm", pad_mode="reflect", lstm=2,
        dimension=16, channels=1, n_filters=2, ratios=[6, 5, 5, 4], activation="ELU",
        kernel_size=7, residual_kernel_size=3, last_kernel_size=7, dilation_base=2,
        true_skip=False, compress=2,
    )  # fmt: skip
    quantizer = quantization.ResidualVectorQuantizer(
        dimension=16, n_q=1, bins=64, kmeans_iters=1, decay=0.99, kmeans_init=True
    )
    backbone = importlib.import_module("decoder.models").VocosBackbone(
        input_channels=16, dim=32, intermediate_dim=48, num_layers=2, adanorm_num_embeddings=4
    )
    head = importlib.import_module("decoder.heads").ISTFTHead(
        dim=32, n_fft=2400, hop_length=600, padding="same"
    )
    parts = {
        "feature_extractor.encodec.encoder": encoder,
        "feature_extractor.encodec.quantizer": quantizer,
        "backbone": backbone,
        "head": head,
    }
    shapes = load(parts, "wavtokenizer")
    coded = []
    for length in LENGTHS:
        latent = encoder(wave[:, None, :length])
        answer = quantizer.infer(latent, 25, bandwidth=6.6)
        decoded = head(backbone(answer.quantized, bandwidth_id=torch.tensor([0])))
        coded.append((answer.codes.reshape(-1), decoded.reshape(-1)))
    return shapes, coded


def main(folders: list[str]) -> None:
    """Ask both networks."""
    stand_in("torchaudio", "torchaudio.functional", "torchaudio.functional.functional")
    sys.path[:0] = folders
    samples = soundfile.read(HERE / "made_reference.flac", dtype="float32")[0]
    wave = torch.from_numpy(samples[8000:])[None]
    shapes, values = {}, {}
    for network, make in (("bigcodec", bigcodec), ("wavtokenizer", wavtokenizer)):
        with torch.inference_mode(False), torch.no_grad():
            shapes[network], coded = make(wave)
        for length, (codes, decoded) in zip(LENGTHS, coded, strict=True):
            values[f"{network}_codes_{length}"] = codes.numpy().astype(np.int16)
            values[f"{network}_wave_{length}"] = decoded.numpy().astype(np.float32)
            print(network, length, len(set(codes.tolist())), "tokens", float(decoded.std()), "rms")
    text = json.dumps(
        {"last": LAST, "seeds": SEEDS, "gains": GAINS, "shapes": shapes}, separators=(",", ":")
    )
    (HERE / "network_shapes.json").write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(HERE / "network_values.npz", **values)


if __name__ == "__main__":
    main(sys.argv[1:])
