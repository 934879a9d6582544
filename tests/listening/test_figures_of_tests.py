"""Every kind of test from its ratings to tables, LaTeX and a figure on its own scale."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synbench_listening.answers.ratings import Rating, write_ratings
from synbench_listening.commands.group import listen
from synbench_reports.commands.figures import figures

SYSTEMS = ("P2PSynCodec", "BigCodec", "WavTokenizer")
LABELS = {
    "mushra": "MUSHRA score",
    "mushra1s": "MUSHRA-1S score",
    "acr": "MOS (absolute category rating)",
    "dcr": "DMOS (degradation category rating)",
    "effort": "listening effort (5: none)",
    "transcription": "words understood (%)",
    "bs1116": "difference grade (object minus hidden reference)",
    "ccr": "CMOS (comparison category rating)",
}


def rated(test: str, listeners: int = 12, items: int = 6) -> list[Rating]:
    """Ratings of three systems, better to worse, with the reference and what else the test has."""
    generator = np.random.default_rng(sum(test.encode()))
    low, high, step = {
        "mushra": (0, 100, 1), "mushra1s": (0, 100, 1), "ccr": (-3, 3, 1),
        "transcription": (0, 100, 10),
    }.get(test, (1, 5, 0.1 if test == "bs1116" else 1))  # fmt: skip
    shares = dict(zip(SYSTEMS, (0.75, 0.6, 0.45), strict=True))
    if test != "ccr":
        shares["reference"] = 1.0
    if test in ("mushra", "mushra1s"):
        shares |= {"anchor35": 0.2, "anchor70": 0.5}
    if test == "acr":
        shares["MNRU 10 dB"] = 0.2
    ratings = []
    for who in range(listeners):
        for item in range(items):
            for name, share in shares.items():
                drawn = 1.0 if name == "reference" else share + generator.normal(0, 0.08)
                score = low + round(min(1, max(0, drawn)) * (high - low) / step) * step
                common = {
                    "session": f"s{who}",
                    "listener": f"l{who}",
                    "test": test,
                    "item": f"i{item}",
                }
                versus = "reference" if test == "ccr" else ""
                if test == "bs1116" and name == "reference":
                    continue
                if test == "bs1116":
                    other = {"condition": "reference", "versus": name, "score": 5.0}
                    ratings.append(Rating(**common, **other))
                    versus = "reference"
                ratings.append(Rating(**common, condition=name, versus=versus, score=float(score)))
    return ratings


def chosen(test: str, listeners: int = 12, items: int = 10) -> list[Rating]:
    generator = np.random.default_rng(3)
    return [
        Rating(
            session=f"s{who}", listener=f"l{who}", test=test, item=f"i{item}", condition=name,
            versus=versus, score=float(generator.choice(scores, p=odds)),
        )
        for who in range(listeners)
        for item in range(items)
        for name, versus, scores, odds in (
            ("BigCodec", "P2PSynCodec", [1, 0, -1], [0.1, 0.1, 0.8]),
            ("P2PSynCodec", "WavTokenizer", [1, 0, -1], [0.42, 0.2, 0.38]),
        )
    ] if test == "ab" else [
        Rating(
            session=f"s{who}", listener=f"l{who}", test=test, item=f"i{item}", condition=name,
            versus="reference", score=float(generator.random() < rate),
        )
        for who in range(listeners)
        for item in range(items)
        for name, rate in zip(SYSTEMS, (0.52, 0.7, 0.98), strict=True)
    ]  # fmt: skip


def analysed(ratings: list[Rating], folder: Path) -> Path:
    write_ratings(folder / "ratings.csv", ratings)
    command = ["analyse", str(folder / "ratings.csv"), "--out", str(folder), "--no-mixed-model"]
    done = CliRunner().invoke(listen, command)
    assert done.exit_code == 0, done.output
    return folder


def drawn(table: Path) -> str:
    done = CliRunner().invoke(figures, [str(table), "--format", "svg"], catch_exceptions=False)
    return Path(done.output.strip()).read_text(encoding="utf-8")


@pytest.mark.parametrize("test", LABELS)
def test_scores_stand_on_the_scale_of_their_test(test: str, tmp_path: Path) -> None:
    svg = drawn(analysed(rated(test), tmp_path) / "conditions.csv")
    assert LABELS[test] in svg
    assert all(name in svg for name in SYSTEMS)
    offsets = [svg.index(f"<!-- {name} -->") for name in SYSTEMS] if "<!-- " in svg else []
    assert offsets == sorted(offsets)
    if test == "mushra":
        # Reference and anchors are grey, and stand before and after the systems.
        assert svg.index("reference") < svg.index("P2PSynCodec") < svg.index("anchor35")
    done = (tmp_path / "conditions.csv").read_text()
    assert f",{test},system," in done


def test_an_identification_has_its_chance_and_the_listeners_p(tmp_path: Path) -> None:
    svg = drawn(analysed(chosen("abx"), tmp_path) / "abx.csv")
    assert "chance" in svg and "X identified" in svg
    assert "&lt; 0.001" in svg and "0.0000" not in svg


def test_a_preference_prints_the_p_that_is_to_be_trusted(tmp_path: Path) -> None:
    folder = analysed(chosen("ab"), tmp_path)
    svg = drawn(folder / "preference.csv")
    assert "paired t-test over listeners" in svg
    assert "&lt; 0.001" in svg and "0.0000" not in svg
    import csv

    rows = list(csv.DictReader((folder / "preference.csv").read_text().splitlines()))
    shown = next(row for row in rows if float(row["p_listeners"]) >= 0.001)
    assert f"= {float(shown['p_listeners']):.4f}" in svg
    assert f"= {float(shown['p_judgements']):.4f}" not in svg


def test_comparisons_between_systems_are_pairs(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    ratings = [
        Rating(
            session=f"s{who}", listener=f"l{who}", test="ccr", item=f"i{item}", condition=first,
            versus=second, score=float(np.clip(round(mean + generator.normal(0, 1)), -3, 3)),
        )
        for who in range(10)
        for item in range(5)
        for first, second, mean in (
            ("BigCodec", "P2PSynCodec", -0.8), ("BigCodec", "WavTokenizer", 0.5)
        )
    ]  # fmt: skip
    svg = drawn(analysed(ratings, tmp_path) / "comparisons.csv")
    assert "BigCodec : P2PSynCodec" in svg and "CMOS of the first" in svg


@pytest.mark.slow
@pytest.mark.parametrize("test", ["mushra", "bs1116", "abx", "ab"])
def test_the_latex_compiles(test: str, tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex on this machine")
    ratings = chosen(test) if test in ("ab", "abx") else rated(test)
    report = analysed(ratings, tmp_path) / "report.tex"
    body = report.read_text(encoding="utf-8")
    lines = [line for line in body.splitlines() if not line.startswith("%")]
    assert not {sign for sign in "\n".join(lines) if ord(sign) > 0x24F}
    text = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    (tmp_path / "paper.tex").write_text(text + body + "\\end{document}\n", encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]
