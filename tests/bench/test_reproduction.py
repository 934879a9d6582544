"""Every number of a real matrix, once more by direct calls to the libraries.

The script beside a number is a few lines: read the two files, call the package. ViSQOL's packages
differ from the reference program, which is why its columns have code of their own: here they are
called directly on the two files, and tests/metrics holds them to the reference program's values.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile
import yaml

ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT.parent / "shared" / "speech16"
RATE = 16000
ITEMS = 40
CODECS = [
    "lowpass-3k5",
    "opus:bitrate_bps=6000",
    "opus:bitrate_bps=12000",
    "opus:bitrate_bps=24000",
    "amr-nb:bitrate_bps=12200",
    "codec2:bitrate_bps=3200",
    "codec2:bitrate_bps=1300",
    "codec2:bitrate_bps=700",
    "g722",
]
METRICS = [
    "pesq_wb",
    "pesq_nb",
    "stoi",
    "estoi",
    "si_sdr",
    "mel_distance",
    "log_spectral_distance",
    "visqol_speech_lattice",
    "visqol_speech_exp",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(9000)]
Wave = np.ndarray


def pesq_wb(reference: Wave, degraded: Wave) -> float:
    from pesq import pesq

    return float(pesq(RATE, reference, degraded, "wb"))


def pesq_nb(reference: Wave, degraded: Wave) -> float:
    from pesq import pesq

    return float(pesq(RATE, reference, degraded, "nb"))


def stoi(reference: Wave, degraded: Wave) -> float:
    from pystoi import stoi

    return float(stoi(reference, degraded, RATE, extended=False))


def estoi(reference: Wave, degraded: Wave) -> float:
    from pystoi import stoi

    return float(stoi(reference, degraded, RATE, extended=True))


def si_sdr(reference: Wave, degraded: Wave) -> float:
    target, estimate = reference - reference.mean(), degraded - degraded.mean()
    target = target * (estimate @ target) / (target @ target)
    return float(10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target))))


def log_spectral_distance(reference: Wave, degraded: Wave) -> float:
    import scipy.signal

    window = scipy.signal.get_window("hann", 512)
    levels = []
    for wave in (reference, degraded):
        starts = range(0, wave.size - 511, 128)
        spectra = np.array([np.fft.rfft(window * wave[start : start + 512]) for start in starts])
        power = (2 * np.abs(spectra) / window.sum()) ** 2
        levels.append(10 * np.log10(np.maximum(power, 1e-10)))
    return float(np.sqrt(((levels[0] - levels[1]) ** 2).mean(axis=1)).mean())


def mel_edges() -> Wave:
    """Slaney's scale from 0 to 8 kHz: 15 mel at 1 kHz, then 27 for every factor of 6.4."""
    top = 15 + 27 * np.log(8) / np.log(6.4)
    return np.array(
        [
            mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
            for mel in np.linspace(0, top, 82)
        ]
    )


def mel_distance(reference: Wave, degraded: Wave) -> float:
    import scipy.signal

    window, edges = scipy.signal.get_window("hann", 1024), mel_edges()
    bins = np.arange(513) * RATE / 1024
    filters = np.array(
        [
            np.interp(bins, edges[band : band + 3], [0, 2 / (edges[band + 2] - edges[band]), 0])
            for band in range(80)
        ]
    )
    levels = []
    for wave in (reference, degraded):
        starts = range(0, wave.size - 1023, 256)
        spectra = [np.abs(np.fft.rfft(window * wave[start : start + 1024])) for start in starts]
        levels.append(np.log(np.maximum(np.array(spectra) @ filters.T, 1e-5)))
    return float(np.abs(levels[0] - levels[1]).mean())


def direct(column: str) -> Callable[[Wave, Wave], float]:
    import synbench_metrics

    compute = synbench_metrics.load(column).compute
    return lambda reference, degraded: compute(
        reference=reference, degraded=degraded, sample_rate=RATE
    )


