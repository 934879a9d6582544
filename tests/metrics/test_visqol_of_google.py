"""ViSQOL against Google's own program, where the wheel that carries it loads."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

google = pytest.importorskip(
    "speequal.visqol",
    reason="pip install speequal==3.3.3.post1: Linux, CPython 3.12 or 3.14, glibc 2.39",
    exc_type=ImportError,
)

DATA = Path(__file__).parents[1] / "data"
PROGRAMS = {
    "visqol_speech_lattice": lambda *pair: google.speech(*pair, fs=16000, lattice=True),
    "visqol_speech_exp": lambda *pair: google.speech(*pair, fs=16000, lattice=False),
    "visqol_audio": lambda *pair: google.audio(*pair, fs=48000),
}


@pytest.mark.parametrize("name", ["noise", "coarse", "telephone"])
@pytest.mark.parametrize("column", PROGRAMS)
def test_the_score_is_that_of_the_program(column, name, available):
    metric = available(column)
    rate = metric.info.sample_rates[0]
    reference, degraded = (
        soxr.resample(soundfile.read(DATA / f"made_{each}.flac")[0], 16000, rate).clip(-1, 1)
        for each in ("reference", name)
    )
    value = metric.compute(reference=reference, degraded=degraded, sample_rate=rate)
    # Its own conformance tests allow as much.
    assert value == pytest.approx(PROGRAMS[column](reference, degraded), abs=1e-3)
    assert np.isfinite(value)
