"""SemantiCodec, 0.31 to 1.40 kbit/s: a semantic and an acoustic token per frame, and diffusion.

Once, beside this file. The code is not on the package index: take the authors' repository,
haoheliu/SemantiCodec-inference, as a folder of this name (commit 7c05d42) ::

    python3 -m venv semanticodec-env
    semanticodec-env/bin/pip install "torch>=2.5,<2.9" "torchaudio>=2.5,<2.9" numpy \
        ./SemantiCodec-inference
    semanticodec-env/bin/hf download haoheliu/SemantiCodec --local-dir weights/semanticodec
    for rate in 25 50 100; do
        ln -s ../codebook_idx weights/semanticodec/semanticodec_tokenrate_$rate/codebook_idx
    done

In a suite::

    - codec: isolated
      options:
        python: semanticodec-env/bin/python
        script: semanti_codec.py
        settings: token_rate=50;vocabulary=16384;seed=0

``token_rate`` is 25, 50 or 100 tokens a second, both kinds together; ``vocabulary`` is 4096, 8192,
16384 or 32768 semantic tokens. The decoder draws random numbers: with the same ``seed`` a stream
gives the same wave on the same machine, and another seed is another codec. The whole segment of
10.24 s is attended to.
"""

import math
import tempfile
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights/semanticodec"
RATE = 16000
ACOUSTIC = 8192
VOCABULARIES = (4096, 8192, 16384, 32768)
TOKEN_RATES = (25, 50, 100)
FOLDERS = {25: "combine_128", 50: "combine_256", 100: "combine_512"}


def configure(token_rate=50, vocabulary=16384, seed=0, steps=50):
    """Choose tokens a second, semantic tokens, the seed and the steps of the diffusion."""
    global TOKEN_RATE, VOCABULARY, SEED, STEPS, HOP
    if token_rate not in TOKEN_RATES or vocabulary not in VOCABULARIES:
        raise ValueError(f"expected a token rate of {TOKEN_RATES}, a vocabulary of {VOCABULARIES}")
    TOKEN_RATE, VOCABULARY, SEED, STEPS = token_rate, vocabulary, seed, steps
    HOP = 2 * RATE // token_rate


configure()


def describe():
    """What is known without loading the network."""
    kbps = (math.log2(VOCABULARY) + math.log2(ACOUSTIC)) * TOKEN_RATE / 2000
    folder = f"weights/semanticodec/semanticodec_tokenrate_{TOKEN_RATE}"
    book = f"{FOLDERS[TOKEN_RATE]}_audioset_dominate/codebook_{VOCABULARY // 2}_0.npy"
    return {
        "label": f"SemantiCodec {kbps:.2f} kbps",
        "implementation": f"SemantiCodec-inference 7c05d42, {STEPS} steps",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": [VOCABULARY, ACOUSTIC],
        "seed": SEED,
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "MIT",
        "weights_licence": "MIT",
        "weights": [
            f"{folder}/encoder.ckpt",
            f"{folder}/decoder.ckpt",
            f"weights/semanticodec/codebook_idx/{book}",
        ],
        "training_data": ["AudioSet", "GigaSpeech", "OpenSLR"],
        "training_note": "general sound and music, more corpora than those named",
        "source": "Liu et al., SemantiCodec, IEEE JSTSP 2024; arXiv:2405.00233",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load AudioMAE and both halves of the network, once."""
    global torch, soundfile, codec
    import soundfile
    import torch
    from semanticodec import SemantiCodec

    codec = SemantiCodec(
        token_rate=TOKEN_RATE,
        semantic_vocab_size=VOCABULARY,
        ddim_sample_step=STEPS,
        checkpoint_path=str(WEIGHTS / f"semanticodec_tokenrate_{TOKEN_RATE}"),
    ).eval()


def encode(wave):
    """Tokens (2, frames) of a wave; the frames that the authors' padding adds are left out."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file, torch.no_grad():
        soundfile.write(file.name, wave, RATE, subtype="FLOAT")
        tokens = codec.encode(file.name)
    return tokens[0, : n_frames(wave.size)].T


def decode(tokens, n_samples):
    """A wave of tokens, by diffusion."""
    with torch.no_grad():
        wave = codec.decode(torch.from_numpy(tokens.T.copy())[None].to(codec.device))
    return wave.reshape(-1)[:n_samples]