INDEPENDENT: dict[str, tuple[Callable[[Wave, Wave], float], float]] = {
    "pesq_wb": (pesq_wb, 1e-12),
    "pesq_nb": (pesq_nb, 1e-12),
    "stoi": (stoi, 1e-9),
    # The package adds noise of machine precision to its frames.
    "estoi": (estoi, 1e-9),
    "si_sdr": (si_sdr, 1e-9),
    "log_spectral_distance": (log_spectral_distance, 1e-9),
    "mel_distance": (mel_distance, 1e-9),
    "visqol_speech_lattice": (direct("visqol_speech_lattice"), 1e-9),
    "visqol_speech_exp": (direct("visqol_speech_exp"), 1e-9),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not SPEECH.is_dir():
        pytest.skip(f"needs the real speech in {SPEECH.parent.name}/{SPEECH.name}")
    folder = tmp_path_factory.mktemp("matrix")
    suite = {
        "name": "matrix",
        "corpora": [{"corpus": "folder", "options": {"path": str(SPEECH)}, "limit": ITEMS}],
        "codecs": CODECS,
        "metrics": METRICS,
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    command = [sys.executable, "-m", "synbench", "run", str(folder / "suite.yaml")]
    done = subprocess.run(
        [*command, "--out", str(folder / "run")], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


def table(folder: Path, stage: str) -> list[dict[str, Any]]:
    files = sorted((folder / stage).glob("*.parquet"))
    return [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]


def read(path: Path) -> Wave:
    wave, rate = soundfile.read(path, dtype="float64")
    assert rate == RATE
    return np.asarray(wave)


def recording(row: dict[str, Any]) -> Path:
    """The file of an item; a run names it relative to its corpus."""
    (path,) = (path for path in SPEECH.rglob("*") if path.as_posix().endswith(f"/{row['path']}"))
    return path


def test_every_score_again(run: Path) -> None:
    listed = pyarrow.parquet.read_table(run / "items.parquet").to_pylist()
    items = {row["item"]: row for row in listed}
    decoded = {(row["codec"], row["item"]): row for row in table(run, "decodes")}
    rows = table(run, "scores")
    cells = {(row["codec"], row["item"], row["metric"]) for row in rows}
    assert cells == {(c, i, m) for c in CODECS for i in items for m in METRICS}
    assert len(rows) == len(cells) == ITEMS * len(CODECS) * len(METRICS)
    assert {row["status"] for row in rows} == {"ok"}, {row["reason"] for row in rows}
    worst = dict.fromkeys(INDEPENDENT, 0.0)
    again: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        function, tolerance = INDEPENDENT[row["metric"]]
        reference = read(recording(items[row["item"]]))
        degraded = read(run / decoded[row["codec"], row["item"]]["reconstruction"])
        assert reference.shape == degraded.shape
        value = function(reference, degraded)
        again.setdefault((row["codec"], row["metric"]), []).append(value)
        difference = abs(value - row["value"])
        worst[row["metric"]] = max(worst[row["metric"]], difference)
        assert difference <= tolerance, (row["codec"], row["item"], row["metric"], difference)
    print(f"\n{len(rows)} scores again, largest differences {worst}")
    exported = export(run)
    for (codec, metric), values in again.items():
        cell = exported[codec, metric]
        assert (cell["n_scored"], cell["n_failed"], cell["n_missing"]) == (str(ITEMS), "0", "0")
        assert float(cell["mean"]) == pytest.approx(np.mean(values), abs=1e-8), (codec, metric)


def test_every_bit_rate_again(run: Path) -> None:
    """The payload column, from the size of each stream's payload alone."""
    from synbench_codecs import read_stream

    exported = export(run)
    listed = pyarrow.parquet.read_table(run / "items.parquet").to_pylist()
    seconds = {row["item"]: soundfile.info(recording(row)).duration for row in listed}
    spent: dict[str, list[tuple[int, float]]] = {}
    for row in table(run, "decodes"):
        encoded = read_stream((run / row["bitstream"]).read_bytes())
        assert -(-encoded.payload_bits // 8) == len(encoded.payload)
        spent.setdefault(row["codec"], []).append((encoded.payload_bits, seconds[row["item"]]))
    for codec, pairs in spent.items():
        bits, duration = map(sum, zip(*pairs, strict=True))
        kbps = float(exported[codec, "payload_kbps"]["mean"])
        assert kbps == pytest.approx(bits / duration / 1000, rel=1e-9), codec


def export(run: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The table of the run by (codec spec, column), as a user gets it."""
    command = [sys.executable, "-m", "synbench", "export", str(run), "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = csv.DictReader(io.StringIO(done.stdout))
    return {(line["codec_spec"], line["column"]): line for line in lines}
