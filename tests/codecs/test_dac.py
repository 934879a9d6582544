"""DAC against the authors' own output, its lengths, layouts, published sizes and level."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

import synbench_codecs  # noqa: E402
from synbench_codecs.adapters.dac import PAPER, SHAPES, Dac  # noqa: E402
from synbench_codecs.errors import MissingWeights, UsageError, WeightsError  # noqa: E402
from synbench_codecs.networks.dac import DacShape, build, from_released, shape_of  # noqa: E402
from synbench_codecs.support import torch_models as _torch  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity" / "dac"
FOLDERS = {"16k": "16khz", "24k": "24khz", "44k": "44khz", "44k-16k": "44khz_16kbps"}
LENGTHS = {"16k": (16000, 16001, 2253), "44k": (25600, 25601, 3597)}
LENGTHS |= {"24k": LENGTHS["16k"], "44k-16k": LENGTHS["44k"]}
CASES = [(model, length) for model in FOLDERS for length in LENGTHS[model]]

needs_fixture = pytest.mark.shared("parity/dac")


def fixture(model: str) -> tuple[Path, Any, Any]:
    folder = PARITY / FOLDERS[model]
    meta = json.loads((folder / "meta.json").read_text())
    return folder / "state_dict.safetensors", np.load(folder / "io.npz"), meta


def own(model: str, **options: Any) -> Any:
    """The codec with the fixture's weights, as a user would load them."""
    path, _, meta = fixture(model)
    return synbench_codecs.load(
        "dac", weights=str(path), sample_rate=meta["sample_rate"], **options
    )


@pytest.fixture(scope="module")
def codecs() -> dict[str, Any]:
    return {model: own(model) for model in FOLDERS} if PARITY.is_dir() else {}


@needs_fixture
@pytest.mark.parametrize(("model", "n_samples"), CASES)
def test_equals_the_authors_output(codecs: dict[str, Any], model: str, n_samples: int) -> None:
    codec, expected = codecs[model], fixture(model)[1]
    wave = torch.from_numpy(expected[f"wav_{n_samples}"])
    hop = codec.shape.hop
    padded = torch.nn.functional.pad(wave, (0, -n_samples % hop))
    codes = torch.from_numpy(expected[f"codes_{n_samples}"])
    with _torch.inference():
        encoded = codec.model.encode(padded)
        decoded = codec.synthesise(codes)
        half = codec.synthesise(codes[:, :2])
    latents = expected[f"latents_{n_samples}"]
    assert np.abs(encoded.projected_latents.numpy() - latents).max() <= 2e-5
    assert torch.equal(encoded.audio_codes, codes)
    assert np.abs(decoded.numpy() - expected[f"out_{n_samples}"][:, 0]).max() <= 1e-5
    assert np.abs(half.numpy() - expected[f"out_half_{n_samples}"][:, 0]).max() <= 1e-5
    assert codec.shape.decoded_samples(codes.shape[-1]) == decoded.shape[-1]


@needs_fixture
@pytest.mark.parametrize("model", FOLDERS)
def test_the_codec_gives_the_authors_tokens_and_covers_the_wave(
    codecs: dict[str, Any], model: str
) -> None:
    codec, expected = codecs[model], fixture(model)[1]
    n_samples = LENGTHS[model][1]
    codes = expected[f"codes_{n_samples}"][0]
    encoded = codec.encode(expected[f"wav_{n_samples}"].reshape(-1), codec.info.sample_rate)
    tokens = codec._unpacked(encoded)
    np.testing.assert_array_equal(tokens[:, : codes.shape[1]], codes)
    assert codec.decode(encoded).size >= n_samples
    sizes = codec.info.codebook_sizes
    assert encoded.payload_bits == tokens.shape[1] * sum(size.bit_length() - 1 for size in sizes)


