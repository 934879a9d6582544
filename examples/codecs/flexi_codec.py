"""FlexiCodec: frames of 80 ms that are merged, up to eight, where speech hardly changes.

Once, beside this file::

    python3 -m venv flexicodec-env
    flexicodec-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" flexicodec==0.1.2
    flexicodec-env/bin/hf download jiaqili3/flexicodec 12hz_v1_half.safetensors \
        12hz_v1_half_config.yaml --local-dir weights/flexicodec
    flexicodec-env/bin/hf download FunAudioLLM/SenseVoiceSmall --local-dir weights/SenseVoiceSmall

In a suite::

    - codec: isolated
      options:
        python: flexicodec-env/bin/python
        script: flexi_codec.py
        settings: threshold=0.91;books=8

``threshold`` decides how alike frames must be to be merged: 0.91 gives some 8.3 frames a second,
0.86 some 6.25, 1.0 keeps all 12.5. How long each frame lasts takes 3 bits, which are counted: the
rates that the paper names are without them. ``books`` is 1 to 24, the semantic one among them.

The features of the recogniser end before the wave does, so some frames of zeros go behind it, and
what falls into them is cut. The whole utterance is attended to.
"""

from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
RATE = 16000
HOP = 1280
LONGEST = 8
SEMANTIC, ACOUSTIC = 32768, 4096
MOST_BOOKS = 24
TAIL_FRAMES = 3


def configure(threshold=0.91, books=8):
    """Choose how alike frames must be to be merged, and how many books are coded."""
    global THRESHOLD, BOOKS
    if not 1 <= books <= MOST_BOOKS or not 0 < threshold <= 1:
        raise ValueError(f"expected books from 1 to {MOST_BOOKS} and a threshold up to 1")
    THRESHOLD, BOOKS = float(threshold), books


configure()


def describe():
    """What is known without loading the network."""
    return {
        "label": f"FlexiCodec {THRESHOLD:g}, {BOOKS} books",
        "implementation": "flexicodec 0.1.2",
        "sample_rate": RATE,
        "hop_length": HOP,
        "longest_frame": LONGEST,
        "codebook_sizes": [SEMANTIC] + [ACOUSTIC] * (BOOKS - 1),
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "MIT",
        "weights_licence": "",
        "weights": [
            "weights/flexicodec/12hz_v1_half.safetensors",
            "weights/flexicodec/12hz_v1_half_config.yaml",
            "weights/SenseVoiceSmall/model.pt",
        ],
        "training_data": ["MLS"],
        "training_note": "as listed on the model card, which states no licence of the weights",
        "source": "Li et al., FlexiCodec, ICLR 2026; arXiv:2510.00981",
    }


def n_frames(n_samples):
    """Shortest frames of a wave: as many as all coded frames last together."""
    return -(-n_samples // HOP)


def load():
    """Load the network and the recogniser whose features it takes, once."""
    global torch, encode_flexicodec, model, device
    import torch
    from flexicodec.infer import encode_flexicodec, prepare_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = prepare_model(
        sensevoice_small_path=str(WEIGHTS / "SenseVoiceSmall"),
        ckpt_path=str(WEIGHTS / "flexicodec/12hz_v1_half.safetensors"),
        config_path=str(WEIGHTS / "flexicodec/12hz_v1_half_config.yaml"),
        device=device,
    )


def encode(wave):
    """Tokens (books, frames), and how many times 80 ms each frame lasts."""
    count = n_frames(wave.size)
    whole = np.pad(wave, (0, (count + TAIL_FRAMES) * HOP - wave.size))
    coded = encode_flexicodec(
        torch.from_numpy(whole)[None],
        model,
        sample_rate=RATE,
        num_quantizers=BOOKS,
        merging_threshold=THRESHOLD,
    )
    books = [coded["semantic_codes"], coded["acoustic_codes"]]
    tokens = torch.cat([book for book in books if book is not None], dim=1)[0].cpu().numpy()
    return within(tokens, coded["token_lengths"][0].cpu().numpy(), count)


def within(tokens, lengths, count):
    """The frames that begin within the wave, the last one no longer than it."""
    starts = np.cumsum(lengths) - lengths
    kept = starts < count
    return {"tokens": tokens[:, kept], "lengths": np.minimum(lengths, count - starts)[kept]}


def decode(parts, n_samples):
    """A wave of tokens and lengths."""
    tokens = torch.from_numpy(parts["tokens"])[None].to(device)
    lengths = torch.from_numpy(parts["lengths"])[None].to(device)
    with torch.no_grad():
        wave = model["model"].decode_from_codes(
            semantic_codes=tokens[:, :1],
            acoustic_codes=tokens[:, 1:] if BOOKS > 1 else None,
            token_lengths=lengths,
        )
    return wave.reshape(-1)[:n_samples]
