"""FACodec, the codec of NaturalSpeech 3: six books at 80 Hz and one vector of the voice.

Once, beside this file. The code is not on the package index: take the authors' repository,
open-mmlab/Amphion, as a folder ``Amphion`` (commit d3de90f) ::

    python3 -m venv facodec-env
    facodec-env/bin/pip install "torch>=2.5" "torchaudio>=2.5" numpy einops librosa pyworld \
        soundfile "setuptools<81" huggingface-hub
    facodec-env/bin/hf download amphion/naturalspeech3_facodec ns3_facodec_encoder.bin \
        ns3_facodec_decoder.bin --local-dir weights/facodec
    echo "$PWD" > "$(echo facodec-env/lib/python3*/site-packages)/amphion.pth"

In a suite::

    - codec: isolated
      options: {python: facodec-env/bin/python, script: fa_codec.py}

The vector of the voice is 256 real numbers, which the decoder needs and the authors do not
quantize. Here they travel as 16-bit floating point, 4096 bits of side information for every
utterance, and are counted: over 3 s they are 1.4 kbit/s beside the 4.8 kbit/s of the tokens, which
is what the paper names. The voice is averaged over the utterance, so all of it is needed.
"""

from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights/facodec"
RATE = 16000
HOP = 200
BOOKS = 6
VOICE = 256
ENCODER = {"ngf": 32, "up_ratios": [2, 4, 5, 5], "out_channels": VOICE}
DECODER = {
    "in_channels": VOICE,
    "upsample_initial_channel": 1024,
    "ngf": 32,
    "up_ratios": [5, 5, 4, 2],
    "vq_num_q_c": 2,
    "vq_num_q_p": 1,
    "vq_num_q_r": 3,
    "vq_dim": 256,
    "codebook_dim": 8,
    "codebook_size_prosody": 10,
    "codebook_size_content": 10,
    "codebook_size_residual": 10,
    "use_gr_x_timbre": True,
    "use_gr_residual_f0": True,
    "use_gr_residual_phone": True,
}


def describe():
    """What is known without loading the network."""
    return {
        "label": "FACodec 4.8 kbps",
        "implementation": "Amphion d3de90f",
        "sample_rate": RATE,
        "hop_length": HOP,
        "codebook_sizes": [1024] * BOOKS,
        "side_sizes": [65536] * VOICE,
        "lookahead_samples": None,
        "causal": False,
        "code_licence": "MIT",
        "weights_licence": "Apache-2.0",
        "weights": [
            "weights/facodec/ns3_facodec_encoder.bin",
            "weights/facodec/ns3_facodec_decoder.bin",
        ],
        "training_data": ["Libri-Light"],
        "source": "Ju et al., NaturalSpeech 3, ICML 2024; arXiv:2403.03100",
    }


def n_frames(n_samples):
    """Whole frames, the last one filled up."""
    return -(-n_samples // HOP)


def load():
    """Load both halves of the network, once."""
    global torch, encoder, decoder, device
    import torch
    from Amphion.models.codec.ns3_codec import FACodecDecoder, FACodecEncoder

    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder, decoder = FACodecEncoder(**ENCODER), FACodecDecoder(**DECODER)
    for half, name in ((encoder, "encoder"), (decoder, "decoder")):
        state = torch.load(WEIGHTS / f"ns3_facodec_{name}.bin", map_location="cpu")
        half.load_state_dict(state)
        half.eval().to(device)


def encode(wave):
    """Tokens (6, frames), and the voice as bit patterns (256,)."""
    whole = np.pad(wave, (0, n_frames(wave.size) * HOP - wave.size))
    with torch.no_grad():
        latent = encoder(torch.from_numpy(whole)[None, None].to(device))
        _, tokens, _, _, voice = decoder(latent, eval_vq=False, vq=True)
    halves = voice[0].cpu().numpy().astype("<f2")
    return {"tokens": tokens[:, 0], "side": halves.view("<u2")}


def decode(parts, n_samples):
    """A wave of tokens and the voice."""
    halves = parts["side"].astype("<u2").view("<f2").astype(np.float32)
    with torch.no_grad():
        latent = decoder.vq2emb(torch.from_numpy(parts["tokens"])[:, None].to(device))
        wave = decoder.inference(latent, torch.from_numpy(halves)[None].to(device))
    return wave.reshape(-1)[:n_samples]
