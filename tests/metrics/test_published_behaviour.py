"""What level, delay, padding and length do to each score, in the numbers that are known for it.

The audio is that of the expected values. A failure here means that a column is not what its name
says, or that the material was touched on its way.
"""

import numpy as np
import pytest
import soundfile

from synbench_metrics import score


@pytest.fixture
def speech(truth_folder) -> np.ndarray:
    """Read speech, 16 kHz."""
    return soundfile.read(truth_folder / "audio" / "synthetic" / "speech__reference.flac")[0]


@pytest.fixture
def rate(available):
    def rate(name, reference, degraded, sample_rate=16000):
        outcome = score(
            available(name), reference=reference, degraded=degraded, sample_rate=sample_rate
        )
        assert outcome.status == "ok", outcome.reason
        return outcome.value

    return rate


def late(wave: np.ndarray, milliseconds: int) -> np.ndarray:
    """Delayed at 16 kHz, the end cut."""
    delay = 16 * milliseconds
    return np.concatenate([np.zeros(delay), wave[:-delay]])


@pytest.mark.parametrize(
    ("name", "milliseconds", "expected", "tolerance"),
    [
        # PESQ aligns, but not without loss.
        ("pesq_wb", 10, 4.57, 0.07),
        ("pesq_wb", 20, 4.55, 0.07),
        ("pesq_wb", 100, 4.35, 0.25),
        ("pesq_wb", 500, 2.30, 1.0),
        # STOI does not align at all: 20 ms cost 0.26 to 0.31.
        ("stoi", 20, 0.715, 0.03),
        # ViSQOL aligns: within 0.07 of the identity's 5.
        ("visqol_speech_exp", 20, 5.0, 0.07),
    ],
)
def test_a_delay(name, milliseconds, expected, tolerance, speech, rate):
    assert rate(name, speech, late(speech, milliseconds)) == pytest.approx(expected, abs=tolerance)


def test_a_delay_of_20_ms_sends_si_sdr_below_minus_17_db(speech, rate):
    assert -57 < rate("si_sdr", speech, late(speech, 20)) < -17


@pytest.mark.parametrize("name", ["pesq_wb", "stoi", "visqol_speech_exp", "visqol_speech_lattice"])
def test_20_db_less_cost_under_0_12(name, speech, rate):
    change = rate(name, speech, 0.1 * speech) - rate(name, speech, speech)
    assert abs(change) < 0.12


@pytest.mark.parametrize("name", ["stoi", "estoi", "visqol_speech_exp", "si_sdr"])
def test_a_flipped_sign_costs_nothing(name, speech, rate):
    noisy = (speech + 0.01 * np.random.default_rng(0).standard_normal(speech.size)).clip(-1, 1)
    flipped, plain = (rate(name, speech, sign * noisy) for sign in (-1, 1))
    assert flipped == pytest.approx(plain, abs=1e-6 if name != "visqol_speech_exp" else 0.02)


def test_corrigendum_2_moves_clipped_speech_by_1_3(available, speech, rate):
    """Two versions of one standard: never in one column."""
    available("pesq_wb_c2")
    clipped = np.clip(speech, -0.2 * np.max(np.abs(speech)), 0.2 * np.max(np.abs(speech)))
    first, second = (rate(name, speech, clipped) for name in ("pesq_wb", "pesq_wb_c2"))
    assert first == pytest.approx(1.61, abs=0.02)
    assert second == pytest.approx(2.92, abs=0.02)


def test_the_mode_of_visqol_moves_a_score_by_two_points(speech, rate):
    """4-bit mu-law: 1.34 by the lattice, 3.77 by the exponential."""
    peak = np.max(np.abs(speech))
    curve = np.sign(speech) * np.log1p(255 * np.abs(speech) / peak) / np.log(256)
    steps = np.round((curve + 1) * 7.5) / 7.5 - 1
    coarse = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * peak
    assert rate("visqol_speech_lattice", speech, coarse) == pytest.approx(1.34, abs=0.03)
    assert rate("visqol_speech_exp", speech, coarse) == pytest.approx(3.77, abs=0.02)


@pytest.mark.parametrize(
    ("name", "seconds", "status"),
    [
        ("pesq_wb", 0.24, "not_applicable"),
        ("pesq_wb", 0.5, "ok"),
        ("visqol_speech_exp", 0.5, "not_applicable"),
        ("visqol_speech_exp", 0.75, "ok"),
        ("stoi", 0.3, "not_applicable"),
    ],
)
def test_the_shortest_clips(name, seconds, status, available, speech):
    """A short clip is a status; a library would raise, or return 1e-5 with a warning."""
    clip = speech[12000 : 12000 + round(16000 * seconds)]
    outcome = score(available(name), reference=clip, degraded=clip, sample_rate=16000)
    assert outcome.status == status
    assert (outcome.value is None) == (status != "ok")


HEARD = {
    "dnsmos_ovrl": ("degraded",),
    **dict.fromkeys(
        ("pesq_wb", "stoi", "estoi", "visqol_speech_exp", "si_sdr"), ("reference", "degraded")
    ),
}


@pytest.mark.parametrize(
    ("name", "silent"), [(name, wave) for name, waves in HEARD.items() for wave in waves]
)
def test_silence_has_no_score(name, silent, available, speech):
    """Elsewhere: 4.71 (ViSQOL), a random number (ESTOI), 1.84 (DNSMOS), an exception (PESQ)."""
    metric = available(name)
    waves = {"reference": speech, "degraded": speech} | {silent: np.zeros_like(speech)}
    outcome = score(metric, **waves, sample_rate=16000)
    assert (outcome.status, outcome.value) == ("failed", None)
    assert f"{silent} is digitally silent" in outcome.reason
