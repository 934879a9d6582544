"""DualCodec at 12.5 or 25 Hz: a book of semantic codes, then residual books of acoustic ones.

Once, beside this file::

    python3 -m venv dualcodec-env
    dualcodec-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" dualcodec==0.4.2
    dualcodec-env/bin/hf download amphion/dualcodec --local-dir weights/dualcodec
    dualcodec-env/bin/hf download facebook/w2v-bert-2.0 --local-dir weights/w2v-bert-2.0

In a suite::

    - codec: isolated
      options:
        python: dualcodec-env/bin/python
        script: dual_codec.py
        settings: model=12hz_v1;books=8

``model`` is 12hz_v1 (up to 8 books) or 25hz_v1 (up to 12). The semantic features lack the last
frame of a wave, so a quarter of a frame of zeros goes behind it. The whole utterance is attended
to, so the look-ahead is the whole file.
"""

import math
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
RATE = 24000
# Samples per frame, and sizes of the semantic and of each acoustic book.
MODELS = {
    "12hz_v1": (1920, 16384, 4096, 8, "dualcodec_12hz_16384_4096.safetensors"),
    "25hz_v1": (960, 16384, 1024, 12, "dualcodec_25hz_16384_1024.safetensors"),
}
TAIL = 240  # samples


def configure(model="12hz_v1", books=8):
    """Choose the model and how many books are coded."""
    global NAME, HOP, SIZES, FILE
    HOP, semantic, acoustic, most, FILE = MODELS[model]
    if not 1 <= books <= most:
        raise ValueError(f"{model} has 1 to {most} books, got {books}")
    NAME, SIZES = model, [semantic] + [acoustic] * (books - 1)


configure()


def describe():
    """What is known without loading the network."""
    kbps = sum(map(math.log2, SIZES)) * RATE / HOP / 1000
    return {
        "label": f"DualCodec {kbps:.3g} kbps",
        "implementation": "dualcodec 0.4.2",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": SIZES,
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "MIT",
        "weights_licence": "Apache-2.0",
        "weights": [
            f"weights/dualcodec/{FILE}",
            "weights/dualcodec/w2vbert2_mean_var_stats_emilia.pt",
            "weights/w2v-bert-2.0/model.safetensors",
        ],
        "training_data": ["Emilia"],
        "source": "Li et al., DualCodec, Interspeech 2025; arXiv:2505.13000",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network and w2v-BERT 2.0, once."""
    global torch, coder
    import dualcodec
    import torch

    folder = str(WEIGHTS / "dualcodec")
    fast = torch.cuda.is_available()
    coder = dualcodec.Inference(
        dualcodec_model=dualcodec.get_model(NAME, folder),
        dualcodec_path=folder,
        w2v_path=str(WEIGHTS / "w2v-bert-2.0"),
        device="cuda" if fast else "cpu",
        autocast=fast,
    )


def encode(wave):
    """Tokens (books, frames) of a wave."""
    whole = np.pad(wave, (0, n_frames(wave.size) * HOP + TAIL - wave.size))
    audio = torch.from_numpy(whole)[None, None].to(coder.device)
    semantic, acoustic = coder.encode(audio, n_quantizers=len(SIZES))
    books = [semantic] if acoustic is None else [semantic, acoustic]
    return torch.cat(books, dim=1)[0]


def decode(tokens, n_samples):
    """A wave of tokens."""
    codes = torch.from_numpy(tokens)[None].to(coder.device)
    acoustic = codes[:, 1:] if len(SIZES) > 1 else None
    return coder.decode(codes[:, :1], acoustic).reshape(-1)[:n_samples]
