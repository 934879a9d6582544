"""How much memory `synbench score` takes for a pair of 2.2 hours, metric by metric."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from cpu_of_children import synbench_command, used
from measured import Measured

HOURS, RATE = 2.2, 16000
MOST_GB = 1.0

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def long_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Noise in bursts like syllables, written minute by minute, and the same with noise added."""
    folder = tmp_path_factory.mktemp("long")
    paths = [folder / "reference.wav", folder / "degraded.wav"]
    generator, size = np.random.default_rng(0), 60 * RATE
    envelope = np.abs(np.sin(np.arange(size) * 9 / RATE)) + 0.05
    files = [soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") for path in paths]
    with files[0] as reference, files[1] as degraded:
        for _ in range(round(60 * HOURS)):
            wave = 0.1 * generator.standard_normal(size) * envelope
            reference.write(wave)
            degraded.write(wave + 0.01 * generator.standard_normal(size))
    return str(paths[0]), str(paths[1])


@pytest.mark.parametrize("column", ["si_sdr", "stoi", "log_spectral_distance", "mel_distance"])
def test_a_pair_of_hours(column: str, long_pair: tuple[str, str], measured: Measured) -> None:
    reference, degraded = long_pair
    words = ("--reference", reference, "--degraded", degraded, "--metrics", column)
    seconds, memory = used(synbench_command("score", *words))
    name = f"score of {HOURS} hours, {column}"
    measured.add("memory", name, memory=memory, CPU_seconds=seconds)
    assert memory < MOST_GB