@needs_fixture
def test_the_first_codebooks_are_a_lower_rate(codecs: dict[str, Any]) -> None:
    expected = fixture("16k")[1]
    wave = expected["wav_16001"].reshape(-1)
    two = own("16k", codebooks=2)
    assert two.info.nominal_bitrate_bps * 2 == codecs["16k"].info.nominal_bitrate_bps
    decoded = two.decode(two.encode(wave, 16000))
    np.testing.assert_allclose(
        decoded[: 51 * 320 - 8], expected["out_half_16001"].reshape(-1), atol=1e-5
    )


@needs_fixture
@pytest.mark.parametrize("model", FOLDERS)
def test_shapes_are_read_from_the_authors_layout(codecs: dict[str, Any], model: str) -> None:
    config = fixture(model)[2]["config"]
    shape = codecs[model].shape
    assert shape.strides == tuple(config["encoder_rates"])
    assert shape.encoder_channels == config["encoder_dim"]
    assert shape.decoder_channels == config["decoder_dim"]
    assert (shape.codes, shape.code_dim) == (config["codebook_size"], config["codebook_dim"])


@needs_fixture
@pytest.mark.parametrize("model", FOLDERS)
def test_published_names_and_shapes(model: str) -> None:
    rows = (PARITY / FOLDERS[model] / "keys_full.txt").read_text().splitlines()
    with torch.device("meta"):
        given = {
            name: torch.empty(ast.literal_eval(shape))
            for name, shape in (row.split("\t") for row in rows)
        }
        ours = from_released({f"state_dict.{name}": tensor for name, tensor in given.items()})
        empty = build(SHAPES[model])
    assert shape_of(ours) == SHAPES[model]
    assert {name: tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in empty.state_dict().items()
    }


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        (SHAPES["16k"], 74_141_697),
        (SHAPES["24k"], 74_653_857),
        (SHAPES["44k"], 76_620_777),
        (SHAPES["44k-16k"], 64_189_873),
        # The P2PSynCodec paper states 73.87 M for its own training.
        (PAPER, 73_860_009),
    ],
)
def test_published_sizes(shape: DacShape, parameters: int) -> None:
    with torch.device("meta"):
        model = build(shape)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("model", "lookahead"),
    [("16k", 2493 + 10 * 320), ("44k", 3733 + 10 * 512)],
)
def test_lookahead_is_the_published_one(model: str, lookahead: int) -> None:
    assert SHAPES[model].lookahead == lookahead


@pytest.mark.parametrize("model", SHAPES)
def test_frames_are_the_fewest_that_cover_the_wave(model: str) -> None:
    shape = SHAPES[model]
    for n_samples in range(1, 4 * shape.hop):
        n_frames = shape.n_frames(n_samples)
        assert shape.decoded_samples(n_frames) >= n_samples
        if n_frames > 1:
            fewer = min(shape.decoded_samples(n_frames - 1), (n_frames - 1) * shape.hop)
            assert fewer < n_samples
    lost = 8 if 5 in shape.strides else 0
    assert shape.decoded_samples(50) == 50 * shape.hop - lost


@pytest.mark.parametrize(
    ("options", "bitrate_bps"),
    [
        ({}, 6000),
        ({"codebooks": 1}, 500),
        ({"model": "24k", "codebooks": 8}, 6000),
        ({"model": "44k"}, 9 * 10 * 44100 / 512),
        ({"model": "44k-16k"}, 18 * 10 * 44100 / 512),
    ],
)
def test_nominal_rates_are_exact(options: dict[str, Any], bitrate_bps: float) -> None:
    with torch.device("meta"):
        assert Dac.untrained(**options).info.nominal_bitrate_bps == bitrate_bps


@pytest.fixture
def paper_checkpoint(tmp_path: Path) -> Path:
    """A narrow network with one codebook, as a training of the authors' code would save it."""
    torch.manual_seed(3)
    shape = DacShape(
        strides=(2, 4, 5, 8), encoder_channels=4, decoder_channels=32, latent=64, codebooks=1
    )
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": build(shape).state_dict(), "metadata": {"kwargs": {}}}, path)
    return path


