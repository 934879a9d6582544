"""Transcripts that are absent, or in another script than the normaliser's: said beforehand."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pocketsphinx", reason="pip install 'synbench[metrics]'")
pytest.importorskip("jiwer", reason="pip install 'synbench[metrics]'")

Command = Callable[..., subprocess.CompletedProcess[str]]
COLUMN = "wer_pocketsphinx_english"


def test_plan_and_table_say_that_transcripts_are_absent(
    speech_folder: Path, write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    suite = write_suite(speech_folder, metrics=[COLUMN, "si_sdr"])
    planned = synbench("plan", suite, "--out", tmp_path / "run")
    said = f"no transcript, so no score of {COLUMN}: put it into NAME.txt"
    assert said in planned.stdout
    done = synbench("run", suite, "--out", tmp_path / "run", "--workers", "0")
    assert done.returncode == 0
    assert said in " ".join(done.stdout.split())
    (speech_folder / "a.txt").write_text("да нет", encoding="utf-8")
    again = synbench("plan", suite, "--out", tmp_path / "run").stdout
    assert "2 of 3 items without a transcript" in again
    assert "an English normaliser met Cyrillic" in again
    for name in "bc":
        (speech_folder / f"{name}.txt").write_text("well", encoding="utf-8")
    (speech_folder / "a.txt").write_text("don\u2019t", encoding="utf-8")
    assert "! " not in synbench("plan", suite, "--out", tmp_path / "run").stdout
    only = write_suite(speech_folder, metrics=["si_sdr"])
    assert "transcript" not in synbench("plan", only, "--out", tmp_path / "run").stdout


def test_items_of_other_languages_have_no_score_of_an_english_column(
    speech_folder: Path, write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    """Said in the plan, and kept as the reason of the cell."""
    rows = ["file,transcript,language", "a.wav,well,en", "b.wav,nun ja,de-DE", "c.wav,oh,"]
    (speech_folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    suite = write_suite(
        speech_folder,
        corpora=[f"manifest:path={speech_folder / 'manifest.csv'}"],
        metrics=[COLUMN, "si_sdr"],
    )
    said = " ".join(synbench("plan", suite, "--out", tmp_path / "run").stdout.split())
    assert f"{COLUMN} hear en only, and of 3 items 1 in de: these have no such score" in said
    done = synbench("run", suite, "--out", tmp_path / "run", "--workers", "0")
    assert done.returncode == 0
    target = tmp_path / "scores.csv"
    synbench("export", tmp_path / "run", "--format", "csv", "--rows", "--out", target)
    assert target.read_text().count(f"{COLUMN} is for en, the item is in de") == 1
