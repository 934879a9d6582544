"""FocalCodec and FocalCodec-Stream: one book of binary spherical codes, 0.16 to 0.80 kbit/s.

Once, beside this file. The code is not on the package index: take version 0.0.2 of the authors'
repository, lucadellalib/focalcodec, as a folder ``focalcodec`` ::

    python3 -m venv focalcodec-env
    focalcodec-env/bin/pip install "torch>=2.5" numpy huggingface-hub safetensors ./focalcodec
    focalcodec-env/bin/hf download lucadellalib/focalcodec_50hz config.json model.safetensors \
        --local-dir weights
    mv weights/config.json weights/focalcodec_50hz.json
    mv weights/model.safetensors weights/focalcodec_50hz.safetensors

In a suite::

    - codec: isolated
      options:
        python: focalcodec-env/bin/python
        script: focal_codec.py
        settings: model=50hz

``model`` is 50hz, 25hz or 12_5hz, or for FocalCodec-Stream 50hz_65k_causal, 50hz_4k_causal or
50hz_2k_causal, which is causal with 80 ms of latency and gives 24 kHz. The others attend to the
whole utterance.
"""

import math
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
RATE = 16000
LATENCY_SAMPLES = 1280
# What the convolutions of WavLM need beyond whole frames, where they are not causal.
TAIL = 80
# Samples per frame, size of the book, rate of the decoded wave.
MODELS = {
    "50hz": (320, 8192, 16000),
    "25hz": (640, 8192, 16000),
    "12_5hz": (1280, 8192, 16000),
    "50hz_65k_causal": (320, 65536, 24000),
    "50hz_4k_causal": (320, 4096, 24000),
    "50hz_2k_causal": (320, 2048, 24000),
}


def configure(model="50hz"):
    """Choose the checkpoint."""
    global NAME, HOP, SIZE, OUTPUT_RATE, CAUSAL
    NAME, CAUSAL = model, model.endswith("causal")
    HOP, SIZE, OUTPUT_RATE = MODELS[model]


configure()


def describe():
    """What is known without loading the network."""
    kbps = math.log2(SIZE) * RATE / HOP / 1000
    return {
        "label": f"FocalCodec{'-Stream' if CAUSAL else ''} {kbps:.2f} kbps",
        "implementation": "focalcodec 0.0.2",
        "sample_rate": RATE,
        "output_sample_rate": OUTPUT_RATE,
        "hop_length": HOP,
        "codebook_sizes": [SIZE],
        "lookahead_samples": LATENCY_SAMPLES - HOP if CAUSAL else None,
        "causal": CAUSAL,
        "code_licence": "Apache-2.0",
        "weights_licence": "Apache-2.0",
        "weights": [f"weights/focalcodec_{NAME}.json", f"weights/focalcodec_{NAME}.safetensors"],
        "training_data": ["Libri-Light" if CAUSAL else "LibriTTS"],
        "source": "Della Libera et al., FocalCodec, NeurIPS 2025; FocalCodec-Stream, 2509.16195",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network, once."""
    global torch, codec, device
    import focalcodec
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    codec = focalcodec.FocalCodec.from_pretrained(str(WEIGHTS / f"focalcodec_{NAME}.json"))
    codec = codec.eval().requires_grad_(False).to(device)


def encode(wave):
    """Tokens (1, frames) of a wave."""
    length = n_frames(wave.size) * HOP + (0 if CAUSAL else TAIL)
    whole = torch.from_numpy(np.pad(wave, (0, length - wave.size)))
    with torch.no_grad():
        return codec.sig_to_toks(whole[None].to(device))


def decode(tokens, n_samples):
    """A wave of tokens."""
    with torch.no_grad():
        wave = codec.toks_to_sig(torch.from_numpy(tokens).to(device))
    return wave.reshape(-1)[: n_samples * OUTPUT_RATE // RATE]
