"""A paper's table beside a run made by hand."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench_codecs import WeightsSource
from synbench_reports.commands.reproduce import reproduce
from synbench_reports.commands.verify import verify
from synbench_reports.figures.complexity import count_complexity
from synbench_reports.papers.claims import net_preference
from synbench_reports.papers.paper_runs import parse_codecs, run_suite, suite_for
from synbench_reports.papers.published import Line, verdict_of
from synbench_reports.papers.released import read_released, suites
from synbench_reports.papers.specification import AbxPair, PublishedColumn, read_paper
from synbench_reports.render.latex import document
from synbench_reports.tables.table import Cell


@pytest.fixture
def paper_run(empty_run: Any) -> Any:
    """MDCTCodec as recordings, DAC with weights of its own, BigCodec at another rate."""
    info = empty_run.codecs[1]
    empty_run.codecs = [
        dataclasses.replace(
            info,
            spec=name.lower(),
            label=name,
            nominal_bitrate_bps=Fraction(rate),
            bits_counted=counted,
        )
        for name, rate, counted in (
            ("MDCTCodec", 500, False),
            ("DAC", 500, True),
            ("BigCodec", 1000, False),
        )
    ]
    stoi = dataclasses.replace(empty_run.metrics[1], column="stoi", direction="up")
    empty_run.metrics = [stoi, dataclasses.replace(stoi, column="visqol_speech_exp", maximum=5.0)]
    empty_run.begin()
    for name in ("mdctcodec", "dac", "bigcodec"):
        for item in ("a", "b", "c"):
            empty_run.score(name, item, "stoi", 0.855)
            empty_run.score(name, item, "visqol_speech_exp", 2.0)
    empty_run.save()
    write_items(empty_run, 16000)
    return empty_run


def write_items(run: Any, sample_rate: int) -> None:
    items = [
        {
            "corpus": "speech",
            "item": item,
            "item_digest": f"digest {item}",
            "seconds": seconds,
            "sample_rate": sample_rate,
        }
        for item, seconds in run.items["speech"].items()
    ]
    write_table(run.folder / "items.parquet", items, ITEM_COLUMNS)


@pytest.fixture(autouse=True)
def no_counting(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Building the networks to count them takes seconds, so only one test does."""
    from synbench_reports.figures import complexity

    if "counted" not in request.node.name:
        monkeypatch.setattr(complexity, "count_complexity", lambda _: {})


def reproduced(*arguments: object) -> str:
    done = CliRunner().invoke(reproduce, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def verdicts(text: str) -> dict[tuple[str, str], list[str]]:
    """The rows of the second table, the one with a verdict per cell."""
    _, _, cells = text.partition("| Codec | Column |")
    rows = [line.strip("| ").split(" | ") for line in cells.splitlines() if line.startswith("| ")]
    return {(row[0], row[1]): row[2:] for row in rows}


def test_every_verdict(paper_run: Any) -> None:
    text = reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder)
    rows = verdicts(text)
    stoi, visqol = "STOI, LibriTTS", "ViSQOL, LibriTTS"
    assert rows["MDCTCodec", stoi][0] == "0.844"
    assert rows["MDCTCodec", stoi][1].startswith("0.855")
    assert rows["MDCTCodec", stoi][2:] == ["3", "+0.011", "0.02", "agrees"]
    assert rows["MDCTCodec", visqol][-1] == "differs"
    assert rows["DAC", stoi][-1] == "other weights"
    assert rows["BigCodec", stoi][-1] == "not run"
    assert rows["MDCTCodec", "STOI, VCTK"][-1] == "not run"
    assert rows["P2PSynCodec", stoi][-1] == "not run"
    assert "Verdicts: 1 agrees, 1 differs, 2 other weights, 36 not run." in text


@pytest.mark.parametrize(
    ("mean", "half", "verdict"),
    [
        (0.823, 0.01, "agrees"),
        (0.816, 0.027, "cannot tell"),  # close, but the interval is wider than the tolerance
        (0.802, 0.018, "cannot tell"),  # 0.021 off: some of the interval is within 0.02
        (0.780, 0.010, "differs"),
        (0.866, 0.020, "differs"),
    ],
)
def test_a_verdict_is_that_of_the_whole_interval(mean: float, half: float, verdict: str) -> None:
    column = PublishedColumn(metric="stoi", label="STOI", tolerance=0.02, sample_rate=16000)
    cell = Cell(mean=mean, low=mean - half, high=mean + half, planned=10, scored=10)
    ours = verdict_of(column, 0.823, cell, own=True)
    assert ours == verdict
    line = Line(row="x", codec="x", column=column, published=0.823, cell=cell, verdict=ours)
    if verdict != "cannot tell":
        assert line.items_needed is None
        return
    assert line.items_needed is not None
    # With so many items the interval is as narrow as the room to the edge of the tolerance.
    shrunk = half * (10 / line.items_needed) ** 0.5
    assert shrunk <= abs(abs(mean - 0.823) - 0.02) < half


