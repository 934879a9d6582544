"""A teacher that is taught what a recogniser hears."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synbench_codecs.errors import UsageError

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("accelerate", reason="pip install 'synbench[torch]'")

from synbench_codecs._mdct.information import training_note  # noqa: E402
from synbench_codecs._mdct.trained_model import read_model  # noqa: E402
from synbench_codecs._mdct_training.journal import read_curves  # noqa: E402
from synbench_codecs._mdct_training.recogniser import (  # noqa: E402
    FeatureTrack,
    RecogniserHead,
)
from synbench_codecs._mdct_training.speech_store import SpeechStore  # noqa: E402

from .test_training import TEACHER, assert_equal, speech, teach, tensors  # noqa: E402, F401

TAUGHT = TEACHER + "recogniser: {weight: 2.0, channels: 8}\n"


def find_features(wave: Any, sample_rate: int) -> Any:
    """Level, and crossings of zero, every 20 ms."""
    step = sample_rate // 50
    rows = np.pad(wave, (0, -wave.size % step)).reshape(-1, step)
    crossings = np.abs(np.diff(np.signbit(rows), axis=1)).sum(1)
    return np.stack([rows.std(1), crossings / step, rows.mean(1)], 1).astype(np.float32)


def test_features_are_read_in_the_middles_of_the_tokens() -> None:
    """Of a feature that is the time itself, also between frames and in the second utterance."""
    starts = np.array([0, 3300, 3300 + 6400])
    store = SpeechStore(np.zeros(9700, np.int16), starts, ("a", "b"), 16000, "digest")
    counts = -(-np.diff(starts) // 320)
    middle = np.concatenate([320 * (np.arange(count) + 0.5) for count in counts])
    utterance = np.repeat([0.0, 1.0], counts)
    track = FeatureTrack(np.stack([middle, 4000 * utterance], 1).astype(np.float16), store)
    begin = np.array([0, 480, 3300 + 1000])
    read = track.of_tokens(begin, tokens=5, hop=320)
    assert read.shape == (3, 2, 5)
    values = read * track.deviation[:, None] + track.mean[:, None]
    wanted = (begin - [0, 0, 3300])[:, None] + 320 * (np.arange(5) + 0.5)
    np.testing.assert_allclose(values[:, 0], wanted, atol=4)
    np.testing.assert_allclose(values[:, 1] / 4000, [[0] * 5, [0] * 5, [1] * 5], atol=1e-3)


def test_a_taught_run_resumes_as_if_it_had_not_stopped(
    speech: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    straight = teach(speech, tmp_path / "straight", TAUGHT, find_features=find_features)
    teach(speech, tmp_path / "run", TAUGHT, find_features=find_features, steps=4)
    assert_equal(teach(speech, tmp_path / "run", TAUGHT, find_features=find_features), straight)
    curves = read_curves(straight.parent / "curves.csv")
    assert all(0 < value < 2 for _, name, value in curves if name == "recogniser")
    assert "recogniser" in {name for step, name, _ in curves if step == 6}
    assert "words taught by a recogniser" in training_note(read_model(straight).header)
    # Whoever trains it further still owes its words to the recogniser.
    further = teach(
        speech, tmp_path / "further", TEACHER + "decoder_only: true\n", straight, steps=1
    )
    assert "words taught by a recogniser" in training_note(read_model(further).header)
    # The encoder was taught otherwise than without, and the head stays with the run.
    plain = tensors(teach(speech, tmp_path / "plain", TEACHER))
    taught = tensors(straight)
    assert taught.keys() == plain.keys()
    assert any(not torch.equal(taught[name], plain[name]) for name in taught if "encoder" in name)


def test_a_recogniser_weight_wants_features_and_an_encoder(
    speech: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="find_features"):
        teach(speech, tmp_path / "none", TAUGHT)
    first = teach(speech, tmp_path / "first", TAUGHT, find_features=find_features, steps=1)
    alone = TAUGHT + "decoder_only: true\n"
    with pytest.raises(UsageError, match="an encoder to teach"):
        teach(speech, tmp_path / "alone", alone, first, find_features=find_features)
    slow = lambda wave, rate: find_features(wave, rate)[::2]  # noqa: E731
    for kept in (speech / "cache").glob("*.features.npy"):
        kept.unlink()
    # What cannot be taught is refused before hours of speech are recognised.
    never = lambda wave, rate: pytest.fail("recognised")  # noqa: E731
    with pytest.raises(UsageError, match="an encoder to teach"):
        teach(speech, tmp_path / "early", alone, first, find_features=never)
    with pytest.raises(UsageError, match="one row every 20 ms"):
        teach(speech, tmp_path / "slow", TAUGHT, find_features=slow)


def test_a_head_learns_what_the_latent_holds() -> None:
    torch.manual_seed(0)
    head = RecogniserHead(2, channels=16, size=3)
    optimiser = torch.optim.Adam(head.parameters(), 1e-2)
    latent = torch.randn(8, 2, 50)
    wanted = torch.stack([latent[:, 0], latent[:, 1], latent[:, 0] * latent[:, 1]], 1)
    for _ in range(150):
        optimiser.zero_grad()
        loss = 1 - torch.nn.functional.cosine_similarity(head(latent), wanted, dim=1).mean()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.1
