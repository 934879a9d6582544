"""Conditions that cannot be: every cell has a status and a reason; what a seed draws is frozen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas
import pytest
import soundfile

import synbench
from synbench.conditions.channel import flip_bits
from synbench.conditions.condition import read_conditions
from synbench.conditions.damage import damaged_input
from synbench.conditions.loss_pattern import lost_slots
from synbench_codecs import Encoded


def tone(seconds: float = 1.5) -> np.ndarray:
    time = np.arange(round(16000 * seconds)) / 16000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * time)) / 16000
    return np.asarray(0.05 * sum(np.sin(k * phase) / k for k in range(1, 15)))


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> pandas.DataFrame:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "speech").mkdir()
    soundfile.write(folder / "speech" / "a.wav", tone(), 16000, subtype="PCM_24")
    soundfile.write(folder / "silent.wav", np.zeros(16000), 16000)
    # A tone above the cut: nothing is left of it but what rounds to zero.
    suite = {
        "name": "bad",
        "corpora": [f"folder:path={folder / 'speech'}"],
        "codecs": ["opus:bitrate_bps=12000", "g722"],
        "metrics": ["si_sdr"],
        "failure_budget": "100%",
        "conditions": [
            "clean",
            {"noise": str(folder / "silent.wav"), "snr_db": 10},
            {"noise": "babble", "snr_db": 10},
            {"level_db": -80, "lowpass_hz": 50},
            {"resampled_from": 32000},
            {"channel": {"frame_loss": 1, "conceal": "codec"}},
            {"channel": {"frame_loss": 1}},
            {"channel": {"frame_loss": 1, "conceal": "zero"}},
            {"channel": {"bit_errors": 1}},
        ],
    }
    return synbench.run(suite, out=folder / "run", workers=0, quiet=True).scores()


def test_every_cell_has_a_status_and_every_failure_a_reason(scores: pandas.DataFrame) -> None:
    assert set(scores["status"]) <= {"ok", "failed", "not_applicable"}
    assert (scores["reason"][scores["status"] != "ok"].str.len() > 10).all()
    assert (scores["status"][scores["condition"] == ""] == "ok").all()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("silent 10 dB", "the noise is silent"),
        ("babble 10 dB", "babble needs utterances of other speakers"),
        ("from 32000 Hz", "below 16000 Hz"),
    ],
)
def test_what_cannot_be_done_to_the_input_is_said(
    scores: pandas.DataFrame, condition: str, said: str
) -> None:
    rows = scores[scores["condition"] == condition]
    assert len(rows) == 4  # two codecs, against the recording and against the input
    assert set(rows["status"]) == {"failed"}
    assert rows["reason"].str.contains(said).all()


def test_when_every_frame_is_lost_nothing_is_made_up(scores: pandas.DataFrame) -> None:
    rows = scores[scores["condition"].str.startswith("100 % loss") & (scores["codec"] != "G.722")]
    assert len(rows[rows["codec"].str.startswith("Opus")]) == 3
    for _, row in rows[rows["codec"].str.startswith("Opus")].iterrows():
        # Silence, or what zero bits decode to: no likeness of the speech, or no score at all.
        assert row["status"] != "ok" or row["value"] < -5


# Drawn once and kept: another machine, or a newer numpy, has to draw the same.
FROZEN = {
    "loss": "01975cc08450d29c",
    "bits": "778a8b26526c5055",
    "white": "bca7fc98963075db",
    "pink": "5c4e901da5f40e76",
}


def test_the_same_seed_gives_the_same_bytes_everywhere() -> None:
    draws = {
        "loss": lost_slots(60, loss=0.1, burst=2.5, draw=np.random.default_rng(7)).tobytes(),
        "bits": flip_bits(
            Encoded(
                spec="x", payload=bytes(500), payload_bits=4000, n_samples=16000, sample_rate=16000
            ),
            rate=0.01,
            draw=np.random.default_rng(7),
        ).encoded.payload,
    }
    for name in ("white", "pink"):
        (condition,) = read_conditions([{"noise": name, "snr_db": 10}], folder=Path())
        damaged = damaged_input(tone(), condition, sample_rate=16000, corpus="c", item="i")
        # To 12 bits, where no machine's last digit shows.
        draws[name] = np.round(damaged.wave * 2048).astype("<i2").tobytes()
    assert {name: hashlib.sha256(data).hexdigest()[:16] for name, data in draws.items()} == FROZEN