def test_one_item_alone_cannot_tell() -> None:
    column = PublishedColumn(metric="stoi", label="STOI", tolerance=0.02, sample_rate=16000)
    assert (
        verdict_of(column, 0.823, Cell(mean=0.823, planned=1, scored=1), own=True) == "cannot tell"
    )
    assert verdict_of(column, 0.823, Cell(mean=0.83), own=True) == "agrees"


def test_the_papers_own_layout_marks_best_and_second_as_printed(paper_run: Any) -> None:
    lines = reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder).splitlines()
    (published,) = (line for line in lines if line.startswith("| P2PSynCodec | published"))
    assert "| **3.947** | 0.823 | 3.476 | **3.305** | 0.796 | 3.423 | *3.31* |" in published
    measured = next(line for line in lines if line.startswith("|  | measured"))
    assert measured.startswith("|  | measured | \N{EN DASH} | 0.855 ± ")
    assert " = | " in measured


def test_a_note_on_weights_makes_them_other_weights_and_is_printed(paper_run: Any) -> None:
    note = "demonstration weights, trained briefly"
    paper_run.codecs[0] = dataclasses.replace(paper_run.codecs[0], training_note=note)
    paper_run.begin()
    write_items(paper_run, 16000)
    text = reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder)
    assert verdicts(text)["MDCTCodec", "STOI, LibriTTS"][-1] == "other weights"
    assert f"- Weights of MDCTCodec: {note}" in text


def test_costs_come_from_a_table_of_their_own(paper_run: Any, tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text("codec,giga_macs,mega_parameters\nMDCTCodec,2.32,6.84\n")
    arguments = ("--table", 1, "--run", paper_run.folder, "--complexity", tmp_path / "costs.csv")
    rows = verdicts(reproduced("p2psyncodec", *arguments))
    assert rows["MDCTCodec", "G MAC, Complexity"][-1] == "agrees"
    assert rows["MDCTCodec", "M parameters, Complexity"][-1] == "differs"
    assert rows["DAC", "G MAC, Complexity"][-1] == "not run"


def test_costs_are_counted_as_the_paper_counts_them() -> None:
    pytest.importorskip("torch", reason="no torch: pip install 'synbench[torch]'")
    costs = count_complexity({"P2PSynCodec": "p2psyncodec", "Opus": "opus:bitrate_bps=6000"})
    assert list(costs) == ["P2PSynCodec"]
    # Table I prints 3.31 G and 22.99 M.
    assert costs["P2PSynCodec"]["giga_macs"] == pytest.approx(3.31, abs=0.005)
    assert costs["P2PSynCodec"]["mega_parameters"] == pytest.approx(22.99, abs=0.005)


def test_table_two_has_both_halves_of_each_row(paper_run: Any) -> None:
    info = paper_run.codecs[0]
    paper_run.codecs[0] = dataclasses.replace(info, label="P2PSynCodec N=3")
    paper_run.codecs[1] = dataclasses.replace(info, spec="dac", label="P2PSynCodec N=3 plain only")
    paper_run.begin()
    write_items(paper_run, 16000)
    rows = verdicts(reproduced("p2psyncodec", "--table", 2, "--run", paper_run.folder))
    assert len(rows) == 24
    assert rows["P2PSynCodec N=3", "STOI, All VQs"][0] == "0.823"
    assert rows["P2PSynCodec N=3", "STOI, All VQs"][-1] == "differs"
    assert rows["P2PSynCodec N=3 plain only", "STOI, Plain VQ only"][0] == "0.806"
    assert rows["P2PSynCodec N=1", "STOI, All VQs"][-1] == "not run"


def test_another_sample_rate_is_another_experiment(paper_run: Any) -> None:
    write_items(paper_run, 24000)
    rows = verdicts(reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder))
    assert {row[-1] for row in rows.values()} == {"not run"}


