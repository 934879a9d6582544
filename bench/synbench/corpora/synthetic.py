"""Speech made by espeak-ng, for a machine that has no recordings and no network."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from synbench.cache import build_once
from synbench.corpora import _espeak
from synbench.corpora._model import Listing, Progress
from synbench.corpora._places import downloads_folder
from synbench.corpora._scan import read_text
from synbench.corpora._sentences import SENTENCES
from synbench.corpora.manifest import manifest
from synbench.errors import EnvironmentFault
from synbench_base.packages import install, pip_install

RECIPE_VERSION = 1  # raise it when anything below changes the samples
SAMPLE_RATE = 16000
LEVEL_DB = -26.0  # root mean square of each file, dB of full scale
HIGHEST_PEAK = 0.99

# espeak-ng voice and variant, pitch and its range (0 to 100), words per minute. Variants with
# breath (f2, f3, f5) are left out: espeak-ng seeds their noise with the time of day.
SPEAKERS = (
    ("en-us+m1", 45, 50, 165),
    ("en-us+f1", 55, 60, 175),
    ("en-gb-scotland+m3", 40, 45, 160),
    ("en-gb-x-rp+f4", 60, 50, 170),
    ("en-029+m7", 35, 55, 150),
    ("en-us+belinda", 50, 40, 190),
    ("en-gb-x-gbclan+m2", 50, 65, 185),
    ("en-gb-x-gbcwmd+linda", 45, 50, 155),
)

__all__ = ["CORPORA", "synthetic"]


def synthetic(_: Progress | None = None) -> Listing:
    """40 sentences by 8 voices of espeak-ng, 16 kHz, made once: no real recordings.

    Good for trying out a pipeline; scores say nothing about real speech. The samples depend on
    the version of espeak-ng, and so does the corpus digest.

    Raises:
        EnvironmentFault: the package espeakng-loader is absent or its library does not run.
    """
    library, data, release = _espeak_files()
    folder = build_once(
        downloads_folder() / f"synthetic-{RECIPE_VERSION}-espeakng-loader-{release}",
        lambda target: _make(library, data, target),
    )
    listing = manifest(path=str(folder / "manifest.csv"))
    spoken_by = read_text(folder / "espeak-ng.txt")
    return Listing(
        name="synthetic",
        entries=listing.entries,
        where=listing.where,
        spec="synthetic",
        licence="public domain sentences, synthesised",
        note=f"SYNTHETIC SPEECH (espeak-ng {spoken_by}): not real recordings, "
        f"scores say nothing about real speech",
    )


def _espeak_files() -> tuple[str, str, str]:
    try:
        import espeakng_loader

        return (
            espeakng_loader.get_library_path(),
            espeakng_loader.get_data_path(),
            version("espeakng-loader"),
        )
    except (ImportError, RuntimeError) as error:
        raise EnvironmentFault(
            f"corpus 'synthetic' needs espeak-ng: {error}; type: {install('synthetic')}"
        ) from error


def _lines() -> list[dict[str, Any]]:
    lines = []
    for number, text in enumerate(SENTENCES):
        voice, pitch, spread, speed = SPEAKERS[number % len(SPEAKERS)]
        file = f"{voice.replace('+', '-')}_{number:02d}.wav"
        line = {"file": file, "text": text, "voice": voice}
        lines.append(line | {"pitch": pitch, "range": spread, "speed": speed})
    return lines


def _make(library: str, data: str, folder: Path) -> None:
    lines = _lines()
    with tempfile.TemporaryDirectory() as spoken:
        (folder / "espeak-ng.txt").write_text(_speak(library, data, spoken, lines))
        for line in lines:
            _finish(Path(spoken, line["file"]), folder)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "speaker", "transcript"])
        for line in lines:
            name = Path(line["file"]).with_suffix(".flac")
            table.writerow([name, name.stem.rpartition("_")[0], line["text"]])


def _speak(library: str, data: str, target: str, lines: list[dict[str, Any]]) -> str:
    """The version of espeak-ng that spoke."""
    done = subprocess.run(
        [sys.executable, "-I", _espeak.__file__, library, data, target],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EnvironmentFault(
            f"espeak-ng ended with {done.returncode}: {done.stderr.strip() or 'no message'}; "
            f"{pip_install('--force-reinstall espeakng-loader')}"
        )
    return done.stdout.strip()


def _finish(spoken: Path, folder: Path) -> None:
    import numpy as np

    from synbench.audio import read_audio, resample, write_audio

    audio = read_audio(spoken)
    wave = resample(audio.wave, sample_rate=audio.sample_rate, to=SAMPLE_RATE)
    gain = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(wave**2))
    gain = min(gain, HIGHEST_PEAK / np.abs(wave).max())
    write_audio(folder / f"{spoken.stem}.flac", wave * gain, sample_rate=SAMPLE_RATE)


CORPORA = {"synthetic": synthetic}
