"""NanoCodec of NVIDIA NeMo at 22.05 kHz: books of finite scalar quantization, 0.6 to 1.89 kbit/s.

Once, beside this file::

    python3 -m venv nemo-env
    nemo-env/bin/pip install torch==2.13.0 "nemo-toolkit[core]==3.0.0" braceexpand datasets \
        editdistance einops kaldialign lhotse librosa pandas sacrebleu sentencepiece
    nemo-env/bin/hf download nvidia/nemo-nano-codec-22khz-1.78kbps-12.5fps \
        nemo-nano-codec-22khz-1.78kbps-12.5fps.nemo --local-dir weights

In a suite::

    - codec: isolated
      options:
        python: nemo-env/bin/python
        script: nano_codec.py
        settings: model=1.78kbps-12.5fps

``model`` is 1.78kbps-12.5fps, 1.89kbps-21.5fps or 0.6kbps-12.5fps; its authors advise against the
last one for speakers that it was not tuned to. The look-ahead is finite but not stated. The network
mirrors the ends of a wave and cannot do so with fewer than four frames: shorter ones are filled up
to that many, and only their own frames are kept.
"""

from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
RATE = 22050
LEAST_FRAMES = 4
# Samples per frame, number of books, codes in each.
MODELS = {
    "1.78kbps-12.5fps": (1764, 13, 2016),
    "1.89kbps-21.5fps": (1024, 8, 2016),
    "0.6kbps-12.5fps": (1764, 4, 4032),
}


def configure(model="1.78kbps-12.5fps"):
    """Choose the checkpoint."""
    global NAME, HOP, SIZES
    HOP, books, size = MODELS[model]
    NAME, SIZES = f"nemo-nano-codec-22khz-{model}", [size] * books


configure()


def describe():
    """What is known without loading the network."""
    return {
        "label": f"NanoCodec {NAME.split('-')[4].replace('kbps', ' kbps')}",
        "implementation": "nemo-toolkit 3.0.0",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": SIZES,
        "lookahead_samples": None,
        "code_licence": "Apache-2.0",
        "weights_licence": "NVIDIA Open Model License",
        "weights": [f"weights/{NAME}.nemo"],
        "training_data": ["MLS", "Common Voice"],
        "training_note": "training data as stated for its predecessor of 21.5 frames a second",
        "source": "Casanova et al., NanoCodec, Interspeech 2025; arXiv:2508.05835",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network, once."""
    global torch, model, device
    import torch
    from nemo.collections.tts.models import AudioCodecModel

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AudioCodecModel.restore_from(str(WEIGHTS / f"{NAME}.nemo"), map_location=device)
    model = model.eval().to(device)


def encode(wave):
    """Tokens (books, frames) of a wave."""
    whole = np.pad(wave, (0, max(0, LEAST_FRAMES * HOP - wave.size)))
    audio = torch.from_numpy(whole)[None].to(device)
    with torch.no_grad():
        tokens, _ = model.encode(audio=audio, audio_len=length(whole.size))
    return tokens[0, :, : n_frames(wave.size)]


def decode(tokens, n_samples):
    """A wave of tokens."""
    whole = np.pad(tokens, ((0, 0), (0, max(0, LEAST_FRAMES - tokens.shape[1]))), mode="edge")
    codes = torch.from_numpy(whole)[None].to(device)
    with torch.no_grad():
        wave, _ = model.decode(tokens=codes, tokens_len=length(whole.shape[1]))
    return wave[0, :n_samples]


def length(count):
    """What NeMo wants to know of each wave of a batch."""
    return torch.tensor([count], device=device)
