"""The numbers of a table, computed by hand, and what it says about them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from synbench.errors import UsageError
from synbench_reports.tables.build_report import build_report, read_selection
from synbench_reports.tables.notes import UNSURE_INTERVALS
from synbench_reports.tables.table import Cell, Report

from .conftest import metric

ITEMS = ("a", "b", "c")


def report_of(folder: Path, **selection: Any) -> Report:
    return build_report(read_selection(folder, **selection))


def cell(report: Report, codec: str, column: str) -> Cell:
    (table,) = report.tables
    column_index = [entry.name for entry in table.columns].index(column)
    return next(row.cells[column_index] for row in table.rows if row.codec.label == codec)


def texts(report: Report, level: str) -> list[str]:
    notes = [note for table in report.tables for note in table.notes] + list(report.notes)
    return [f"{note.subject}: {note.text}" for note in notes if note.level == level]


def replace_codec(run: Any, codec_index: int, **changes: Any) -> None:
    run.codecs[codec_index] = dataclasses.replace(run.codecs[codec_index], **changes)
    run.begin()


def test_rates_are_totals_over_the_total_duration(made_run: Any) -> None:
    report = report_of(made_run.folder)
    assert cell(report, "Alpha", "nominal_kbps").mean == 1.5
    assert cell(report, "Reference", "nominal_kbps") == Cell()
    # 3 x 3000 bits over 2 + 4 + 6 s.
    assert cell(report, "Alpha", "payload_kbps").mean == pytest.approx(0.75)
    assert cell(report, "Alpha", "side_kbps").mean == pytest.approx(0.025)


def test_real_time_factors_are_seconds_over_seconds(made_run: Any) -> None:
    report = report_of(made_run.folder)
    factors = [
        cell(report, "Beta", f"{stage}_rtf_{clock}").mean
        for stage in ("encode", "decode")
        for clock in ("cpu", "wall")
    ]
    assert factors == pytest.approx([0.05, 0.1, 0.025, 0.075])
    details = {column.detail for column in report.tables[0].columns if column.group == "cost"}
    assert details == {"1 thread"}


def test_a_rate_counts_only_the_items_that_were_coded(empty_run: Any) -> None:
    empty_run.decode("alpha", "a", payload_bits=4000, threads=2)
    empty_run.decode("alpha", "b", status="failed", payload_bits=None)
    report = report_of(empty_run.save())
    rate = cell(report, "Alpha", "payload_kbps")
    assert rate.mean == pytest.approx(2.0)
    assert (rate.planned, rate.scored, rate.failed, rate.missing) == (3, 1, 1, 1)
    assert report.tables[0].columns[-7].detail == "2 threads"


def test_recordings_have_a_declared_rate_and_no_cost(made_run: Any) -> None:
    replace_codec(made_run, 1, kind="recordings", bits_counted=False)
    report = report_of(made_run.folder)
    assert cell(report, "Alpha", "payload_kbps") == Cell(note="declared")
    assert cell(report, "Alpha", "encode_rtf_wall") == Cell()
    assert cell(report, "Alpha", "nominal_kbps").mean == 1.5


def test_means_and_counts_of_a_metric(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 2.0)
    empty_run.score("alpha", "b", "mos", 4.0)
    empty_run.score("alpha", "c", "mos", reason="crashed")
    mos = cell(report_of(empty_run.save()), "Alpha", "mos")
    assert mos.mean == 3.0
    assert mos.low is not None
    # Of two items: the quantile of t for one degree of freedom is 12.706.
    assert mos.low == pytest.approx(3.0 - 12.7062047)
    assert (mos.planned, mos.scored, mos.failed, mos.missing) == (3, 2, 1, 0)


def test_a_single_score_has_no_interval(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 2.0)
    mos = cell(report_of(empty_run.save()), "Alpha", "mos")
    assert (mos.mean, mos.low, mos.high, mos.half_width) == (2.0, None, None, None)


def test_a_column_in_which_all_failed_has_no_number(empty_run: Any) -> None:
    for item in ITEMS:
        empty_run.score("alpha", item, "mos", reason="no model")
    mos = cell(report_of(empty_run.save()), "Alpha", "mos")
    assert (mos.mean, mos.scored, mos.failed) == (None, 0, 3)


def test_the_best_follows_the_direction_and_is_never_an_anchor(made_run: Any) -> None:
    report = report_of(made_run.folder)
    best = {
        column: [row for row in ("Reference", "Alpha", "Beta") if cell(report, row, column).best]
        for column in ("mos", "error", "payload_kbps")
    }
    assert best == {"mos": ["Beta"], "error": ["Alpha"], "payload_kbps": []}


def test_cells_that_print_the_same_share_the_mark(empty_run: Any) -> None:
    for item in ITEMS:
        empty_run.score("alpha", item, "mos", 3.001)
        empty_run.score("beta", item, "mos", 3.002)
    report = report_of(empty_run.save())
    assert cell(report, "Alpha", "mos").best
    assert cell(report, "Beta", "mos").best


def test_a_codec_without_competitors_is_not_the_best(empty_run: Any) -> None:
    for item in ITEMS:
        empty_run.score("alpha", item, "mos", 3.0)
    assert not cell(report_of(empty_run.save()), "Alpha", "mos").best


def test_a_codec_that_fails_on_the_hard_item_does_not_win_by_it(empty_run: Any) -> None:
    for item, alpha, beta in (("a", 4.0, 4.2), ("b", 4.0, 4.2), ("c", None, 1.0)):
        empty_run.score("alpha", item, "mos", alpha, reason="" if alpha else "too hard")
        empty_run.score("beta", item, "mos", beta)
    report = report_of(empty_run.save())
    assert cell(report, "Alpha", "mos").mean == 4.0
    assert cell(report, "Beta", "mos").mean == pytest.approx(9.4 / 3)
    assert cell(report, "Beta", "mos").best
    assert not cell(report, "Alpha", "mos").best
    assert "MOS: means over different items: 3 of Beta; 2 of Alpha; 2 common to all" in texts(
        report, "warning"
    )


def test_means_over_as_many_but_other_items_are_warned_of(empty_run: Any) -> None:
    for codec, missing in (("alpha", "a"), ("beta", "b")):
        for item in set(ITEMS) - {missing}:
            empty_run.score(codec, item, "mos", 3.0)
    assert "MOS: means over different items: 2 of Alpha, Beta; 1 common to all" in texts(
        report_of(empty_run.save()), "warning"
    )


def test_failures_missing_scores_and_few_items_are_warned_of(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 2.0)
    empty_run.score("alpha", "b", "mos", reason="broken\nin two lines")
    empty_run.score("beta", "b", "mos", reason="broken\nin two lines")
    warnings = texts(report_of(empty_run.save()), "warning")
    assert "Failed scores: 2 x broken in two lines" in warnings
    assert warnings[0].startswith("Missing scores: 15 of 18 planned")
    assert f"MOS: fewer than 8 items: {UNSURE_INTERVALS} (all codecs)" in warnings


def test_few_items_of_one_codec_only_name_that_codec(empty_run: Any) -> None:
    empty_run.items["speech"] = {f"item{number}": 1.0 for number in range(12)}
    empty_run.begin()
    for number in range(12):
        empty_run.score("beta", f"item{number}", "mos", 3.0)
    empty_run.score("alpha", "item0", "mos", 3.0)
    warnings = texts(report_of(empty_run.save()), "warning")
    assert f"MOS: fewer than 8 items: {UNSURE_INTERVALS} (Alpha)" in warnings


def test_many_reasons_are_summed_up(empty_run: Any) -> None:
    for number, codec in enumerate(("reference", "alpha", "beta")):
        for item in ITEMS:
            empty_run.score(codec, item, "mos", reason=f"reason {number} {item}")
    warnings = texts(report_of(empty_run.save()), "warning")
    assert "Failed scores: 4 x 4 other reasons" in warnings


def test_a_delay_that_remains_is_warned_of(empty_run: Any) -> None:
    for item, lag in zip(ITEMS, (-0.004, 0.006, 0.005), strict=True):
        empty_run.decode("alpha", item, lag_seconds=lag)
        # A low correlation says nothing about the lag.
        empty_run.decode("beta", item, lag_seconds=0.05, correlation=0.2)
    warnings = texts(report_of(empty_run.save()), "warning")
    assert any("Alpha: a delay of 5 ms remains (median of 3 items)" in text for text in warnings)
    assert not any("Beta: a delay" in text for text in warnings)


def test_one_item_in_many_is_no_delay_and_five_samples_are_told_beside_si_sdr(
    empty_run: Any,
) -> None:
    empty_run.items["speech"] = {f"item{number}": 1.0 for number in range(6)}
    empty_run.begin()
    for number in range(6):
        # A vocoder: one item correlates by chance.
        by_chance = {"lag_seconds": 0.025, "correlation": 0.6 if number == 0 else 0.3}
        empty_run.decode("alpha", f"item{number}", **by_chance)
        empty_run.decode("beta", f"item{number}", lag_seconds=5 / 16000)
    report = report_of(empty_run.save())
    told = [*texts(report, "warning"), *texts(report, "note")]
    assert not any("Alpha: a delay" in text for text in told)
    (beta,) = [text for text in told if "Beta: a delay" in text]
    assert "0.312 ms remains (median of 6 items); it costs much of SI-SDR" in beta


def test_clipping_training_notes_corpus_notes_and_skips_are_told(made_run: Any) -> None:
    made_run.corpus_notes["speech"] = "SYNTHETIC SPEECH"
    made_run.skipped.append({"kind": "metric", "name": "visqol", "reason": "not installed"})
    made_run.decode("alpha", "a", clipped_samples=7)
    made_run.save()
    replace_codec(made_run, 2, training_note="trained on the test set")
    report = report_of(made_run.folder)
    assert "Alpha: samples clipped at full scale: 7, in 1 of 3 items" in texts(report, "note")
    assert {
        "speech: SYNTHETIC SPEECH",
        "metric visqol: skipped: not installed",
        "Beta: trained on the test set",
    } <= set(texts(report, "warning"))


def test_every_metric_says_how_it_was_computed(made_run: Any) -> None:
    notes = texts(report_of(made_run.folder), "note")
    assert "MOS: handmade 1.0; at 16000 Hz, resampled by handmade VHQ; This test" in notes
    assert any(text.startswith("ERROR: handmade 1.0; strict;") for text in notes)


def test_a_selection_keeps_what_was_asked_for(made_run: Any) -> None:
    report = report_of(made_run.folder, corpus="speech", metrics=("error",))
    names = [column.name for column in report.tables[0].columns if column.group == "metric"]
    assert names == ["error"]
    assert cell(report, "Alpha", "error").mean == 0.25


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"corpus": "speach"}, "did you mean speech"),
        ({"metrics": ("mso",)}, "did you mean mos"),
        ({"metrics": ("xyz",)}, "it has: mos, error"),
    ],
)
def test_an_unknown_name_is_refused(made_run: Any, selection: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        report_of(made_run.folder, **selection)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["mos"], None),
        (["wer_moonshine_tiny_english"], "by moonshine_tiny alone; the order of codecs depends on"),
        (
            ["wer_moonshine_tiny_english", "wer_whisper_small_multilingual"],
            "wer of moonshine_tiny and whisper_small agree on 0 of 1 pairs",
        ),
    ],
)
def test_word_errors_name_their_recognisers(
    empty_run: Any, columns: list[str], said: str | None
) -> None:
    """Alpha is the better one for the first recogniser, beta for the second."""
    empty_run.metrics = [metric(column, unit="", direction="down") for column in columns]
    for item in "abc":
        for codec, errors in (("alpha", (0.1, 0.4)), ("beta", (0.2, 0.3)), ("reference", (0, 0))):
            for column, error in zip(columns, errors, strict=False):
                empty_run.score(codec, item, column, error)
    empty_run.begin()
    empty_run.save()
    (table,) = build_report(read_selection(empty_run.folder)).tables
    texts = [note.text for note in table.notes if note.subject == "Word errors"]
    assert bool(texts) == bool(said)
    assert not said or said in texts[0]
