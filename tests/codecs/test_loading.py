"""What a weights file may be and what is refused: never a crash, never another model in silence."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

import untrained  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.errors import WeightsError  # noqa: E402
from synbench_codecs.support.tensors import Tensors, fold_weight_norm  # noqa: E402

WAVE = (0.1 * np.random.default_rng(1).standard_normal(4000)).astype(np.float32)


def normed(state: dict[str, Any]) -> dict[str, Any]:
    """The layout of a training: a magnitude and a direction in place of each weight."""
    layers = {}
    for name, tensor in state.items():
        if name.endswith(".weight") and tensor.ndim == 3:
            stem = name.removesuffix("weight")
            norm = tensor.flatten(1).norm(dim=1)[:, None, None]
            layers |= {stem + "weight_g": norm, stem + "weight_v": 2 * tensor}
        else:
            layers[name] = tensor
    return layers


@pytest.fixture
def state() -> dict[str, Any]:
    """A small BigCodec under our names."""
    return dict(safetensors_torch.load_file(untrained.weights("bigcodec", {})))


def load(tensors: dict[str, Any], path: Path) -> Any:
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    if path.suffix == ".safetensors":
        safetensors_torch.save_file(contiguous, path)
    else:
        torch.save(contiguous, path)
    return synbench_codecs.load("bigcodec", weights=str(path))


class TestWeightNorm:
    @pytest.mark.parametrize("shape", [(1,), (1, 1, 1), (2, 1), (1, 2, 1), (3, 1, 1), ()])
    @pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
    def test_a_magnitude_of_another_shape_is_refused(
        self, state: dict[str, Any], tmp_path: Path, shape: tuple[int, ...], suffix: str
    ) -> None:
        """torch reads beyond the end of a short one, which ends the process or worse."""
        tensors = normed(state)
        tensors["encoder.0.weight_g"] = torch.ones(shape)
        with pytest.raises(
            WeightsError, match=r"encoder\.0\.weight_g has shape .* expected \(2, 1"
        ):
            load(tensors, tmp_path / f"file{suffix}")

    def test_a_magnitude_without_its_direction_is_refused(
        self, state: dict[str, Any], tmp_path: Path
    ) -> None:
        tensors = normed(state)
        del tensors["encoder.0.weight_v"]
        path = tmp_path / "file.pt"
        message = f"{path}: encoder.0.weight_g is there and its weight_v is not"
        with pytest.raises(WeightsError) as caught:
            load(tensors, path)
        assert str(caught.value) == message

    def test_a_direction_without_its_magnitude_is_named(
        self, state: dict[str, Any], tmp_path: Path
    ) -> None:
        tensors = normed(state)
        del tensors["encoder.8.weight_g"]
        with pytest.raises(WeightsError, match=r"encoder\.8\.weight"):
            load(tensors, tmp_path / "file.pt")

    def test_names_of_parametrizations(self) -> None:
        direction = {"a.parametrizations.weight.original1": torch.ones(4, 2)}
        magnitude = {"a.parametrizations.weight.original0": torch.ones(3, 1)}
        with pytest.raises(WeightsError, match=r"original0 has shape \(3, 1\), expected \(4, 1\)"):
            fold_weight_norm(magnitude | direction)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "name", ["encoder.0.bias", "decoder.8.weight", "quantizer.codebook.weight"]
)
def test_values_that_are_not_finite_are_refused(
    state: dict[str, Any], tmp_path: Path, name: str, value: float
) -> None:
    state[name].view(-1)[-1] = value
    with pytest.raises(WeightsError, match=f"{name} holds NaN or infinity"):
        load(state, tmp_path / "file.safetensors")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_are_converted(
    state: dict[str, Any], tmp_path: Path, dtype: torch.dtype
) -> None:
    rounded = {name: tensor.to(dtype) for name, tensor in state.items()}
    codec = load(rounded, tmp_path / "file.safetensors")
    expected = load({name: one.float() for name, one in rounded.items()}, tmp_path / "float.pt")
    encoded, same = codec.encode(WAVE, 16000), expected.encode(WAVE, 16000)
    assert encoded.payload == same.payload
    assert {one.dtype for one in codec.model.state_dict().values()} == {torch.float32}
    np.testing.assert_array_equal(codec.decode(encoded), expected.decode(same))


def test_double_precision_beyond_single_is_refused(state: dict[str, Any], tmp_path: Path) -> None:
    state["encoder.0.bias"] = torch.full((2,), 1e300, dtype=torch.float64)
    with pytest.raises(WeightsError, match="holds NaN or infinity"):
        load(state, tmp_path / "file.pt")


def test_integers_are_no_weights(state: dict[str, Any], tmp_path: Path) -> None:
    state["encoder.0.bias"] = torch.zeros(2, dtype=torch.int8)
    with pytest.raises(WeightsError, match=r"encoder\.0\.bias holds torch\.int8, expected"):
        load(state, tmp_path / "file.safetensors")


class TestMessages:
    def test_names_are_those_of_the_file(self, state: dict[str, Any], tmp_path: Path) -> None:
        theirs = authors_names(state)
        theirs["generator.model.7.act.alpha"] = torch.ones(3)
        with pytest.raises(WeightsError, match=r"model: generator\.model\.7\.act\.alpha has shape"):
            load(theirs, tmp_path / "file.pt")
        del theirs["generator.model.7.act.alpha"]
        with pytest.raises(WeightsError, match=r"most similar in the file: generator\.model\.7\."):
            load(theirs, tmp_path / "file.pt")

    def test_of_two_files_the_right_one_is_named(self) -> None:
        from synbench_codecs.support.tensors import joined
        from synbench_codecs.support.torch_models import load_strictly

        one = Tensors.of_file({"a.weight": torch.ones(2, 2)}, Path("one.pt"))
        two = Tensors.of_file({"b.weight": torch.ones(2, 3)}, Path("two.pt"))
        model = torch.nn.ModuleDict(
            {name: torch.nn.Linear(2, 2, bias=False) for name in ("a", "b")}
        )
        with pytest.raises(WeightsError, match=r"^two\.pt does not fit the model: b\.weight has"):
            load_strictly(model, joined([one, two]), path=Path("one.pt"))


def authors_names(state: dict[str, Any]) -> dict[str, Any]:
    """The layout that BigCodec's authors released."""
    theirs = {}
    for name, tensor in state.items():
        stem = (
            name.replace("encoder.", "CodecEnc.block.", 1)
            if name.startswith("encoder.")
            else name.replace("decoder.", "generator.model.", 1)
        )
        stem = stem.replace("quantizer.", "generator.quantizer.layers.0.").replace(
            ".codebook.", "._codebook."
        )
        stem = stem.replace(".frequency", ".act.alpha").replace(".magnitude", ".act.beta")
        stem = stem.replace(".up", ".upsample.filter").replace(
            ".down", ".downsample.lowpass.filter"
        )
        theirs[stem] = tensor
    return theirs


