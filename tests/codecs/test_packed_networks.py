"""MDCT networks as the CPU runs them against the plain ones: tokens equal, waves within 1e-5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("safetensors", reason="pip install 'synbench[torch]'")

import synbench_codecs  # noqa: E402
from synbench_codecs._mdct import packed, packed_backbone, packed_predictor  # noqa: E402
from synbench_codecs._mdct.model import MDCTModel  # noqa: E402
from synbench_codecs._mdct.packed_model import packed_codec, packed_synergy  # noqa: E402
from synbench_codecs._mdct.predictor import PseudoQuantizers  # noqa: E402
from synbench_codecs._mdct.sizes import (  # noqa: E402
    BackboneConfig,
    CodecConfig,
    PredictorConfig,
)
from synbench_codecs._mdct.synergy import SynergyModel  # noqa: E402
from synbench_codecs.adapters.p2psyncodec import P2PSynCodec  # noqa: E402
from synbench_codecs.support.random_weights import calibrate  # noqa: E402

SPEECH = Path(__file__).parents[3] / "shared" / "speech16"
Wave = NDArray[np.float32]


@pytest.fixture(autouse=True)
def one_thread_without_gradients() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(threads)


def drawn(config: CodecConfig, sizes: PredictorConfig) -> SynergyModel:
    """A network with random weights, all of them other than where training starts."""
    with torch.random.fork_rng(), torch.inference_mode(mode=False), torch.no_grad():
        torch.manual_seed(3)
        model = SynergyModel(MDCTModel(config), PseudoQuantizers(sizes, 2), sent=1).eval()
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 or name.endswith(("gamma", "beta")):
                parameter.add_(0.3 * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return model


def assert_equal(plain: SynergyModel, packed: SynergyModel, waves: Any) -> None:
    """All tokens equal, those of the predictors too, and waves within 1e-5 of the loudest."""
    tokens = plain.encode(waves)
    assert torch.equal(packed.encode(waves), tokens)
    # Sums of the predicted codes, bit for bit.
    assert torch.equal(packed.vectors(tokens, how="all"), plain.vectors(tokens, how="all"))
    expected = plain.decode(tokens, how="all")
    made = packed.decode(tokens, how="all")
    assert made.shape == expected.shape
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_the_published_size_with_random_weights(synthetic: Callable[[int], Wave]) -> None:
    with torch.random.fork_rng(), torch.inference_mode(mode=False):
        torch.manual_seed(1)
        codec = P2PSynCodec.untrained()
        calibrate(codec)
    waves = torch.from_numpy(synthetic(16000)[None, :16000])
    tokens = codec.model.encode(waves)
    assert tokens.unique().numel() > 10
    assert_equal(codec.model, codec.packed, waves)
    # What the codec itself calls.
    np.testing.assert_array_equal(codec.tokens_of(waves.numpy()), tokens.numpy())


@pytest.mark.parametrize("n_samples", [1, 319, 3200, 16001])
def test_the_packaged_weights(n_samples: int, synthetic: Callable[[int], Wave]) -> None:
    codec = synbench_codecs.load("p2psyncodec")
    assert_equal(codec.model, codec.packed, torch.from_numpy(synthetic(16000)[None, :n_samples]))


@pytest.mark.shared("speech16")
def test_real_speech() -> None:
    files = sorted(SPEECH.rglob("*.flac"))[::30][:5]
    waves = [soundfile.read(file, dtype="float32")[0][:64000] for file in files]
    for spec in ("p2psyncodec", "mdctcodec"):
        codec = synbench_codecs.load(spec)
        for wave in waves:
            batch = torch.from_numpy(wave[None])
            assert torch.equal(codec.packed.encode(batch), codec.model.encode(batch))
            if spec == "p2psyncodec":
                assert_equal(codec.model, codec.packed, batch)


@pytest.mark.parametrize(
    "config",
    [
        CodecConfig(backbone=BackboneConfig(channels=12, hidden=20, blocks=2), search="euclidean"),
        CodecConfig(backbone=BackboneConfig(channels=16, ratio=4), length_rule="padded"),
        CodecConfig(backbone=BackboneConfig(channels=16, ratio=2, blocks=1)),
    ],
    ids=["euclidean", "padded", "short-tokens"],
)
@pytest.mark.parametrize("kernels", [True, False], ids=["onednn", "plain-operators"])
def test_other_sizes_batches_and_a_torch_without_onednn(
    config: CodecConfig,
    kernels: bool,
    monkeypatch: pytest.MonkeyPatch,
    synthetic: Callable[[int], Wave],
) -> None:
    if not kernels:
        monkeypatch.setattr(packed, "has_kernels", lambda *_: False)
    plain = drawn(config, PredictorConfig(channels=16, heads=4, blocks=2, kernel=5, lstm_layers=1))
    swift = packed_synergy(plain)
    wave = synthetic(16000)
    for n_samples in (100, 4000, 9000):
        waves = np.stack([wave[:n_samples], wave[n_samples : 2 * n_samples]])
        assert_equal(plain, swift, torch.from_numpy(waves))


def test_the_plain_network_decides_what_is_close(
    monkeypatch: pytest.MonkeyPatch, synthetic: Callable[[int], Wave]
) -> None:
    """All is close by such a bound, so all comes from there, bit for bit."""
    codec = synbench_codecs.load("p2psyncodec")
    plain, swift = codec.model, packed_synergy(codec.model)
    coefficients = plain.codec.mdct(torch.from_numpy(synthetic(16000)[None, :8000]))
    vectors = torch.randn(1, 30, 32, generator=torch.Generator().manual_seed(2))
    (predictor, *_), (swift_predictor, *_) = plain.predictors, swift.predictors
    before = [swift.codec.encoder(coefficients), swift_predictor(vectors)]
    monkeypatch.setattr(packed_backbone, "CLOSE", 1e9)
    monkeypatch.setattr(packed_predictor, "CLOSE", 1e9)
    after = [swift.codec.encoder(coefficients), swift_predictor(vectors)]
    expected = [plain.codec.encoder(coefficients), predictor(vectors)]
    for fast, decided, exact in zip(before, after, expected, strict=True):
        assert torch.equal(decided, exact)
        assert not torch.equal(fast, exact)
        torch.testing.assert_close(fast, exact, rtol=0, atol=1e-4 * float(exact.abs().max()))


def test_a_margin_is_the_way_to_another_token() -> None:
    """Of a latent between two codes: half way less than the margin it keeps its token."""
    model = MDCTModel(CodecConfig(codes=2, codebooks=1, search="euclidean")).eval()
    (stage,) = model.quantizer.stages
    stage.codebook.weight.zero_()
    stage.codebook.weight[1, 0] = 1.0
    points = torch.zeros(1, 32, 3)
    points[0, 0] = torch.tensor([0.1, 0.4, 0.45])
    margins = stage.margin(points)[0]
    # The border lies at .5; no margin is larger than the way there, and nearer is smaller.
    assert torch.all(margins <= 0.5 - points[0, 0])
    assert torch.all(margins.diff() < 0)
    moved = points.clone()
    moved[0, 0] += margins
    assert torch.equal(stage.tokens(moved), stage.tokens(points))


def test_a_rounded_decoder_is_50_db_below_and_has_equal_tokens(
    synthetic: Callable[[int], Wave],
) -> None:
    waves = torch.from_numpy(synthetic(16000)[None, :16000])
    exact = synbench_codecs.load("p2psyncodec").packed
    rounded = synbench_codecs.load("p2psyncodec:arithmetic=bfloat16").packed
    tokens = exact.encode(waves)
    assert torch.equal(rounded.encode(waves), tokens)
    assert torch.equal(rounded.vectors(tokens, how="all"), exact.vectors(tokens, how="all"))
    wave, other = (model.decode(tokens, how="all") for model in (exact, rounded))
    error = (wave - other).square().mean() / wave.square().mean()
    assert 0 < error < 1e-5


def test_an_mdctcodec_of_several_books(synthetic: Callable[[int], Wave]) -> None:
    codec = synbench_codecs.load("mdctcodec", codebooks=2)
    swift = packed_codec(codec.model)
    waves = torch.from_numpy(synthetic(16000)[None, :12000])
    tokens = codec.model.encode(waves)
    assert torch.equal(swift.encode(waves), tokens)
    vectors = codec.model.quantizer.lookup(tokens)
    torch.testing.assert_close(
        swift.decode(vectors), codec.model.decode(vectors), atol=1e-5, rtol=0
    )
