"""What other people's programs say of made speech: ``tests/data/make_metric_values.py`` asks them.

Larger sets, of recorded speech and of values that others published, lie beside the checkout.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench_metrics import load
from synbench_metrics.word_errors import count_errors

DATA = Path(__file__).parents[1] / "data"
TOLERANCES = {"pesq_wb": 1e-6, "pesq_nb": 1e-6, "stoi": 1e-6, "estoi": 1e-6}
TOLERANCES |= {"visqol_speech_exp": 1e-6, "visqol_speech_lattice": 1e-4}
TOLERANCES |= {f"dnsmos_{name}": 1e-5 for name in ("ovrl", "sig", "bak", "p808")}
TOLERANCES |= {"sim_resemblyzer": 1e-5}
TOLERANCES |= {"si_sdr": 1e-6, "mrstft_distance": 1e-6}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "row", rows("metric_values.csv"), ids=lambda row: f"{row['column']}-{row['degraded']}"
)
def test_every_metric_family(row: dict[str, str], available) -> None:
    metric = available(row["column"])
    (reference, rate), (degraded, _) = (
        soundfile.read(DATA / f"made_{name}.flac") for name in ("reference", row["degraded"])
    )
    waves = {"degraded": degraded}
    if "reference" in metric.info.needs:
        waves["reference"] = reference
    value = metric.compute(**waves, sample_rate=rate)
    tolerance = TOLERANCES[row["column"]]
    if row["column"].startswith("visqol") and row["degraded"] == "telephone":
        # Only these waves have a delay, and that port aligns otherwise than the reference program.
        tolerance = 2e-3
    assert value == pytest.approx(float(row["value"]), abs=tolerance)
    if row["program"] == "pesq 0.0.4":
        # However it was compiled: fused multiply-add alone would change five of these six.
        assert np.float32(value) == np.float32(row["value"])


@pytest.mark.parametrize("row", rows("word_values.csv"), ids=lambda row: row["hypothesis"] or "-")
def test_word_errors(row: dict[str, str]) -> None:
    pytest.importorskip("jiwer", reason="pip install 'synbench[metrics]'")
    texts = {name: row[name] for name in ("reference", "hypothesis")}
    assert count_errors(**texts, unit="words").value == pytest.approx(float(row["wer"]))
    assert count_errors(**texts, unit="characters").value == pytest.approx(float(row["cer"]))


def test_every_column_is_there() -> None:
    assert {row["column"] for row in rows("metric_values.csv")} == set(TOLERANCES)
    assert all(load(column).info.column == column for column in TOLERANCES)
