"""Codecs with a network of ours: their own weights, their bits, and files that do not fit."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

import synbench_codecs  # noqa: E402
from synbench_codecs.adapters.bigcodec import BigCodec, BigCodecConfig  # noqa: E402
from synbench_codecs.adapters.wavtokenizer import WavTokenizer  # noqa: E402
from synbench_codecs.errors import UnpublishedWeights, WeightsError  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity"
FIXTURES = [("bigcodec", "bigcodec", 16000, 7), ("wavtokenizer", "wavtokenizer/frame75", 24000, 6)]


@pytest.mark.shared("parity")
@pytest.mark.parametrize(("name", "folder", "rate", "bits"), FIXTURES)
def test_the_authors_output_comes_out_of_the_bytes(
    name: str, folder: str, rate: int, bits: int
) -> None:
    """Their reduced checkpoint by ``variant=own``: wave to stream, stream to wave."""
    weights = PARITY / folder / "state_dict.safetensors"
    codec = synbench_codecs.load(name, variant="own", sample_rate=rate, weights=str(weights))
    expected = np.load(PARITY / folder / "io.npz")
    wave = expected["wav_6007" if rate == 24000 else "wav_3999"]
    encoded = codec.encode(wave, rate)  # type: ignore[union-attr]
    tokens = expected[f"codes_{wave.size}"][0]
    packed, n_bits = synbench_codecs.pack_tokens(tokens, codec.info.codebook_sizes)
    assert (encoded.payload, encoded.payload_bits) == (packed, n_bits)
    assert n_bits == bits * tokens.size
    out = expected[f"out_{'bw0_' if rate == 24000 else ''}{wave.size}"].reshape(-1)
    assert np.abs(codec.decode(encoded) - out).max() <= 1e-5  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def reduced() -> dict[str, Any]:
    return {
        "bigcodec": BigCodec.untrained(reduced=True),
        "wavtokenizer": WavTokenizer.untrained(reduced=True),
    }


@settings(max_examples=10, deadline=None)
@example(n_samples=200)
@example(n_samples=600)
@given(n_samples=st.integers(1, 1900))
def test_payload_bits(reduced: dict[str, Any], n_samples: int) -> None:
    """13 bits per started frame and one more; 12 bits per started frame."""
    wave = np.zeros(n_samples, dtype=np.float32)
    bits = {name: codec.encode(wave, codec.info.sample_rate) for name, codec in reduced.items()}
    assert bits["bigcodec"].payload_bits == 13 * (n_samples // 200 + 1)
    assert bits["wavtokenizer"].payload_bits == 12 * math.ceil(n_samples / 600)


def test_published_rates() -> None:
    rates = {
        spec: float(info.nominal_bitrate_bps)
        for spec in (
            "bigcodec",
            "bigcodec:variant=paper-16k",
            "bigcodec:variant=paper-48k",
            "wavtokenizer",
            "wavtokenizer:variant=large-speech-75token-v2",
            "wavtokenizer:variant=paper-16k",
            "wavtokenizer:variant=paper-48k",
        )
        if (info := synbench_codecs.describe(spec)) and info.nominal_bitrate_bps
    }
    assert list(rates.values()) == [1040, 500, 1500, 480, 900, 500, 1500]


def test_measured_look_ahead_of_bigcodec() -> None:
    """As perturbing the authors' network showed: 5376 samples, then 30 tokens."""
    assert (BigCodecConfig().encoder_ahead, BigCodecConfig().decoder_ahead) == (5376, 30)


class TestFilesThatDoNotFit:
    @pytest.fixture
    def weights(self, tmp_path: Path) -> Path:
        path = tmp_path / "mine.safetensors"
        safetensors_torch.save_file(
            BigCodec.untrained(reduced=True, variant="paper-16k").model.state_dict(), path
        )
        return path

    def test_weights_that_are_not_public(self) -> None:
        with pytest.raises(UnpublishedWeights, match="bigcodec:variant=paper-16k,weights=PATH"):
            synbench_codecs.load("bigcodec:variant=paper-16k")

    def test_own_weights_of_a_paper_variant(self, weights: Path) -> None:
        codec = synbench_codecs.load("bigcodec", variant="paper-48k", weights=str(weights))
        assert codec.info.nominal_bitrate_bps == 1500
        assert codec.info.training_note.endswith("weights of the user's own, mine.safetensors")

    def test_another_bit_rate(self, weights: Path) -> None:
        with pytest.raises(WeightsError, match="expected 200 samples per token and 8192 codes"):
            synbench_codecs.load("bigcodec", weights=str(weights))

    def test_another_codec(self, weights: Path) -> None:
        with pytest.raises(WeightsError, match="is no wavtokenizer checkpoint: no 'codebook'"):
            synbench_codecs.load("wavtokenizer", weights=str(weights))

    def test_a_tensor_is_absent(self, weights: Path) -> None:
        tensors = safetensors_torch.load_file(weights)
        del tensors["decoder.7.frequency"]
        safetensors_torch.save_file(tensors, weights)
        with pytest.raises(WeightsError, match=r"decoder\.7\.frequency is absent"):
            synbench_codecs.load("bigcodec", variant="paper-16k", weights=str(weights))

    def test_a_truncated_file(self, weights: Path) -> None:
        weights.write_bytes(weights.read_bytes()[:-1000])
        with pytest.raises(WeightsError, match="no intact safetensors file"):
            synbench_codecs.load("bigcodec", variant="paper-16k", weights=str(weights))

    def test_a_pickle_that_runs_code(self, tmp_path: Path) -> None:
        path = tmp_path / "bigcodec.pt"
        torch.save({"CodecEnc": pickle.Unpickler}, path)
        with pytest.raises(WeightsError, match="could run code"):
            synbench_codecs.load("bigcodec", weights=str(path))