def test_a_draft_says_so_and_nothing_run_is_not_run() -> None:
    text = reproduced("p2psyncodec", "--table", "1-draft", "--published")
    assert "[draft]" in text.splitlines()[0]
    assert {row[-1] for row in verdicts(text).values()} == {"not run"}


def test_the_same_rows_give_the_same_bytes(paper_run: Any, tmp_path: Path) -> None:
    files = [tmp_path / "one.tex", tmp_path / "two.tex"]
    for file in files:
        arguments = ("--table", 1, "--run", paper_run.folder, "--format", "latex", "--out", file)
        reproduced("p2psyncodec", *arguments)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize("number", ["1", "2"])
def test_latex_compiles(paper_run: Any, tmp_path: Path, number: str) -> None:
    if subprocess.run(["kpsewhich", "siunitx.sty"], capture_output=True).returncode:
        pytest.skip("no siunitx in this TeX: apt-get install texlive-science")
    arguments = ("--table", number, "--run", paper_run.folder, "--format", "latex")
    reproduced("p2psyncodec", *arguments, "--out", tmp_path / "table.tex")
    (tmp_path / "paper.tex").write_text(document(r"\input{table}"))
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_unknown_papers_and_tables_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean p2psyncodec"):
        reproduced("p2psyncode", "--table", 1)
    with pytest.raises(UsageError, match="it has: 1, 1-draft, 2"):
        reproduced("p2psyncodec", "--table", 9)


def test_every_row_of_the_specification_is_complete_and_cited() -> None:
    for table in read_paper("p2psyncodec").tables.values():
        assert table.source
        assert all(len(values) == len(table.columns) for values in table.rows.values())
        assert all(column.tolerance > 0 for column in table.columns)
        for suite in table.suites:
            columns = suite_for(suite).metrics
            wanted = {c.metric for c in table.columns if suite.endswith(c.group.lower())}
            assert wanted - {"mushra"} <= set(columns)


@pytest.mark.parametrize("pair", read_paper("p2psyncodec").figures["abx"].pairs)
def test_the_printed_p_values_follow_from_the_counts(pair: AbxPair) -> None:
    assert net_preference(pair, 0.1).p == pytest.approx(pair.p, abs=5e-5)


def test_no_difference_found_is_told_from_equality() -> None:
    text = reproduced("p2psyncodec", "--claim", "quarter-rate")
    verdict = {row.split(" | ")[0].strip("| "): row for row in text.splitlines() if "%" in row}
    assert "equal within the margin" in verdict["DAC 2.0"]
    assert "equality not shown" in verdict["MDCTCodec 2.0"]
    assert "No run has these codecs" in text


def test_a_suite_runs_without_what_is_not_known_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs one tone through one codec; the table's other cells say why they are empty."""
    import soundfile

    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    (tmp_path / "speech").mkdir()
    wave = np.sin(np.arange(16000) * 0.3) * np.linspace(0, 0.5, 16000)
    soundfile.write(tmp_path / "speech" / "a.wav", wave, 16000)
    suite = suite_for(
        "p2psyncodec-libritts", corpora={"libritts": f"folder:path={tmp_path / 'speech'}"}
    )
    assert suite.name == "p2psyncodec-libritts-custom"
    known = suite.codecs[0].model_copy(
        update={"codec": "lowpass-3k5", "options": {}, "label": "MDCTCodec"}
    )
    unknown = known.model_copy(update={"codec": "yet-to-be-written", "label": "DAC"})
    suite = suite.model_copy(
        update={"codecs": [known, unknown], "metrics": ["mel_distance", "yet_to_be_written"]}
    )
    made = run_suite(suite, out=tmp_path / "runs", workers=0)
    assert made.folder is not None
    assert made.absent == (
        ("DAC", "no codec 'yet-to-be-written' here"),
        ("yet_to_be_written", "no such metric here"),
    )
    text = reproduced("p2psyncodec", "--table", 1, "--run", made.folder)
    assert "folder" in text or "speech, 1 items" in text


def test_a_corpus_that_cannot_be_had_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    suite = suite_for("p2psyncodec-libritts")
    first = suite.codecs[0].model_copy(update={"codec": "passthrough", "options": {}})
    suite = suite.model_copy(update={"codecs": [first], "metrics": ["stoi"]})
    made = run_suite(suite, out=tmp_path / "runs", workers=0)
    assert made.folder is None
    ((name, reason),) = made.absent
    assert name == "suite p2psyncodec-libritts"
    assert "libritts" in reason.lower()


