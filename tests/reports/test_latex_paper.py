"""``synbench export --format latex``: one float that is pasted into a paper as it is."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_reports.commands.show_and_export import export

from .conftest import codec, metric

# Columns of 80 mm, as at Interspeech; those of IEEE and ICASSP are wider.
INTERSPEECH = r"""\documentclass[10pt,twocolumn]{article}
\usepackage[a4paper,textwidth=170mm,columnsep=10mm,textheight=235mm]{geometry}"""
IEEE = r"\documentclass[conference]{IEEEtran}"
SPRINGER = r"\documentclass[runningheads]{llncs}"
DOCUMENT = r"""
\usepackage[T1]{fontenc}\usepackage{amsmath,booktabs,siunitx}
\begin{document}
\input{table.tex}
Text, and a reference to Table~\ref{tab:made}.
\end{document}
"""


def exported(folder: Path, *arguments: str) -> str:
    texts = [str(folder), "--format", "latex", *arguments]
    return CliRunner().invoke(export, texts, catch_exceptions=False).output


def printed(text: str) -> list[str]:
    """What is set: all lines but comments."""
    return [line for line in text.splitlines() if not line.startswith("%")]


def notes(text: str) -> list[str]:
    return [line for line in printed(text) if line.endswith(r"\par")]


def rows(text: str) -> list[str]:
    """Labels of the codecs, in their order."""
    body = text.split(r"\midrule", 1)[1].split(r"\bottomrule")[0]
    return [line.split(" & ")[0] for line in body.splitlines() if " & " in line]


@pytest.fixture
def hard_run(made_run: Any) -> Any:
    """A failure, a declared rate, a note on weights and a warning that names a command."""
    made_run.score("alpha", "b", "mos", reason="crashed: pip install something")
    made_run.corpus_notes["speech"] = "SYNTHETIC SPEECH"
    made_run.save()
    made_run.codecs[2] = dataclasses.replace(
        made_run.codecs[2],
        label="B_50%",
        kind="recordings",
        bits_counted=False,
        training_note="weights of another corpus",
    )
    made_run.begin()
    return made_run


def test_one_float_with_rates_and_metrics_and_three_notes_at_most(hard_run: Any) -> None:
    text = exported(hard_run.folder)
    assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 1
    assert text.count(r"\begin{tabular}") == 1
    assert r"\label{tab:made}" in text
    assert len(notes(text)) == 3
    shown = "\n".join(printed(text))
    for absent in ("RTF", "Missing", "handmade", "Markdown", "pip install", "abacus"):
        assert absent not in shown
    assert rows(text) == ["Reference", "Alpha", r"B\_50\%\textsuperscript{†}"]
    assert r"$\sim$" not in shown
    # What is not complete or not counted is said where the number stands, and below.
    assert r"6.00 & \textsuperscript{n}" in shown
    assert "(2/3)" in shown
    assert "(n/m): only n of m items have a score." in shown
    assert r"\textsuperscript{n}nominal rate, no bits counted." in shown
    assert r"\textsuperscript{†}weights of another corpus." in shown


def test_a_tie_with_the_best_is_explained_in_the_first_note(made_run: Any) -> None:
    names = [f"i{number}" for number in range(12)]
    made_run.items = {"speech": dict.fromkeys(names, 1.0)}
    made_run.begin()
    for number, name in enumerate(names):
        made_run.score("alpha", name, "mos", 3 + (number % 3) / 2)
        made_run.score("beta", name, "mos", 3.05 + ((5 * number + number // 3) % 3) / 2)
    made_run.save()
    text = exported(made_run.folder, "--metrics", "mos")
    assert r"3.50 & $^{\sim}$ \scriptsize$\pm$" in text
    expected = (
        r"$\pm$: half of the 95\% interval. Bold: best, "
        r"$\sim$: not told from the best (paired tests, Holm)."
    )
    assert notes(text)[0] == rf"{expected}\par"


def test_no_warning_is_lost(hard_run: Any) -> None:
    text = exported(hard_run.folder)
    full = exported(hard_run.folder, "--full")
    warnings = full.count(r"\textbf{Warning.}")
    assert warnings >= 3
    assert text.count("% WARNING: ") == warnings
    assert "% WARNING: speech: SYNTHETIC SPEECH" in text


def test_the_tables_with_everything_are_still_there(hard_run: Any) -> None:
    full = exported(hard_run.folder, "--full")
    assert full.count(r"\begin{table*}") == 3
    assert "Encode RTF" in full


def test_the_caption_the_label_and_the_decimals_are_those_asked_for(made_run: Any) -> None:
    arguments = ("--caption", r"Codecs at \SI{6}{kbit/s}.", "--label", "tab:codecs")
    text = exported(made_run.folder, *arguments, "--decimals", "1")
    assert r"\caption{Codecs at \SI{6}{kbit/s}.}" in text
    assert r"\label{tab:codecs}" in text
    assert "2.00" not in text
    assert r"2.0 & \scriptsize$\pm$\,1.2" in text
    # A rate keeps its digits.
    assert "0.75" in text


def test_codecs_and_metrics_are_those_asked_for_in_that_order(made_run: Any) -> None:
    text = exported(made_run.folder, "--codecs", "Beta,Alpha", "--metrics", "error")
    assert rows(text) == ["Beta", "Alpha"]
    assert "ERROR" in text
    assert "MOS" not in "\n".join(printed(text))


def test_rows_are_sorted_best_first_and_anchors_stay_on_top(made_run: Any) -> None:
    assert rows(exported(made_run.folder)) == ["Reference", "Alpha", "Beta"]
    assert rows(exported(made_run.folder, "--order", "mos")) == ["Reference", "Beta", "Alpha"]
    # Of errors the lowest is best.
    assert rows(exported(made_run.folder, "--order", "error")) == ["Reference", "Alpha", "Beta"]


def test_several_corpora_are_groups_of_one_float(made_run: Any) -> None:
    made_run.items["noise"] = {"n": 2.0}
    made_run.begin()
    made_run.decode("alpha", "n", "noise")
    made_run.score("alpha", "n", "mos", 1.5, corpus="noise")
    made_run.save()
    text = exported(made_run.folder)
    assert text.count(r"\begin{tabular}") == 1
    assert r"\emph{speech, 3 items}" in text
    assert r"\emph{noise, 1 items}" in text


@pytest.fixture
def wide_run(empty_run: Any) -> Any:
    """Forty codecs and six metrics, too close together to tell all from the best."""
    empty_run.codecs = [
        codec(f"Codec number {n}", spec=f"c:n={n}", nominal_bitrate_bps=Fraction(500 * (n + 1)))
        for n in range(40)
    ]
    empty_run.metrics = [metric(f"metric_{n}", label=f"STOI {n}") for n in range(6)]
    empty_run.items = {"speech": dict.fromkeys("abcdefgh", 3.0)}
    empty_run.begin()
    for number, info in enumerate(empty_run.codecs):
        for index, item in enumerate("abcdefgh"):
            score = 3 + 0.1 * (index - 4) + 0.05 * ((5 + 3 * index) * number % 11)
            for one in empty_run.metrics:
                empty_run.score(info.spec, item, one.column, score)
    empty_run.save()
    return empty_run


def test_what_does_not_fit_loses_its_intervals_and_says_so_when_it_still_does_not(
    wide_run: Any,
) -> None:
    assert r"$\pm$" in exported(wide_run.folder, "--columns", "2", "--metrics", "metric_0,metric_1")
    three = "metric_0,metric_1,metric_2"
    narrow = exported(wide_run.folder, "--columns", "1", "--metrics", three)
    assert r"\begin{table}[t]" in narrow
    assert r"$\pm$" not in narrow
    assert "half of the 95" not in "\n".join(printed(narrow))
    all_metrics = exported(wide_run.folder, "--columns", "1")
    assert "% wider than the page" in all_metrics
    assert "the table is wider than the page" in all_metrics


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--order", "moss"), "rate, mos, error, got 'moss'"),
        (("--codecs", "Alphq"), "no codec 'Alphq'"),
        (("--full", "--decimals", "1"), "--decimals needs --format latex without --full"),
        (("--format", "csv", "--label", "x"), "--label needs --format latex"),
        (("--format", "csv", "--full"), "--full needs --format latex"),
    ],
)
def test_what_cannot_be_asked(made_run: Any, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        exported(made_run.folder, *arguments)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize(
    ("head", "metrics", "arguments"),
    [
        (INTERSPEECH, 3, ("--columns", "1")),
        (INTERSPEECH, 4, ("--columns", "2")),
        (IEEE, 4, ()),
        (SPRINGER, 4, ("--columns", "1", "--width", "122")),
    ],
    ids=["Interspeech column", "Interspeech page", "IEEE page", "Springer page"],
)
def test_forty_rows_compile_in_a_paper_and_stay_within_its_columns(
    wide_run: Any, tmp_path: Path, head: str, metrics: int, arguments: tuple[str, ...]
) -> None:
    kind = re.search(r"\{(\w+)\}", head).group(1)  # type: ignore[union-attr]
    for file in ("siunitx.sty", f"{kind}.cls"):
        if subprocess.run(["kpsewhich", file], capture_output=True).returncode:
            pytest.skip(f"no {file} in this TeX: apt-get install texlive-science")
    chosen = ",".join(f"metric_{number}" for number in range(metrics))
    text = exported(wide_run.folder, *arguments, "--metrics", chosen)
    assert r"$^{\sim}$" in text
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    (tmp_path / "paper.tex").write_text(head + DOCUMENT, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.search(r"Overfull \\hbox|Float too large", log), log[-2000:]
