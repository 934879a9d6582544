"""NISQA against torchmetrics' port of it, on made weights and made waves."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

from synbench_metrics import _remember, load, nisqa, score, score_batch  # noqa: E402
from synbench_metrics._nisqa_model import Nisqa  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
KNOWN = json.loads((DATA / "nisqa.json").read_text())["opinions"]


@pytest.fixture(scope="module")
def made() -> Any:
    """The script's waves and weights, without the packages that it compares with."""
    source = (DATA / "make_nisqa.py").read_text()
    source = source.replace("from torchmetrics.functional.audio import nisqa\n", "")
    spec = importlib.util.spec_from_loader("make_nisqa", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(DATA / "make_nisqa.py")
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


@pytest.fixture
def weights(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shapes = {name: tuple(value.shape) for name, value in Nisqa().state_dict().items()}
    path = tmp_path / "nisqa.tar"
    torch.save({"args": {}, "model_state_dict": made.made_state(shapes)}, path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_NISQA", str(path))
    nisqa._network.cache_clear()
    _remember.forget()
    yield path
    nisqa._network.cache_clear()


@pytest.mark.parametrize("seconds", KNOWN)
def test_five_opinions_equal_those_of_torchmetrics(made: Any, weights: Path, seconds: str) -> None:
    wave = made.made_wave(float(seconds))
    for name, expected in zip(nisqa.COLUMNS, KNOWN[seconds], strict=True):
        metric = load(f"nisqa_{name}")
        metric.check()
        outcome = score(metric, degraded=wave, sample_rate=48000)
        assert outcome.value == pytest.approx(expected, abs=2e-5)


def test_waves_side_by_side_have_the_scores_of_each(made: Any, weights: Path) -> None:
    waves = [made.made_wave(0.5), made.made_wave(0.5)[::-1] * 0.1]
    metric = load("nisqa_mos")
    together = score_batch(metric, degraded=waves, sample_rate=48000)
    _remember.forget()
    single = [score(metric, degraded=wave, sample_rate=48000).value for wave in waves]
    assert [each.value for each in together] == single
    assert single[0] != single[1]


def test_a_wave_beyond_the_network_has_no_score(weights: Path) -> None:
    outcome = score(load("nisqa_mos"), degraded=np.zeros(53 * 48000) + 0.1, sample_rate=48000)
    assert outcome.status == "not_applicable"
    assert "use shorter items" in outcome.reason


def test_a_file_of_another_network_is_refused(weights: Path) -> None:
    torch.save({"model_state_dict": {"cnn.model.conv1.weight": torch.zeros(3)}}, weights)
    outcome = score(load("nisqa_mos"), degraded=np.ones(48000) * 0.1, sample_rate=48000)
    assert outcome.status == "failed"
    assert "no checkpoint of nisqa" in outcome.reason