def test_what_was_published_of_released_checkpoints_can_be_planned() -> None:
    for name, entry in read_released().items():
        planned = list(suites(name, entry))
        assert planned
        labels = {codec.label for suite in planned for codec in suite.codecs}
        assert labels == {column.codec for column in entry.table.columns}


def test_a_released_checkpoint_counts_as_the_published_weights(paper_run: Any) -> None:
    weights = WeightsSource(repository="r", revision="1", file="f", sha256="0" * 64)
    info = dataclasses.replace(
        paper_run.codecs[0],
        label="BigCodec 1.04 kbps",
        bits_counted=True,
        nominal_bitrate_bps=Fraction(1040),
    )
    local = dataclasses.replace(weights, repository="local")
    for given, expected in (
        ((), "other weights"),
        ((local,), "other weights"),
        ((weights,), "differs"),
    ):
        paper_run.codecs[0] = dataclasses.replace(info, weights=given)
        paper_run.begin()
        write_items(paper_run, 16000)
        done = CliRunner().invoke(verify, ["bigcodec", "--run", str(paper_run.folder)])
        assert done.exit_code == (expected == "differs")
        column = "stoi, librispeech 1.04 kbps"
        assert verdicts(done.output)["BigCodec 1.04 kbps", column][-1] == expected


def test_verify_lists_what_it_knows_and_refuses_the_rest() -> None:
    assert "bigcodec" in CliRunner().invoke(verify, []).output
    with pytest.raises(UsageError, match="nothing published is known of 'opus'"):
        CliRunner().invoke(verify, ["opus"], catch_exceptions=False)


