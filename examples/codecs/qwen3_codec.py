"""Qwen3-TTS-Tokenizer-12Hz: 16 books of 2048 codes at 12.5 Hz, 2.2 kbit/s, causal.

Once, beside this file::

    python3 -m venv qwen-env
    qwen-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" qwen-tts==0.1.1
    qwen-env/bin/hf download Qwen/Qwen3-TTS-Tokenizer-12Hz \
        --local-dir weights/Qwen3-TTS-Tokenizer-12Hz

In a suite::

    - codec: isolated
      options: {python: qwen-env/bin/python, script: qwen3_codec.py}

The encoder is that of Mimi. The wave is filled up to whole frames first, since the tokens of the
last frame depend on how that is done. In this environment lies transformers 4.57.3, which the
package pins and which does not install beside synbench's.
"""

from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights/Qwen3-TTS-Tokenizer-12Hz"
RATE = 24000
HOP = 1920
BOOKS = 16


def describe():
    """What is known without loading the network."""
    return {
        "label": "Qwen3-TTS-Tokenizer 12 Hz",
        "implementation": "qwen-tts 0.1.1",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": [2048] * BOOKS,
        "lookahead_samples": 0,
        "causal": True,
        "code_licence": "Apache-2.0",
        "weights_licence": "Apache-2.0",
        "weights": [
            f"weights/{WEIGHTS.name}/{name}" for name in ("config.json", "model.safetensors")
        ],
        "training_note": "the corpora of its training are not named",
        "source": "Qwen3-TTS Technical Report, arXiv:2601.15621 (2026)",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network, once."""
    global torch, tokenizer
    import torch
    from qwen_tts import Qwen3TTSTokenizer

    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    tokenizer = Qwen3TTSTokenizer.from_pretrained(str(WEIGHTS), device_map=device)


def encode(wave):
    """Tokens (16, frames) of a wave."""
    whole = np.pad(wave, (0, n_frames(wave.size) * HOP - wave.size))
    return tokenizer.encode(whole, sr=RATE).audio_codes[0].T


def decode(tokens, n_samples):
    """A wave of tokens."""
    codes = torch.from_numpy(tokens.T.copy())
    waves, _ = tokenizer.decode({"audio_codes": codes})
    return waves[0][:n_samples]