@pytest.mark.parametrize(("sample_rate", "bitrate_bps"), [(16000, 500), (48000, 1500)])
def test_the_papers_variant_is_loaded(
    paper_checkpoint: Path, sample_rate: int, bitrate_bps: int
) -> None:
    codec = synbench_codecs.load("dac", weights=str(paper_checkpoint), sample_rate=sample_rate)
    assert codec.info.nominal_bitrate_bps == bitrate_bps
    assert codec.info.codebook_sizes == (1024,)
    assert codec.info.weights[0].repository == "local"
    again = synbench_codecs.load(codec.info.spec)
    assert again.info == codec.info


def level(wave: NDArray[Any], sample_rate: int) -> float:
    import pyloudnorm

    return float(pyloudnorm.Meter(sample_rate).integrated_loudness(wave.astype(np.float64)))


class TestLevel:
    @pytest.fixture(autouse=True)
    def needs(self) -> None:
        pytest.importorskip("pyloudnorm", reason="pip install 'synbench[hf]'")

    def test_the_level_is_kept_in_32_bits(self, paper_checkpoint: Path) -> None:
        codec = synbench_codecs.load(
            "dac", weights=str(paper_checkpoint), sample_rate=16000, loudness="cli"
        )
        generator = np.random.default_rng(5)
        for gain in (0.003, 0.05, 0.4):
            wave = (gain * generator.standard_normal(32000)).astype(np.float32)
            encoded = codec.encode(wave, 16000)
            decoded = codec.decode(encoded)
            assert encoded.side_bits == 32
            assert level(decoded[:32000], 16000) == pytest.approx(level(wave, 16000), abs=0.01)

    @needs_fixture
    @pytest.mark.parametrize("model", ["24k", "44k"])
    def test_the_level_is_that_of_the_authors_command_line(self, model: str) -> None:
        expected = fixture(model)[1]
        codec = own(model, loudness="cli")
        rate = codec.info.sample_rate
        wave = soxr.resample(expected["compress_wav_22050"].reshape(-1), 22050, rate, "VHQ")
        decoded = codec.decode(codec.encode(wave, rate))[: wave.size]
        theirs = level(expected["compress_out_whole"].reshape(-1), 22050)
        assert level(soxr.resample(decoded, rate, 22050, "VHQ"), 22050) == pytest.approx(
            theirs, abs=0.2
        )


class TestMistakes:
    def test_missing_weights_name_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path))
        with pytest.raises(MissingWeights, match="type: synbench weights fetch dac-24k"):
            synbench_codecs.load("dac:model=24k")

    def test_another_checkpoint_is_refused(self, tmp_path: Path) -> None:
        torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "other.pt")
        with pytest.raises(WeightsError, match="is no DAC"):
            synbench_codecs.load("dac", weights=str(tmp_path / "other.pt"), sample_rate=16000)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"model": "32k"}, "model must be one of .*16k, 24k, 44k, 44k-16k"),
            ({"sample_rate": 16000}, "sample_rate goes with weights=PATH"),
            ({"weights": "x.pt"}, "needs either sample_rate=Hz or the model"),
            ({"weights": "x.pt", "model": "16k", "sample_rate": 8000}, "needs either"),
            ({"weights": "absent.pt", "sample_rate": 16000}, "expected a file; no absent.pt"),
        ],
    )
    def test_wrong_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            synbench_codecs.load("dac", **options)

    def test_weights_of_another_model(self, paper_checkpoint: Path) -> None:
        with pytest.raises(WeightsError, match=r"has strides \(2, 4, 5, 8\), model 44k has"):
            synbench_codecs.load("dac", weights=str(paper_checkpoint), model="44k")

    def test_too_many_codebooks(self, paper_checkpoint: Path) -> None:
        with pytest.raises(UsageError, match="codebooks must be an integer from 0 to 1"):
            synbench_codecs.load(
                "dac", weights=str(paper_checkpoint), sample_rate=16000, codebooks=2
            )
