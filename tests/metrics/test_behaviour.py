"""What a change of level, polarity, delay or silence does to each of the columns."""

import numpy as np
import pytest

from synbench_metrics import score

INTRUSIVE = [
    "estoi",
    "log_spectral_distance",
    "mel_distance",
    "pesq_nb",
    "pesq_wb",
    "si_sdr",
    "stoi",
    "visqol_audio",
    "visqol_speech_exp",
    "visqol_speech_lattice",
]
TOLERANT = [name for name in INTRUSIVE if name.startswith(("pesq", "visqol"))]
LEVEL_BLIND = ["si_sdr", "stoi", "estoi"]


@pytest.fixture
def rated(available, synthetic):
    """Score a changed degraded wave of the synthetic pair."""

    def rate(name, change, *, of="degraded"):
        metric = available(name)
        pair = synthetic(metric.info.rate_for(16000))
        outcome = score(
            metric,
            reference=pair.reference,
            degraded=change(getattr(pair, of), pair.sample_rate),
            sample_rate=pair.sample_rate,
        )
        assert outcome.status == "ok", outcome.reason
        return outcome.value

    return rate


def unchanged(wave, _):
    return wave


def quieter(wave, _):
    """20 dB less."""
    return 0.1 * wave


def later(wave, sample_rate):
    """20 ms of delay, the end cut."""
    delay = sample_rate // 50
    return np.concatenate([np.zeros(delay), wave[:-delay]])


@pytest.mark.parametrize("name", LEVEL_BLIND)
def test_a_gain_does_not_matter(name, rated):
    assert rated(name, quieter) == pytest.approx(rated(name, unchanged), abs=1e-6)


@pytest.mark.parametrize("name", TOLERANT)
def test_a_gain_matters_little(name, rated):
    assert rated(name, quieter) == pytest.approx(rated(name, unchanged), abs=0.12)


@pytest.mark.parametrize("name", [name for name in INTRUSIVE if not name.startswith("pesq")])
def test_a_flipped_sign_is_not_noticed(name, rated):
    assert rated(name, lambda wave, _: -wave) == pytest.approx(rated(name, unchanged), abs=0.02)


@pytest.mark.parametrize("name", TOLERANT)
def test_a_delay_of_20_ms_is_forgiven(name, rated):
    assert rated(name, later) == pytest.approx(rated(name, unchanged), abs=0.3)


@pytest.mark.parametrize("name", ["stoi", "estoi"])
def test_a_delay_of_20_ms_costs_intelligibility(name, rated):
    assert rated(name, later, of="reference") < 0.9


def test_a_delay_of_20_ms_ruins_si_sdr(rated):
    assert rated("si_sdr", later, of="reference") < 0


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("pesq_wb", 4.6439),
        ("pesq_nb", 4.5486),
        ("stoi", 1.0),
        ("estoi", 1.0),
        ("log_spectral_distance", 0.0),
        ("mel_distance", 0.0),
        ("visqol_speech_exp", 5.0),
        ("visqol_audio", 4.7321),
    ],
)
def test_identity_has_the_best_score(name, best, rated):
    assert rated(name, unchanged, of="reference") == pytest.approx(best, abs=2e-4)


def test_identity_in_the_lattice_is_near_its_best(available, real):
    """Only for real speech: the network has learnt what speech is like."""
    wave = real.reference
    outcome = score(
        available("visqol_speech_lattice"), reference=wave, degraded=wave, sample_rate=16000
    )
    assert 4.5 < outcome.value < 4.67


def test_dropped_blocks_cost(rated):
    def drop(wave, sample_rate):
        blocks = np.arange(wave.size) // (sample_rate // 20) % 10
        return np.where(blocks == 3, 0.0, wave)

    for name in INTRUSIVE:
        if name in {"si_sdr", "log_spectral_distance", "mel_distance"}:
            continue
        assert rated(name, drop, of="reference") < rated(name, unchanged, of="reference"), name


def test_a_reference_without_an_utterance_has_no_pesq(available, synthetic):
    """One click: the model finds nobody speaking."""
    degraded = synthetic(16000).degraded[8000:24000]
    click = np.zeros_like(degraded)
    click[0] = 1.0
    outcome = score(available("pesq_nb"), reference=click, degraded=degraded, sample_rate=16000)
    assert outcome.status == "not_applicable"
    assert "no utterance" in outcome.reason


@pytest.mark.parametrize("name", ["stoi", "estoi"])
def test_too_few_active_frames_have_no_intelligibility(name, available, synthetic):
    """A tenth of a second of speech in two seconds of near silence."""
    pair = synthetic(16000)
    wave = np.zeros(32000)
    wave[8000:9600] = pair.reference[1600:3200]
    outcome = score(available(name), reference=wave, degraded=wave, sample_rate=16000)
    assert outcome.status == "not_applicable"
    assert "active frames" in outcome.reason


def test_noise_alone_is_not_intelligible(available, synthetic):
    """A small value is a value, not a missing one."""
    pair = synthetic(16000)
    noise = 0.1 * np.random.default_rng(5).standard_normal(pair.reference.size)
    outcome = score(available("estoi"), reference=pair.reference, degraded=noise, sample_rate=16000)
    assert outcome.status == "ok"
    assert abs(outcome.value) < 0.1


def test_estoi_of_a_wave_with_a_silent_stretch_is_repeatable(available, synthetic):
    pair = synthetic(16000)
    degraded = pair.degraded.copy()
    degraded[: degraded.size // 2] = 0.0
    values = {
        score(
            available("estoi"), reference=pair.reference, degraded=degraded, sample_rate=16000
        ).value
        for _ in range(3)
    }
    assert len(values) == 1


@pytest.mark.parametrize("name", [n for n in INTRUSIVE if n.startswith("visqol")])
def test_visqol_never_scores_silence(name, available, synthetic):
    """Below the shared checks as well: another port gives a silent reference 4.7."""
    from synbench_metrics import NotApplicable

    metric = available(name)
    pair = synthetic(metric.info.sample_rates[0])
    silence = np.zeros_like(pair.reference)
    for reference, degraded in ((silence, pair.degraded), (pair.reference, silence)):
        with pytest.raises(NotApplicable, match="silent"):
            metric.compute(reference=reference, degraded=degraded, sample_rate=pair.sample_rate)
