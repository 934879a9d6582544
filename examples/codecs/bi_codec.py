"""BiCodec, the codec of Spark-TTS: 50 semantic tokens a second and 32 tokens of the speaker.

Once, beside this file. The code is not on the package index: take the authors' repository,
SparkAudio/Spark-TTS, as a folder ``Spark-TTS`` (commit 2f1ea90) ::

    python3 -m venv sparktts-env
    sparktts-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" transformers==4.46.2 numpy \
        einops==0.8.1 einx==0.3.0 omegaconf==2.3.0 safetensors soundfile soxr tqdm
    sparktts-env/bin/hf download SparkAudio/Spark-TTS-0.5B \
        --local-dir weights/Spark-TTS
    echo "$PWD/Spark-TTS" > "$(echo sparktts-env/lib/python3*/site-packages)/sparktts.pth"

In a suite::

    - codec: isolated
      options: {python: sparktts-env/bin/python, script: bi_codec.py}

The tokens of the speaker, 384 bits, are side information of every utterance and counted: 3 s take
650 bit/s of semantic tokens and 128 of the speaker, although the paper names 650 bit/s. The
authors' loader brings speech to one loudness where their configuration asks for it, and the level
does not come back: compare with metrics that do not mind. The whole utterance is attended to.
"""

import tempfile
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights/Spark-TTS"
RATE = 16000
HOP = 320
SPEAKER_TOKENS = 32
# What the convolutions of wav2vec 2.0 need beyond whole frames.
TAIL = 80


def describe():
    """What is known without loading the network."""
    return {
        "label": "BiCodec 0.65 kbps",
        "implementation": "Spark-TTS 2f1ea90",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": [8192],
        "side_sizes": [4096] * SPEAKER_TOKENS,
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "Apache-2.0",
        "weights_licence": "CC-BY-NC-SA-4.0",
        "weights": [
            "weights/Spark-TTS/BiCodec/model.safetensors",
            "weights/Spark-TTS/BiCodec/config.yaml",
            "weights/Spark-TTS/config.yaml",
            "weights/Spark-TTS/wav2vec2-large-xlsr-53/pytorch_model.bin",
        ],
        "training_data": ["LibriSpeech", "Emilia"],
        "source": "Wang et al., Spark-TTS, arXiv:2503.01710 (2025)",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load the network and wav2vec 2.0, once."""
    global torch, soundfile, tokenizer, device
    import soundfile
    import torch
    from sparktts.models.audio_tokenizer import BiCodecTokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = BiCodecTokenizer(WEIGHTS, device=device)


def encode(wave):
    """Semantic tokens (1, frames), and the speaker's (32,)."""
    whole = np.pad(wave, (0, n_frames(wave.size) * HOP + TAIL - wave.size))
    with tempfile.NamedTemporaryFile(suffix=".wav") as file, torch.no_grad():
        soundfile.write(file.name, whole, RATE, subtype="FLOAT")
        speaker, semantic = tokenizer.tokenize(file.name)
    return {"tokens": semantic, "side": speaker.reshape(-1)}


def decode(parts, n_samples):
    """A wave of both kinds of tokens."""
    semantic = torch.from_numpy(parts["tokens"]).to(device)
    speaker = torch.from_numpy(parts["side"])[None].to(device)
    with torch.no_grad():
        return tokenizer.detokenize(speaker, semantic)[:n_samples]
