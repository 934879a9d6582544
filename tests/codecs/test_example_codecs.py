"""The scripts of examples/codecs keep the contract, each against a stand-in of its package.

The stand-ins have the packages' names, arguments, shapes and types, not their networks: what is
proven is that a script describes its codec fully, that its tokens fit the books it declares, that
the bits counted are the rate its authors state, and that it decodes from tokens alone.
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

import stand_ins  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench.execution.decoding import check_length  # noqa: E402
from synbench_codecs import read_stream, write_stream  # noqa: E402
from synbench_codecs.adapters import isolated  # noqa: E402
from synbench_codecs.errors import Unavailable  # noqa: E402
from synbench_codecs.support import isolated_worker  # noqa: E402

SCRIPTS = Path(__file__).parents[2] / "examples" / "codecs"
# Script, settings, kbit/s as the authors state it without side information, bits of that.
CASES = [
    ("dual_codec", "", 1.225, 0),
    ("dual_codec", "model=12hz_v1;books=6", 0.925, 0),
    ("dual_codec", "model=25hz_v1;books=1", 0.35, 0),
    ("focal_codec", "model=50hz", 0.65, 0),
    ("focal_codec", "model=25hz", 0.33, 0),
    ("focal_codec", "model=12_5hz", 0.16, 0),
    ("focal_codec", "model=50hz_65k_causal", 0.8, 0),
    ("focal_codec", "model=50hz_4k_causal", 0.6, 0),
    ("focal_codec", "model=50hz_2k_causal", 0.55, 0),
    ("bi_codec", "", 0.65, 32 * 12),
    ("fa_codec", "", 4.8, 256 * 16),
    ("semanti_codec", "token_rate=100;vocabulary=32768", 1.4, 0),
    ("semanti_codec", "token_rate=50;vocabulary=16384", 0.68, 0),
    ("semanti_codec", "token_rate=25;vocabulary=4096", 0.31, 0),
    ("xy_codec", "", 1.0, 0),
    ("nano_codec", "model=1.78kbps-12.5fps", 1.78, 0),
    ("nano_codec", "model=1.89kbps-21.5fps", 1.89, 0),
    ("nano_codec", "model=0.6kbps-12.5fps", 0.6, 0),
    ("qwen3_codec", "", 2.2, 0),
]
FLEXIBLE = [("flexi_codec", "threshold=0.91;books=8"), ("flexi_codec", "threshold=1.0;books=1")]
ALL = [(script, settings) for script, settings, _, _ in CASES] + FLEXIBLE
NECESSARY = {"label", "implementation", "sample_rate", "hop_length", "codebook_sizes", "source"} | {
    "code_licence",
    "weights_licence",
    "weights",
    "lookahead_samples",
}

Load = Callable[..., Any]


class InProcess:
    """In place of another interpreter, where a test need not start one."""

    alive = True

    def __init__(self, *, python: Path, script: Path, settings: Any, seconds: float) -> None:
        self.script = isolated_worker.Script(str(script), settings)

    def ask(self, request: dict[str, Any], *, failure: type[Exception]) -> dict[str, Any]:
        return self.script.answer(request)


@pytest.fixture
def put(tmp_path: Path) -> Load:
    """Copies a script, and makes its package's stand-in and files in place of its weights."""

    def copy(script: str, settings: str = "") -> Path:
        path = tmp_path / f"{script}.py"
        shutil.copy(SCRIPTS / path.name, path)
        stand_ins.write_modules(tmp_path)
        module = isolated_worker._load(str(path))
        sys.path.remove(str(tmp_path))
        if settings:
            module.configure(**isolated._parsed(settings))
        for name in module.describe()["weights"]:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.save({}, file)
        return path

    return copy


@pytest.fixture
def load(put: Load, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    monkeypatch.setattr(isolated, "Isolated", InProcess)
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)

    def make(script: str, settings: str = "") -> Any:
        path = put(script, settings)
        return synbench_codecs.load(
            "isolated", python=sys.executable, script=str(path), settings=settings
        )

    yield make
    names = {name.partition("/")[0] for name in stand_ins.MODULES}
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in names:
            del sys.modules[name]


def speech(n_samples: int, *, loud: float = 0.5) -> Any:
    """Noise whose level glides, from another start for another loudness."""
    generator = np.random.default_rng(5)
    level = loud * (0.6 + 0.4 * np.sin(np.arange(n_samples) / 4000 + loud))
    return (level * generator.uniform(-1, 1, n_samples)).astype(np.float32)


def through(codec: Any, wave: Any) -> tuple[Any, Any]:
    encoded = read_stream(write_stream(synbench_codecs.encode(codec, wave, codec.info.sample_rate)))
    return encoded, synbench_codecs.decode(codec, encoded)


