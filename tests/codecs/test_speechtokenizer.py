"""SpeechTokenizer's network against the authors' package, by numbers it gave and by itself."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

import untrained  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.adapters.speechtokenizer import RELEASED  # noqa: E402
from synbench_codecs.errors import WeightsError  # noqa: E402
from synbench_codecs.networks.speechtokenizer import (  # noqa: E402
    SpeechTokenizerConfig,
    SpeechTokenizerNetwork,
    config_of,
    from_released,
)
from synbench_codecs.support.torch_models import load_strictly  # noqa: E402

SMALL = SpeechTokenizerConfig(filters=4, latent=16, codes=64)
SEMANTIC = 12
# What speechtokenizer 1.0.1 gives for the weights and the wave drawn below.
TOKENS = [
    [62, 21, 43, 21],
    [44, 47, 46, 23],
    [52, 36, 8, 23],
    [57, 50, 50, 39],
    [49, 0, 0, 0],
    [28, 51, 28, 47],
    [37, 37, 9, 37],
    [15, 42, 57, 60],
]
SAMPLES = [
    -49.891026,
    92.537659,
    123.793411,
    262.349274,
    118.540337,
    68.751404,
    -17.840061,
    247.930405,
]


def layout(config: SpeechTokenizerConfig, *, semantic: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' checkpoint."""
    with torch.device("meta"):
        ours = SpeechTokenizerNetwork(config).state_dict()
    shapes: dict[str, tuple[int, ...]] = {"transform.weight": (semantic, config.latent)}
    shapes["transform.bias"] = (semantic,)
    for name, tensor in ours.items():
        shape = tuple(tensor.shape)
        theirs = re.sub(r"^(encoder|decoder)\.", r"\1.model.", name)
        book = re.fullmatch(r"codebooks\.(\d+)", name)
        stem, _, kind = theirs.rpartition(".")
        if book:
            stem = f"quantizer.vq.layers.{book[1]}._codebook."
            shapes |= {stem + "embed": shape, stem + "embed_avg": shape}
            shapes |= {stem + "cluster_size": shape[:1], stem + "inited": (1,)}
        elif ".lstm." in name:
            shapes[theirs] = shape
        else:
            up = stem.startswith("decoder") and int(stem.split(".")[2]) in (3, 6, 9, 12)
            stem += ".convtr.convtr" if up else ".conv.conv"
            if kind == "weight":
                shapes |= {f"{stem}.weight_g": (shape[0], 1, 1), f"{stem}.weight_v": shape}
            else:
                shapes[f"{stem}.{kind}"] = shape
    return shapes


def drawn() -> tuple[dict[str, Any], Any]:
    """Weights in the authors' layout and a wave, (1, samples)."""
    generator = np.random.default_rng(5)

    def draw(*shape: int) -> Any:
        return torch.from_numpy(generator.standard_normal(shape).astype(np.float32))

    shapes = layout(SMALL, semantic=SEMANTIC)
    tensors = {name: 0.5 * draw(*shapes[name]) for name in sorted(shapes)}
    tensors |= {name: torch.ones(1) for name in tensors if name.endswith("inited")}
    # Gains large enough that the wave gets through.
    tensors |= {name: 2 + tensors[name] for name in tensors if name.endswith("weight_g")}
    return tensors, 0.3 * draw(1, 2500)


def loaded(tensors: dict[str, Any]) -> SpeechTokenizerNetwork:
    ours = from_released(tensors)
    network = SpeechTokenizerNetwork(config_of(ours))
    load_strictly(network, ours, path=Path("drawn"))
    return network


def test_numbers_of_the_authors_package() -> None:
    tensors, wave = drawn()
    network = loaded(tensors)
    with torch.no_grad():
        tokens = network.encode(wave, 8)
        decoded = network.decode(tokens)
    assert tokens[0, :, :4].tolist() == TOKENS
    np.testing.assert_allclose(decoded[0, 1600:1608], SAMPLES, rtol=1e-4)


def test_equals_the_authors_package(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = authors_model(monkeypatch)
    tensors, wave = drawn()
    theirs.load_state_dict(tensors, strict=True)
    network = loaded(tensors)
    with torch.no_grad():
        for n_samples in (1, 320, 2500):
            tokens = network.encode(wave[:, :n_samples], 8)
            codes = theirs.encode(wave[:, None, :n_samples])
            assert torch.equal(tokens, codes.transpose(0, 1))
            for books in (1, 8):
                decoded = network.decode(tokens[:, :books])
                expected = theirs.decode(codes[:books])[:, 0]
                loudest = expected.abs().max()
                torch.testing.assert_close(decoded / loudest, expected / loudest, rtol=0, atol=1e-5)


def authors_model(monkeypatch: pytest.MonkeyPatch) -> Any:
    if importlib.util.find_spec("speechtokenizer") is None:
        pytest.skip("pip install --no-deps speechtokenizer==1.0.1; its own numbers were tested")
    pytest.importorskip("einops")
    # Its trainer alone needs torchaudio and more.
    trainer = types.ModuleType("speechtokenizer.trainer")
    monkeypatch.setattr(trainer, "SpeechTokenizerTrainer", None, raising=False)
    monkeypatch.setitem(sys.modules, "speechtokenizer.trainer", trainer)
    config = {
        "n_filters": SMALL.filters,
        "dimension": SMALL.latent,
        "semantic_dimension": SEMANTIC,
        "codebook_size": SMALL.codes,
        "n_q": SMALL.codebooks,
        "strides": list(SMALL.strides),
        "bidirectional": True,
        "dilation_base": 2,
        "residual_kernel_size": 3,
        "n_residual_layers": 1,
        "lstm_layers": 2,
        "activation": "ELU",
        "sample_rate": 16000,
    }
    with pytest.warns((FutureWarning, DeprecationWarning)):  # of torch, about the package
        return importlib.import_module("speechtokenizer").SpeechTokenizer(config).eval()


def test_the_published_size() -> None:
    """166 tensors in a file of 481,906,997 bytes."""
    shapes = layout(SpeechTokenizerConfig(), semantic=768)
    values = sum(int(np.prod(shape)) for shape in shapes.values())
    assert len(shapes) == 166
    assert 0 < RELEASED.files[0].bytes - 4 * values < 100_000


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "SpeechTokenizer.pt"
    tensors, _ = drawn()
    wave = np.zeros(320, dtype=np.float32)
    torch.save(tensors, path)
    with pytest.raises(WeightsError, match="8 books of 1024 codes, got 320 and 8 books of 64"):
        synbench_codecs.load("speechtokenizer", weights=str(path)).encode(wave, 16000)
    torch.save({"encoder.model.0.conv.conv.bias": torch.zeros(4)}, path)
    with pytest.raises(WeightsError, match="is no SpeechTokenizer checkpoint"):
        synbench_codecs.load("speechtokenizer", weights=str(path)).encode(wave, 16000)


def test_fewer_books_are_the_first_ones() -> None:
    wave = (0.1 * np.random.default_rng(1).standard_normal(3200)).astype(np.float32)
    path = untrained.weights("speechtokenizer", {})
    every, two = (
        synbench_codecs.load("speechtokenizer", weights=path, codebooks=count) for count in (8, 2)
    )
    tokens = [codec.tokenise(torch.from_numpy(wave)[None]) for codec in (every, two)]
    assert torch.equal(tokens[0][:, :2], tokens[1])
    assert two.encode(wave, 16000).payload_bits == 10 * 2 * 10
