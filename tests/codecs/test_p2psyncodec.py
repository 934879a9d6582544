"""P2PSynCodec and MDCTCodec as codecs: bits, what travels, decoders, published sizes."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import synbench_codecs
from synbench_base.errors import UnpublishedWeights
from synbench_codecs.errors import UsageError, WeightsError

from .conftest import synthetic_speech

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("safetensors", reason="pip install 'synbench[torch]'")

from synbench_codecs._mdct.model import MDCTModel  # noqa: E402
from synbench_codecs._mdct.predictor import PseudoQuantizers  # noqa: E402
from synbench_codecs._mdct.sizes import (  # noqa: E402
    BackboneConfig,
    CodecConfig,
    PredictorConfig,
)
from synbench_codecs._mdct.trained_model import TrainedModel, write_model  # noqa: E402
from synbench_codecs.adapters.mdctcodec import MDCTCodec  # noqa: E402
from synbench_codecs.adapters.p2psyncodec import DECODERS, P2PSynCodec  # noqa: E402

DECODED = Path(__file__).parents[3] / "shared" / "decoded"
WAVE = synthetic_speech(seconds=1.0)
PREDICTORS = PredictorConfig(channels=16, heads=2, blocks=1)


def random_model(path: Path, *, sample_rate: int = 16000, seed: int = 0) -> Path:
    """A small model whose tokens follow the wave."""
    backbone = BackboneConfig(channels=16, hidden=32, blocks=1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        codec = MDCTModel(CodecConfig(sample_rate=sample_rate, backbone=backbone))
        pseudo = PseudoQuantizers(PREDICTORS, 3)
        with torch.no_grad():
            for parameter in [*codec.parameters(), *pseudo.parameters()]:
                parameter.normal_(std=0.3)
    training = {"note": "random weights", "hours": 0, "steps": 0}
    write_model(path, TrainedModel(codec=codec, pseudo=pseudo, training=training))
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(random_model(tmp_path_factory.mktemp("model") / "random.safetensors"))


def load(weights: str, **options: Any) -> Any:
    return synbench_codecs.load("p2psyncodec", weights=weights, **options)


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_at_the_receiver_and_the_sender_are_the_published_ones() -> None:
    """Encoder, decoder, one plain quantizer, three predictors, three bare tables of 1024 x 32."""
    model = P2PSynCodec.untrained().model
    assert count(model.codec.encoder) + count(model.codec.decoder) == 6_623_888
    assert count(model.codec.quantizer) == 34_944
    assert count(model.predictors) == 3 * 6_248_448
    assert count(model) == 25_502_480


@pytest.mark.parametrize(("rate", "nominal"), [(16000, 500), (48000, 1500)])
def test_nominal_bit_rate(rate: int, nominal: int, tmp_path: Path) -> None:
    path = str(random_model(tmp_path / "model.safetensors", sample_rate=rate))
    assert load(path).info.nominal_bitrate_bps == Fraction(nominal)
    assert load(path, decode="oracle").info.nominal_bitrate_bps == 4 * nominal
    for books in (1, 2, 3, 4):
        codec = synbench_codecs.load("mdctcodec", weights=path, codebooks=books)
        assert codec.info.nominal_bitrate_bps == books * nominal


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n_samples=st.integers(1, 16000))
def test_payload_formula(weights: str, n_samples: int) -> None:
    """One token of 10 bits for 320 samples, by the rule of the published audio."""
    codec = load(weights)
    encoded = codec.encode(WAVE[:n_samples], 16000)
    assert encoded.payload_bits == 10 * (n_samples // 40 // 8 + 1)
    assert len(encoded.payload) == math.ceil(encoded.payload_bits / 8)
    assert n_samples <= codec.decode(encoded).size <= n_samples + 320


def test_one_second_costs_510_bits(weights: str) -> None:
    assert load(weights).encode(WAVE, 16000).payload_bits == 510


def test_a_fresh_process_needs_the_bytes_and_the_weights_alone(
    weights: str, tmp_path: Path
) -> None:
    codec = load(weights)
    encoded = codec.encode(WAVE, 16000)
    (tmp_path / "it.syn").write_bytes(synbench_codecs.write_stream(encoded))
    code = (
        "import sys, numpy, pathlib, synbench_codecs as s; "
        "e = s.read_stream(pathlib.Path(sys.argv[1]).read_bytes()); "
        "numpy.save(sys.argv[2], s.load_stored(e.spec, chosen=sys.argv[3]).decode(e))"
    )
    out = tmp_path / "wave.npy"
    files = [str(tmp_path / "it.syn"), str(out)]
    subprocess.run([sys.executable, "-c", code, *files, codec.info.spec], check=True)
    np.testing.assert_array_equal(np.load(out), codec.decode(encoded))


def test_the_predictors_never_touch_the_stream(weights: str, tmp_path: Path) -> None:
    """Other predictors, another wave from the same bytes."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    with safe_open(weights, framework="pt") as file:
        metadata = file.metadata()
    for name in tensors:
        if name.startswith("pseudo_quantizers."):
            tensors[name] = -tensors[name]
    other = tmp_path / "other.safetensors"
    save_file(tensors, other, metadata)
    ours, theirs = load(weights), load(str(other))
    one, two = ours.encode(WAVE, 16000), theirs.encode(WAVE, 16000)
    assert one.payload == two.payload
    assert not np.allclose(ours.decode(one), theirs.decode(two))