class TestTrainings:
    """What Lightning saves: discriminators, an optimiser, settings as objects of omegaconf."""

    @pytest.fixture
    def saved(self, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
        module = types.ModuleType("omegaconf.dictconfig")
        calls: list[Any] = []

        class DictConfig:
            def __init__(self) -> None:
                self.content = {"sr": 16000}

            def __setstate__(self, content: Any) -> None:
                calls.append(content)

            def __reduce_ex__(self, protocol: Any) -> Any:
                return DictConfig, (), {"_content": [1, {"a": DictConfig}]}

        DictConfig.__module__ = module.__name__
        DictConfig.__qualname__ = "DictConfig"
        module.__dict__["DictConfig"] = DictConfig
        monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        inner = {f"model.{name}": tensor for name, tensor in authors_names(state).items()}
        inner |= {
            "model.discriminator.0.weight": torch.ones(3),
            "criteria.mel.window": torch.ones(2),
        }
        content = {
            "epoch": 3,
            "state_dict": inner,
            "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
            "hyper_parameters": {"cfg": DictConfig()},
        }
        return content, calls

    def test_bigcodec_of_its_authors_training(
        self, saved: Any, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content, calls = saved
        path = tmp_path / "last.ckpt"
        torch.save(content, path)
        monkeypatch.delitem(sys.modules, "omegaconf.dictconfig")
        codec = synbench_codecs.load("bigcodec", weights=str(path))
        plain = load(state, tmp_path / "file.safetensors")
        encoded = codec.encode(WAVE, 16000)
        assert encoded.payload == plain.encode(WAVE, 16000).payload
        np.testing.assert_allclose(
            codec.decode(encoded), plain.decode(plain.encode(WAVE, 16000)), atol=1e-4
        )
        assert not calls
        assert "omegaconf.dictconfig" not in sys.modules

    def test_settings_do_not_open_the_door_for_code(self, saved: Any, tmp_path: Path) -> None:
        content, _ = saved
        content["hyper_parameters"]["more"] = _Runs(tmp_path / "trap")
        torch.save(content, tmp_path / "last.ckpt")
        with pytest.raises(WeightsError, match=r"settings \(.*mkdir\), which could run code"):
            synbench_codecs.load("bigcodec", weights=str(tmp_path / "last.ckpt"))
        assert not (tmp_path / "trap").exists()


class _Runs:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, (str(self.path),)


def own_weights() -> list[Any]:
    return [
        pytest.param(name, options, id=name)
        for name in synbench_codecs.names()
        if hasattr(synbench_codecs.codec_class(name), "points") and untrained.is_trainable(name)
        for options in synbench_codecs.codec_class(name).points[:1]
    ]


@pytest.mark.parametrize(("name", "options"), own_weights())
def test_own_weights_have_no_licence_of_ours(name: str, options: dict[str, Any]) -> None:
    try:
        codec = synbench_codecs.load(name, **options, weights=untrained.weights(name, options))
    except synbench_codecs.errors.Unavailable as reason:
        pytest.skip(str(reason))
    assert codec.info.weights_licence == ""


@pytest.mark.parametrize("name", ["encodec", "xcodec2"])
def test_weights_that_are_not_for_commercial_use(name: str) -> None:
    assert synbench_codecs.describe(name).weights_licence == "CC-BY-NC-4.0"


class TestDac:
    """The 24 kHz model has the strides of the 16 kHz one."""

    @pytest.fixture(autouse=True)
    def needs(self) -> None:
        pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

    def saved(self, path: Path, books: int, **metadata: Any) -> str:
        from synbench_codecs.networks.dac import DacShape, build

        shape = DacShape(
            strides=(2, 4, 5, 8),
            encoder_channels=2,
            decoder_channels=32,
            latent=32,
            codebooks=books,
        )
        content = {"state_dict": build(shape).state_dict(), "metadata": {"kwargs": metadata}}
        torch.save(content, path)
        return str(path)

    def test_told_by_its_metadata(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path / "weights.pth", 32, sample_rate=24000)
        with pytest.raises(WeightsError, match="was trained at 24000 Hz by its own metadata"):
            synbench_codecs.load("dac", weights=path, sample_rate=16000)
        path = self.saved(tmp_path / "few.pth", 12, sample_rate=24000)
        with pytest.raises(WeightsError, match="was trained at 24000 Hz by its own metadata"):
            synbench_codecs.load("dac", weights=path, model="16k")
        path = self.saved(tmp_path / "weights.pth", 32, sample_rate=24000)
        for options in ({"model": "24k"}, {"sample_rate": 24000}, {}):
            info = synbench_codecs.load("dac", weights=path, **options).info
            assert (info.sample_rate, info.nominal_bitrate_bps) == (24000, 24000)
            assert synbench_codecs.load(info.spec).info == info

    def test_told_by_its_books(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path / "weights.pth", 32)
        with pytest.raises(WeightsError, match=r"books 32, model 16k has 12; give model=24k, or"):
            synbench_codecs.load("dac", weights=path, model="16k")
