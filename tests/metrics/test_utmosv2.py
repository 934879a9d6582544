"""UTMOSv2 against its authors' program: narrow, with drawn weights, on made speech."""

import functools
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

from synbench_metrics import load, score, score_batch, utmosv2  # noqa: E402
from synbench_metrics._efficientnet import EfficientNetLayout, EfficientNetStage  # noqa: E402
from synbench_metrics._torch import load_strictly  # noqa: E402
from synbench_metrics._utmosv2_model import Utmosv2, own_names  # noqa: E402
from synbench_metrics._wav2vec2 import Sizes  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
KNOWN = json.loads((DATA / "utmosv2.json").read_text())
SEED = 5  # of the script
FULL_SIZE = 204291304  # values that the authors' class has, those that BatchNorm counts included
NARROW = functools.partial(
    Utmosv2,
    speech=Sizes(hidden=32, inner=48, features=16, heads=4, layers=2, positions=16, groups=4),
    pictures=EfficientNetLayout(
        8,
        (
            EfficientNetStage("plain", 1, 8, 1, 1),
            EfficientNetStage("fused", 2, 8, 4, 2),
            EfficientNetStage("fused", 1, 16, 4, 2),
            EfficientNetStage("inverted", 2, 16, 4, 2),
            EfficientNetStage("inverted", 1, 24, 6, 1),
            EfficientNetStage("inverted", 2, 32, 6, 2),
        ),
        16,
    ),
)


@pytest.fixture(scope="module")
def published():
    """Drawn weights under the names of the published file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DATA))
        drawn_weights = importlib.import_module("drawn_weights").drawn_weights
    drawn = drawn_weights(KNOWN["shapes"], seed=SEED, gains={})
    state = {name: torch.from_numpy(value) for name, value in drawn.items()}
    counted = [name.replace("running_var", "num_batches_tracked") for name in state]
    return state | {name: torch.tensor(0) for name in counted if name not in state}


@pytest.fixture(scope="module")
def metric(published):
    network = load_strictly(NARROW, own_names(published), "utmosv2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utmosv2, "_network", lambda: network)
        yield load("utmosv2")


def made(name: str) -> np.ndarray:
    return soundfile.read(DATA / f"made_{name}.flac")[0]


def test_scores_are_those_of_the_authors_program(metric):
    together = score_batch(
        metric, degraded=[made(name) for name in KNOWN["scores"]], sample_rate=16000
    )
    values = [outcome.value for outcome in together]
    assert values == pytest.approx(list(KNOWN["scores"].values()), abs=2e-5)
    alone = score(metric, degraded=made("noise"), sample_rate=16000)
    assert alone == together[list(KNOWN["scores"]).index("noise")]


def test_what_is_quiet_for_long_is_cut():
    loud, quiet = np.full(100, 0.5), np.full(4801, 0.05)
    kept = utmosv2.loud_parts(np.concatenate([loud, quiet, loud, quiet[1:], loud, -loud]))
    assert kept.tolist() == [*loud, *loud, *quiet[1:], *loud, *-loud]


def test_a_wave_that_is_quiet_throughout_has_no_score(metric):
    outcome = score(metric, degraded=made("reference") / 10, sample_rate=16000)
    assert outcome.status == "not_applicable"
    assert "UTMOSv2 cuts all of it" in outcome.reason


def test_the_published_layout_has_the_published_size():
    with torch.device("meta"):
        values = sum(value.numel() for value in Utmosv2().state_dict().values())
    assert values == FULL_SIZE