def test_decoders_differ_in_the_wave_and_oracle_alone_in_the_bits(weights: str) -> None:
    codecs = {decode: load(weights, decode=decode) for decode in DECODERS}
    streams = {decode: codec.encode(WAVE, 16000) for decode, codec in codecs.items()}
    payloads = {decode: stream.payload for decode, stream in streams.items()}
    oracle = payloads.pop("oracle")
    assert len(set(payloads.values())) == 1
    assert len(oracle) * 8 >= 4 * 510
    waves = [codecs[decode].decode(stream) for decode, stream in streams.items()]
    for index, wave in enumerate(waves):
        assert all(not np.allclose(wave, other, atol=1e-5) for other in waves[:index])


def test_oracle_is_the_teacher_and_plain_only_its_first_book(weights: str) -> None:
    for decode, books in (("oracle", 4), ("plain-only", 1)):
        teacher = synbench_codecs.load("mdctcodec", weights=weights, codebooks=books)
        student = load(weights, decode=decode)
        expected, ours = teacher.encode(WAVE, 16000), student.encode(WAVE, 16000)
        assert expected.payload == ours.payload
        np.testing.assert_allclose(student.decode(ours), teacher.decode(expected), atol=2e-5)


@pytest.mark.shared("decoded")
def test_published_audio_keeps_the_length_rule() -> None:
    with (DECODED / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["collection"] == "libritts_16k_0.5kbps"]
    samples = {(row["system"], row["item"]): int(row["samples"]) for row in rows}
    references = {item: size for (system, item), size in samples.items() if system == "reference"}
    for system in ("p2psyncodec", "mdctcodec"):
        published = {item: samples[system, item] for item in references}
        assert len(published) == 10
        ours = {item: CodecConfig().n_output(size) for item, size in references.items()}
        assert ours == published


def test_a_teacher_is_refused_with_the_next_command(weights: str, tmp_path: Path) -> None:
    codec = MDCTModel(CodecConfig(backbone=BackboneConfig(channels=8, hidden=8, blocks=1)))
    write_model(tmp_path / "teacher.safetensors", TrainedModel(codec=codec))
    with pytest.raises(UsageError, match="synbench train pseudo"):
        load(str(tmp_path / "teacher.safetensors"))


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.safetensors").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(WeightsError, match="no model file of `synbench train`"):
        load(str(tmp_path / "noise.safetensors"))


def test_untrained_networks_have_the_rates_of_their_options() -> None:
    codec = MDCTCodec.untrained(reduced=True, model="released-48k", codebooks=2)
    assert codec.info.nominal_bitrate_bps == 3000
    assert codec.encode(WAVE[:4000], 48000).payload_bits == 20 * codec.n_frames(4000)


def test_a_rounded_decoder_changes_the_wave_and_no_token() -> None:
    codecs = []
    for arithmetic in ("float32", "bfloat16"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            codecs.append(P2PSynCodec.untrained(reduced=True, arithmetic=arithmetic))
    tokens = torch.randint(1024, (1, 1, 30), generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        vectors = [codec.model.vectors(tokens, how="all") for codec in codecs]
        wave, other = (codec.model.decode(tokens, how="all") for codec in codecs)
    # The sums of the predicted codes, bit for bit.
    assert torch.equal(*vectors)
    error = (wave - other).square().mean() / wave.square().mean()
    assert 0 < error < 1e-3
    assert "arithmetic=bfloat16" in codecs[1].info.spec
    assert codecs[1].info.label.endswith(", bfloat16")


def test_the_papers_own_trainings_need_a_file(weights: str) -> None:
    with pytest.raises(UnpublishedWeights, match="p2psyncodec:model=paper-48k,weights=PATH"):
        synbench_codecs.load("p2psyncodec:model=paper-48k")
    with pytest.raises(WeightsError, match="expected 48000 Hz, got 16000; leave the model out"):
        synbench_codecs.load("p2psyncodec", model="paper-48k", weights=weights)
    for spec, sample_rate, bitrate_bps in (
        ("p2psyncodec:model=paper-48k", 48000, 1500),
        ("p2psyncodec:model=paper-16k", 16000, 500),
        # Of this one the paper tells the rate alone.
        ("wavtokenizer:variant=unstated-2kbps", 16000, 2000),
    ):
        info = synbench_codecs.describe(spec)
        assert info is not None
        assert (info.sample_rate, info.nominal_bitrate_bps) == (sample_rate, bitrate_bps)
