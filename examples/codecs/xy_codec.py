"""XY-Tokenizer: eight residual books of 1024 codes at 12.5 Hz, 1 kbit/s.

Once, beside this file. The code is not on the package index: take the authors' repository,
gyt1145028706/XY-Tokenizer, as a folder of this name (commit 5df5609) ::

    python3 -m venv xytokenizer-env
    xytokenizer-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" transformers numpy einops \
        librosa scipy pyyaml huggingface-hub
    xytokenizer-env/bin/hf download fdugyt/XY_Tokenizer xy_tokenizer.ckpt \
        --local-dir weights/xy_tokenizer
    cp XY-Tokenizer/config/xy_tokenizer_config.yaml weights/xy_tokenizer
    echo "$PWD/XY-Tokenizer" > "$(echo xytokenizer-env/lib/python3*/site-packages)/xy.pth"

In a suite::

    - codec: isolated
      options: {python: xytokenizer-env/bin/python, script: xy_codec.py}

Longer waves are coded in pieces of 30 s that overlap by 10 s; within a piece all is attended to.
The authors leave out an unfinished last frame; here it is filled up with zeros.
"""

from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights/xy_tokenizer"
RATE = 16000
HOP = 1280
OVERLAP_SECONDS = 10


def describe():
    """What is known without loading the network."""
    return {
        "label": "XY-Tokenizer 1 kbps",
        "implementation": "XY-Tokenizer 5df5609",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": [1024] * 8,
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "Apache-2.0",
        "weights_licence": "Apache-2.0",
        "weights": [
            "weights/xy_tokenizer/xy_tokenizer.ckpt",
            "weights/xy_tokenizer/xy_tokenizer_config.yaml",
        ],
        "training_data": ["Emilia"],
        "source": "Gong et al., XY-Tokenizer, arXiv:2506.23325 (2025)",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network, once."""
    global torch, model, device
    import torch
    from xy_tokenizer.model import XY_Tokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = XY_Tokenizer.load_from_checkpoint(
        config_path=str(WEIGHTS / "xy_tokenizer_config.yaml"),
        ckpt_path=str(WEIGHTS / "xy_tokenizer.ckpt"),
    )
    model = model.to(device).eval()


def encode(wave):
    """Tokens (8, frames) of a wave."""
    whole = torch.from_numpy(np.pad(wave, (0, n_frames(wave.size) * HOP - wave.size))).to(device)
    coded = model.encode([whole], overlap_seconds=OVERLAP_SECONDS, device=device)
    return coded["codes_list"][0]


def decode(tokens, n_samples):
    """A wave of tokens."""
    codes = torch.from_numpy(tokens).to(device)
    decoded = model.decode([codes], overlap_seconds=OVERLAP_SECONDS, device=device)
    return decoded["syn_wav_list"][0][:n_samples]
