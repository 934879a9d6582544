"""Lyra's frames, stages and bits on stand-ins for its models; on the real ones where present."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import synbench_codecs
from synbench_codecs.adapters import lyra
from synbench_codecs.errors import MissingWeights, UsageError

Wave = NDArray[np.float32]
NAMES = ("soundstream_encoder", "quantizer", "lyragan")


class StandIn:
    """An encoder or decoder that adds up what it has seen, so that a kept state would show."""

    made: list[str] = []

    def __init__(self, *, model_path: str, num_threads: int) -> None:
        assert num_threads == 1
        self.name = Path(model_path).stem
        self.made.append(self.name)
        self.state = np.float32(0)

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        shape = [1, 320] if self.name == NAMES[0] else [1, 1, 64]
        return [{"index": 0, "shape": np.array(shape)}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 1}]

    def set_tensor(self, index: int, values: NDArray[np.float32]) -> None:
        assert values.shape == tuple(self.get_input_details()[0]["shape"])
        assert values.dtype == np.float32
        self.given = values

    def invoke(self) -> None:
        self.state += np.float32(np.abs(self.given).mean())

    def get_tensor(self, index: int) -> NDArray[np.float32]:
        shape = (1, 1, 64) if self.name == NAMES[0] else (1, 320)
        return np.full(shape, self.state % 1, dtype=np.float32)

    def get_signature_runner(self, name: str) -> Any:
        return Quantize() if name == "encode" else look_up


class Quantize:
    def get_input_details(self) -> dict[str, Any]:
        return {"input_frames": {"shape": np.array([1, 1, 64])}}

    def __call__(self, *, input_frames: Any, num_quantizers: Any) -> dict[str, Any]:
        assert num_quantizers.dtype == np.int32
        level = int(input_frames.mean() * 1000)
        indices = np.full((46, 1, 1), 99, dtype=np.int32)
        indices[: int(num_quantizers), 0, 0] = (level + np.arange(int(num_quantizers))) % 16
        return {"output_0": indices}


def look_up(*, encoding_indices: NDArray[np.int32]) -> dict[str, Any]:
    assert encoding_indices.shape == (46, 1, 1)
    used = int(np.count_nonzero(encoding_indices >= 0))
    assert (encoding_indices[used:] == -1).all()
    value = encoding_indices[:used].mean() / 100
    return {"output_0": np.full((1, 1, 64), value, dtype=np.float32)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        (tmp_path / f"{name}.tflite").write_bytes(name.encode())
    StandIn.made = []
    runtime = types.SimpleNamespace(Interpreter=StandIn)
    monkeypatch.setattr(lyra, "import_extra", lambda *_, **__: runtime)
    monkeypatch.setattr(lyra, "require", lambda *_, **__: None)
    return tmp_path


@pytest.mark.parametrize(("bitrate_bps", "bits"), [(3200, 64), (6000, 120), (9200, 184)])
def test_a_frame_costs_four_bits_per_stage(
    folder: Path, synthetic: Callable[[int], Wave], bitrate_bps: int, bits: int
) -> None:
    codec = synbench_codecs.load("lyra", bitrate_bps=bitrate_bps, weights=str(folder))
    wave = synthetic(16000)[:16001]
    encoded = codec.encode(wave, 16000)
    assert encoded.payload_bits == 51 * bits
    assert codec.info.bits_per_frame == bits
    assert codec.decode(encoded).size == 51 * 320
    assert [source.file for source in codec.info.weights] == [f"{n}.tflite" for n in NAMES]


def test_every_wave_gets_fresh_models(folder: Path, synthetic: Callable[[int], Wave]) -> None:
    codec = synbench_codecs.load("lyra", weights=str(folder))
    wave = synthetic(16000)[:8000]
    first, second = codec.encode(wave, 16000), codec.encode(wave, 16000)
    assert first == second
    np.testing.assert_array_equal(codec.decode(first), codec.decode(second))
    assert StandIn.made == 2 * list(NAMES[:2]) + 2 * list(NAMES[1:])


def test_missing_weights_and_wrong_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(lyra, "require", lambda *_, **__: None)
    with pytest.raises(MissingWeights, match="type: synbench weights fetch lyra-v2"):
        synbench_codecs.load("lyra")
    with pytest.raises(UsageError, match="must be one of 3200, 6000, 9200"):
        synbench_codecs.load("lyra", bitrate_bps=4000)


def test_the_real_models_resemble_the_input(speech: Callable[[int], list[Wave]]) -> None:
    """Published correlation with a LibriSpeech clip at 9.2 kbit/s: 0.95."""
    try:
        codec = synbench_codecs.load("lyra", bitrate_bps=9200)
    except synbench_codecs.errors.Unavailable as reason:
        pytest.skip(str(reason))
    wave = speech(16000)[0]
    decoded = codec.decode(codec.encode(wave, 16000))[: wave.size]
    assert np.corrcoef(wave, decoded)[0, 1] > 0.85
