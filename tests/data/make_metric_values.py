"""Writes made speech, what became of it, and what other people's programs say of the pairs.

    pip install pesq==0.0.4 pystoi==0.4.1 visqol-python==3.8.0 jiwer==4.0.0 torch soundfile scipy
    pip install speechmos==0.0.1.1 Resemblyzer==0.1.4
    python tests/data/make_metric_values.py

``metric_values.csv`` names the program behind every number. The waves are kept beside it, so that
nothing depends on how a later numpy draws; nobody's voice is in them.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import pesq
import pystoi
import soundfile
import torch
from numpy.typing import NDArray
from resemblyzer import VoiceEncoder
from scipy.signal import butter, sosfilt
from speechmos import dnsmos
from visqol import VisqolApi

HERE = Path(__file__).parent
RATE = 16000
RESOLUTIONS = ((512, 240, 50), (1024, 600, 120), (2048, 1200, 240))  # points, window, hop
TEXTS = (
    ("the boat was green", "the boat was green"),
    ("the boat was green", "a boat is green"),
    ("she had your dark suit", "she had dark"),
    ("in greasy wash water", "in the greasy wash water all year"),
    ("one", ""),
)
Wave = NDArray[np.float64]


def speech() -> Wave:
    """Two and a half seconds: a gliding voice through three formants, in syllables, and breath."""
    time = np.arange(round(2.5 * RATE)) / RATE
    pitch = 130 + 30 * np.sin(2 * np.pi * 0.6 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = np.zeros_like(time)
    for harmonic in range(1, 50):
        frequency = harmonic * pitch
        formants = ((550, 1.0), (1600, 0.5), (2600, 0.3))
        gain = sum(weight / (1 + ((frequency - at) / 130) ** 2) for at, weight in formants)
        voice += gain * np.sin(harmonic * phase) * (frequency < 7200)
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time), 0, None) ** 0.5
    breath = np.random.default_rng(3).standard_normal(time.size)
    gaps = np.clip(-np.sin(2 * np.pi * 2.1 * time), 0, None) ** 4
    wave = syllables * voice / np.abs(voice).max() + (0.003 + 0.05 * gaps) * breath
    return 0.5 * wave / np.abs(wave).max()


def degraded(reference: Wave) -> dict[str, Wave]:
    """By name: noise at 15 dB, six bits a sample, and a telephone's band at half the level."""
    noise = np.random.default_rng(4).standard_normal(reference.size)
    noise *= np.sqrt(np.mean(reference**2) / np.mean(noise**2)) * 10 ** (-15 / 20)
    band = butter(4, (300, 3400), btype="bandpass", fs=RATE, output="sos")
    return {
        "noise": np.clip(reference + noise, -1, 1),
        "coarse": np.round(reference * 32) / 32,
        "telephone": 0.5 * sosfilt(band, reference),
    }


def si_sdr(reference: Wave, decoded: Wave) -> float:
    """As Le Roux et al. (2019) define it, dB; means are removed, as is usual."""
    target, estimate = reference - reference.mean(), decoded - decoded.mean()
    target = target * (estimate @ target) / (target @ target)
    return float(10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target))))


def mrstft(reference: Wave, decoded: Wave) -> float:
    """As Yamamoto et al. (2020): convergence and log magnitude, the mean of three resolutions."""
    losses = []
    for points, length, hop in RESOLUTIONS:
        window = torch.hann_window(length, dtype=torch.float64)
        first, second = (
            torch.stft(torch.from_numpy(wave), points, hop, length, window, return_complex=True)
            .abs()
            .pow(2)
            .clamp_min(1e-8)
            .sqrt()
            for wave in (reference, decoded)
        )
        convergence = torch.linalg.norm(first - second) / torch.linalg.norm(first)
        losses.append(float(convergence + (first.log() - second.log()).abs().mean()))
    return sum(losses) / len(losses)


def visqol(*, lattice: bool) -> VisqolApi:
    api = VisqolApi()
    api.create(mode="speech", use_lattice_model=lattice)
    return api


def similarity(reference: Wave, decoded: Wave) -> float:
    """Cosine of two embeddings, which have length one; nothing is cut out of the waves."""
    encoder = VoiceEncoder("cpu", verbose=False)
    first, second = (encoder.embed_utterance(np.float32(wave)) for wave in (reference, decoded))
    return float(first @ second)


def values(reference: Wave, decoded: Wave) -> Iterator[tuple[str, float, str]]:
    """Column, value, and the program that gave it."""
    for mode in ("wb", "nb"):
        yield f"pesq_{mode}", pesq.pesq(RATE, reference, decoded, mode), "pesq 0.0.4"
    for column, extended in (("stoi", False), ("estoi", True)):
        np.random.seed(0)  # it adds noise far below rounding
        yield column, pystoi.stoi(reference, decoded, RATE, extended=extended), "pystoi 0.4.1"
    for column, lattice in (("visqol_speech_exp", False), ("visqol_speech_lattice", True)):
        measured = visqol(lattice=lattice).measure_from_arrays(reference, decoded, RATE)
        yield column, measured.moslqo, "visqol-python 3.8.0"
    opinions = dnsmos.run(decoded, RATE)
    for name in ("ovrl", "sig", "bak", "p808"):
        yield f"dnsmos_{name}", opinions[f"{name}_mos"], "speechmos 0.0.1.1"
    yield "sim_resemblyzer", similarity(reference, decoded), "Resemblyzer 0.1.4"
    yield "si_sdr", si_sdr(reference, decoded), "its formula in numpy"
    yield "mrstft_distance", mrstft(reference, decoded), f"torch.stft {torch.__version__}"


def write_rows(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def main() -> None:
    """Write the waves and both tables."""
    logging.disable()
    waves = {"reference": speech()}
    waves |= degraded(waves["reference"])
    for name, wave in waves.items():
        soundfile.write(HERE / f"made_{name}.flac", wave, RATE, subtype="PCM_16")
    kept = {name: soundfile.read(HERE / f"made_{name}.flac")[0] for name in waves}
    reference = kept.pop("reference")
    rows: list[tuple[object, ...]] = [
        (column, name, f"{float(value):.12g}", program)
        for name, wave in kept.items()
        for column, value, program in values(reference, wave)
    ]
    write_rows(HERE / "metric_values.csv", ("column", "degraded", "value", "program"), rows)
    errors: list[tuple[object, ...]] = []
    for said, heard in TEXTS:
        words = jiwer.process_words(said, heard)
        letters = jiwer.process_characters(said, heard)
        errors.append((said, heard, f"{words.wer:.12g}", f"{letters.cer:.12g}"))
    write_rows(HERE / "word_values.csv", ("reference", "hypothesis", "wer", "cer"), errors)


if __name__ == "__main__":
    main()