def line_by_line(text: str) -> dict[tuple[str, str], list[str]]:
    """The rows of a claim: basis and about, then what was found, criterion, verdict, reason."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return {(row[0], row[1]): row[3:] for row in rows if row[0] in ("published", "measured")}


def test_claims_in_words_are_computed(tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text(
        "codec,giga_macs,mega_parameters\nP2PSynCodec,3.31,22.99\nBigCodec,42.7,159\n"
    )
    costs = line_by_line(
        reproduced(
            "p2psyncodec", "--claim", "cost-of-bigcodec", "--complexity", tmp_path / "costs.csv"
        )
    )
    assert costs["published", "G MAC"][0] == "3.31 of 61.03: 5.4%"
    assert [costs["published", about][2] for about in ("G MAC", "M parameters")] == ["agrees"] * 2
    assert costs["measured", "G MAC, counted here"][2] == "differs"
    assert costs["measured", "M parameters, counted here"][2] == "agrees"
    bits = line_by_line(reproduced("p2psyncodec", "--claim", "fewer-bits"))
    assert bits["published", "DAC 2.0, printed rates"][2] == "agrees"
    assert bits["measured", "DAC 2.0, bits counted"][2] == "not run"
    above = line_by_line(reproduced("p2psyncodec", "--claim", "above-wavtokenizer"))
    # The paper's own table has WavTokenizer's STOI higher: 0.834 to 0.823.
    assert above["published", "STOI, LibriTTS"][2] == "differs"
    assert above["published", "UTMOS, LibriTTS"][2] == "agrees"
    assert above["published", "MUSHRA, VCTK, 48 kHz, 1.5 kbit/s"][2] == "cannot tell"


def test_a_table_says_what_is_known_of_how_its_values_came_about() -> None:
    (remark,) = read_paper("p2psyncodec").tables["1"].remarks
    assert "61.02 G and 159.32 M" in remark
    assert remark in reproduced("p2psyncodec", "--table", "1")


def test_what_a_paper_calls_comparable_stands_beside_the_test_of_equality() -> None:
    lines = line_by_line(reproduced("p2psyncodec", "--claim", "comparable-to-bigcodec"))
    _, criterion, verdict, _ = lines["published", "BigCodec, MUSHRA, LibriTTS, 16 kHz, 0.5 kbit/s"]
    assert criterion.startswith("comparable (p = ") and verdict == "cannot tell"
    preferences = reproduced("p2psyncodec", "--claim", "quarter-rate")
    assert "no X is identified" in preferences
    assert "comparable (p = 0.2823 > 0.01)" in preferences


def test_measured_claims_name_other_weights(paper_run: Any) -> None:
    info = paper_run.codecs[0]
    labels = ("P2PSynCodec", "WavTokenizer", "BigCodec")
    paper_run.codecs = [
        dataclasses.replace(codec, label=label, nominal_bitrate_bps=Fraction(500))
        for codec, label in zip(paper_run.codecs, labels, strict=True)
    ]
    assert info.label == "MDCTCodec"
    paper_run.begin()
    write_items(paper_run, 16000)
    text = reproduced("p2psyncodec", "--claim", "above-wavtokenizer", "--run", paper_run.folder)
    lines = line_by_line(text)
    # DAC's place in the run has weights of its own.
    assert lines["measured", "stoi, speech, 3 items"][2] == "other weights"
    assert lines["measured", "STOI, VCTK"][2:] == ["not run", "no run has material at 48 kHz"]


def test_a_whole_paper_has_a_reason_for_every_cell(paper_run: Any) -> None:
    text = reproduced("p2psyncodec", "--run", paper_run.folder)
    assert "| Table 1 | 1 | 1 | 0 | 2 | 36 |" in text
    assert "| Claim fewer-bits | 3 | 0 | 0 | 0 | 3 |" in text
    assert "| Figure abx | 4 | 0 | 0 | 0 | 4 |" in text  # p from the counts; no ratings
    assert (
        "run at 1 kbit/s; published at 0.5 kbit/s: BigCodec UTMOS, LibriTTS; BigCodec STOI" in text
    )
    assert "no run has material at 48 kHz" in text
    assert "no run has the column utmos" in text
    assert "synbench listen init p2psyncodec-mushra" in text
    assert "BS.1534 asks for two anchors" in text


def test_ratings_of_ones_own_stand_beside_the_bars(tmp_path: Path) -> None:
    ratings = tmp_path / "preferences.csv"
    ratings.write_text(
        "first,second,n_first,n_none,n_second\nP2PSynCodec 0.5,DAC 2.0,2290,790,2320\n"
    )
    text = reproduced("p2psyncodec", "--published", "--ratings", ratings)
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if "| net preference" in row]
    verdicts_by_codec = {row[0]: row[-1] for row in rows}
    assert verdicts_by_codec["DAC 2.0"] == "agrees"
    assert verdicts_by_codec["SQCodec 1.5"] == "not run"


@pytest.mark.parametrize("name", ["vocodec", "classical"])
def test_another_paper_is_one_file(name: str) -> None:
    paper = read_paper(name)
    text = reproduced(name, "--published")
    assert f"# {paper.title}, reproduced" in text
    published = [
        value for table in paper.tables.values() for row in table.rows.values() for value in row
    ]
    table_rows = [line for line in text.splitlines() if line.endswith("| not run |")]
    assert len([row for row in table_rows if row.count("|") == 9]) == sum(
        value is not None for value in published
    )


def test_streams_show_what_standards_fix() -> None:
    from synbench_reports.papers.stream_facts import count_stream_facts

    table = read_paper("classical").tables["streams"]
    rows = ("Codec 2 1300", "G.723.1 6.3", "AMR-WB 12.65", "LC3 16")
    counted = count_stream_facts(
        {row: table.codecs[row] for row in rows}, frozenset({"bits_per_frame"})
    )
    if not counted:
        pytest.skip("none of these codecs can run here")
    for row, facts in counted.items():
        rate, bits, _ = table.rows[row]
        assert facts["kilobits_per_second"] == pytest.approx(rate)
        assert facts["bits_per_frame"] == pytest.approx(bits)


def test_files_of_the_authors_can_stand_for_a_codec(tmp_path: Path) -> None:
    suites = [suite_for("p2psyncodec-libritts")]
    spec = f"DAC=recordings:folder={tmp_path},bitrate_bps=500"
    swapped = suite_for("p2psyncodec-libritts", codecs=parse_codecs([spec], suites))
    assert swapped.name == "p2psyncodec-libritts-custom"
    (entry,) = (entry for entry in swapped.codecs if entry.label == "DAC")
    assert (entry.codec, entry.options["bitrate_bps"]) == ("recordings", 500)
    assert entry.options["label"] == "DAC"
    with pytest.raises(UsageError, match="did you mean WavTokenizer"):
        parse_codecs(["WavTokeniser=opus"], suites)