def test_every_script_is_tried() -> None:
    assert {f"{script}.py" for script, _ in ALL} == {
        path.name for path in SCRIPTS.glob("*_codec.py")
    }


@pytest.mark.parametrize(("script", "settings", "kbps", "side_bits"), CASES)
def test_the_contract(load: Load, script: str, settings: str, kbps: float, side_bits: int) -> None:
    codec = load(script, settings)
    rate, hop = codec.info.sample_rate, codec.info.hop_length
    for n_samples in (3 * rate + 17, 12 * hop, 5 * hop + 1):
        encoded, decoded = through(codec, speech(n_samples))
        seconds = codec.n_frames(n_samples) * hop / rate
        bits = encoded.payload_bits - encoded.side_bits
        assert encoded.side_bits == side_bits
        # The authors round to two digits behind the point, and a stream to whole bits.
        assert bits == pytest.approx(1000 * kbps * seconds, abs=5.1 * seconds + 1)
        check_length(codec.info, decoded, n_samples, rate, codec.info.output_sample_rate)
        # Another object has seen no wave: all that it knows is in the stream.
        np.testing.assert_array_equal(load(script, settings).decode(encoded), decoded)


@pytest.mark.parametrize(("script", "settings"), ALL)
def test_the_description_is_complete(load: Load, script: str, settings: str) -> None:
    codec = load(script, settings)
    told = codec._other.script.module.describe()
    assert set(told) >= NECESSARY
    assert all(told[name] for name in NECESSARY - {"weights_licence", "lookahead_samples"})
    # What is not known is said.
    assert told["weights_licence"] or "licence" in told["training_note"]
    assert told.get("training_data") or "training" in told["training_note"]
    assert len(codec.info.weights) == 1 + len(told["weights"])
    assert not codec._other.script.loaded


@pytest.mark.parametrize(("script", "settings"), ALL)
def test_what_is_decoded_follows_the_wave(load: Load, script: str, settings: str) -> None:
    codec = load(script, settings)
    quiet, loud = (
        through(codec, speech(codec.info.sample_rate, loud=loud))[1] for loud in (0.1, 0.6)
    )
    assert np.abs(loud).mean() > np.abs(quiet).mean()


@pytest.mark.parametrize(("script", "settings"), FLEXIBLE)
def test_flexicodec_counts_how_long_its_frames_last(load: Load, script: str, settings: str) -> None:
    codec = load(script, settings)
    books = 8 if "books=8" in settings else 1
    per_frame = 3 + 15 + 12 * (books - 1)
    for n_samples in (48017, 12800, 1, 1281):
        encoded, decoded = through(codec, speech(n_samples))
        n_frames = -(-n_samples // 1280)
        count = encoded.payload_bits // per_frame
        assert encoded.payload_bits == count * per_frame
        assert math.ceil(n_frames / 8) <= count <= n_frames
        assert (count == n_frames) == (books == 1 or n_frames == 1 or n_samples == 1281)
        check_length(codec.info, decoded, n_samples, 16000, 16000)
        np.testing.assert_array_equal(load(script, settings).decode(encoded), decoded)


def test_semanticodec_draws_the_same_numbers_again(load: Load) -> None:
    codec, other = (load("semanti_codec", f"seed={seed}") for seed in (0, 1))
    wave = speech(20000)
    encoded, decoded = through(codec, wave)
    np.testing.assert_array_equal(codec.decode(encoded), decoded)
    assert codec.info.stochastic
    assert codec.info.identity != other.info.identity
    assert not np.array_equal(through(other, wave)[1], decoded)


def test_absent_weights_are_named(put: Load) -> None:
    path = put("xy_codec")
    (path.parent / "weights/xy_tokenizer/xy_tokenizer.ckpt").unlink()
    with pytest.raises(Unavailable, match=r"not there: weights/xy_tokenizer/xy_tokenizer\.ckpt"):
        synbench_codecs.load("isolated", python=sys.executable, script=str(path))


@pytest.mark.slow
@pytest.mark.parametrize(("script", "settings"), ALL)
def test_in_a_process_of_its_own(put: Load, script: str, settings: str) -> None:
    path = put(script, settings)
    # The stand-ins lie beside this test; the packages' names are beside the script.
    shutil.copy(stand_ins.__file__, path.parent)
    codec = synbench_codecs.load(
        "isolated", python=sys.executable, script=str(path), settings=settings
    )
    encoded, decoded = through(codec, speech(codec.info.sample_rate))
    np.testing.assert_array_equal(codec.decode(encoded), decoded)
