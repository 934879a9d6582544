"""P2PSynCodec and MDCTCodec on ONNX Runtime: torch's tokens, and waves equal within rounding."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import synbench_codecs
from synbench_base.weights import find_weights
from synbench_codecs._mdct import demonstration, graphs
from synbench_codecs._mdct.sizes import BackboneConfig, CodecConfig, PredictorConfig
from synbench_codecs._mdct.without_torch import PortableModel
from synbench_codecs.errors import WeightsError
from synbench_codecs.support.safetensors_file import read_arrays

torch = pytest.importorskip("torch", reason="torch, which is compared with, is not installed")
pytest.importorskip("onnxruntime")

SPEECH = Path(__file__).parents[3] / "shared" / "speech16"
SPECS = {
    "mdctcodec": demonstration.MDCTCODEC,
    "mdctcodec:model=demo-one-book": demonstration.ONE_BOOK,
    "p2psyncodec": demonstration.P2PSYNCODEC,
    "p2psyncodec:decode=oracle": demonstration.P2PSYNCODEC,
}
Wave = NDArray[np.float32]


def portable(spec: str) -> PortableModel:
    path = find_weights(SPECS[spec])[0].path
    return PortableModel(path, sent=len(synbench_codecs.load(spec).info.codebook_sizes))


def assert_equal(spec: str, waves: list[Wave]) -> None:
    """Tokens equal, waves within 1e-4 of full scale."""
    codec, model = synbench_codecs.load(spec), portable(spec)
    for wave in waves:
        encoded = codec.encode(wave, 16000)
        tokens = synbench_codecs.payload_tokens(encoded, info=codec.info)
        np.testing.assert_array_equal(model.encode(wave[None])[0], tokens)
        vectors = (
            model.looked_up(tokens[None])
            if spec.startswith("mdct")
            else model.completed(tokens[None], how=codec.how)
        )
        np.testing.assert_allclose(model.decode(vectors)[0], codec.decode(encoded), atol=1e-4)


@pytest.mark.parametrize("spec", SPECS)
def test_made_speech_of_any_length(spec: str, synthetic: Callable[[int], Wave]) -> None:
    wave = synthetic(16000)
    assert_equal(spec, [wave, wave[:1], wave[:319], wave[:16001]])


@pytest.mark.shared("speech16")
def test_real_speech() -> None:
    files = sorted(SPEECH.rglob("*.flac"))[::40][:4]
    waves = [soundfile.read(file, dtype="float32")[0] for file in files]
    for spec in ("mdctcodec", "p2psyncodec"):
        assert_equal(spec, waves)


@pytest.mark.parametrize("how", ["plain-only", "zero", "random", "soft"])
def test_every_receiver(how: str, synthetic: Callable[[int], Wave]) -> None:
    codec = synbench_codecs.load(f"p2psyncodec:decode={how}")
    encoded = codec.encode(synthetic(16000), 16000)
    tokens = synbench_codecs.payload_tokens(encoded, info=codec.info)[None]
    model = portable("p2psyncodec")
    made = model.decode(model.completed(tokens, how=how))[0]
    np.testing.assert_allclose(made, codec.decode(encoded), atol=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        CodecConfig(backbone=BackboneConfig(channels=12, hidden=20, blocks=2), search="euclidean"),
        CodecConfig(backbone=BackboneConfig(channels=8, ratio=4), length_rule="padded"),
    ],
    ids=["euclidean", "padded"],
)
def test_other_sizes_and_rules_with_three_predictors(
    config: CodecConfig, tmp_path: Path, synthetic: Callable[[int], Wave]
) -> None:
    from synbench_codecs._mdct.model import MDCTModel, fold_weight_norm
    from synbench_codecs._mdct.predictor import PseudoQuantizers
    from synbench_codecs._mdct.synergy import SynergyModel
    from synbench_codecs._mdct.trained_model import TrainedModel, read_model, write_model

    sizes = PredictorConfig(channels=16, heads=4, blocks=2, kernel=5, lstm_layers=1)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        trained = TrainedModel(codec=MDCTModel(config), pseudo=PseudoQuantizers(sizes, 3))
    write_model(tmp_path / "model.safetensors", trained)
    read = read_model(tmp_path / "model.safetensors")
    fold_weight_norm(read.codec)
    assert read.pseudo is not None
    network = SynergyModel(read.codec.eval(), read.pseudo.eval(), sent=1)
    model = PortableModel(tmp_path / "model.safetensors", sent=1)
    waves = np.stack([synthetic(16000)[:9000], synthetic(16000)[9000:18000]])
    with torch.inference_mode():
        tokens = network.encode(torch.from_numpy(waves))
        made = network.decode(tokens, how="all").numpy()
    np.testing.assert_array_equal(model.encode(waves), tokens.numpy())
    vectors = model.completed(tokens.numpy(), how="all")
    np.testing.assert_allclose(model.decode(vectors), made, atol=1e-4)


def test_the_graphs_are_valid_onnx_and_other_weights_change_no_operator() -> None:
    onnx = pytest.importorskip("onnx")
    kinds = []
    for scale in (1.0, 0.5):
        weights = graphs.folded(read_arrays(find_weights(demonstration.P2PSYNCODEC)[0].path))
        weights = {name: np.float32(scale) * array for name, array in weights.items()}
        header = portable("p2psyncodec").header
        assert header.predictors is not None
        models = [
            graphs.encoder_graph(header.codec.backbone, weights),
            graphs.decoder_graph(header.codec.backbone, weights),
            graphs.predictor_graph(header.predictors, weights, "pseudo_quantizers.predictors.0"),
        ]
        read = [onnx.load_model_from_string(model) for model in models]
        for one in read:
            onnx.checker.check_model(one, full_check=True)
        kinds.append([[node.op_type for node in one.graph.node] for one in read])
    assert kinds[0] == kinds[1]


def test_a_cut_file_and_a_foreign_one_are_refused(tmp_path: Path) -> None:
    content = find_weights(demonstration.ONE_BOOK)[0].path.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[:-1000])
    with pytest.raises(WeightsError, match="intact safetensors"):
        PortableModel(tmp_path / "cut.safetensors", sent=1)
    (tmp_path / "renamed.safetensors").write_bytes(
        content.replace(b'"encoder.latent.bias"', b'"encoder.latent.blas"')
    )
    with pytest.raises(WeightsError, match=r"encoder\.latent\.bias is absent"):
        PortableModel(tmp_path / "renamed.safetensors", sent=1)


HIDDEN = """
import importlib.util, sys
import numpy
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else find(name, *rest)
import synbench_codecs
codec = synbench_codecs.load("p2psyncodec")
assert "onnxruntime" in codec.info.implementation
from synbench.execution import decoding, units  # as a worker of a run makes it
point = units.CodecPoint(spec=codec.info.spec, codec_id=decoding.codec_identity(codec))
codec = decoding._codec(point)
wave = numpy.load(sys.argv[1])
encoded = codec.encode(wave, 16000)
assert codec.decode(encoded).size >= wave.size
assert "torch" not in sys.modules and "safetensors" not in sys.modules
sys.stdout.buffer.write(synbench_codecs.write_stream(encoded))
"""


def test_without_torch_the_codec_writes_the_same_stream(
    tmp_path: Path, synthetic: Callable[[int], Wave]
) -> None:
    wave = synthetic(16000)
    np.save(tmp_path / "wave.npy", wave)
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, tmp_path / "wave.npy"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    encoded = synbench_codecs.load("p2psyncodec").encode(wave, 16000)
    assert done.stdout == synbench_codecs.write_stream(encoded)
