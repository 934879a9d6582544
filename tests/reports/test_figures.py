"""Figures: the same bytes from the same rows, the right numbers in them, and bad tables refused."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench_codecs import Encoded, pack_tokens, write_stream
from synbench_reports.tables.build_report import build_report, read_selection

pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")

from synbench_reports.commands.figures import figures
from synbench_reports.commands.reproduce import reproduce
from synbench_reports.figures import rows as drawn
from synbench_reports.figures.codebooks import Usage, codebook_usage, count_tokens
from synbench_reports.figures.complexity import read_complexity
from synbench_reports.figures.correlation import spearman
from synbench_reports.figures.listening import abx_bars, published_figure, read_abx, read_mushra
from synbench_reports.figures.style import looking, saved
from synbench_reports.papers.specification import read_paper


def written(run: Any, *arguments: str) -> dict[str, bytes]:
    done = CliRunner().invoke(figures, [str(run.folder), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {Path(path).name: Path(path).read_bytes() for path in done.stdout.split()}


@pytest.mark.parametrize("form", ["svg", pytest.param("pdf", marks=pytest.mark.slow)])
def test_the_same_rows_give_the_same_bytes(made_run: Any, form: str) -> None:
    kinds = ("rate", "violin", "correlation", "voicing")
    options = ["--format", form, *(text for kind in kinds for text in ("--kind", kind))]
    first = written(made_run, *options)
    assert f"speech-mos-rate.{form}" in first
    assert f"speech-mos-violin.{form}" in first
    assert f"speech-correlation.{form}" in first
    assert written(made_run, *options) == first


def test_widths_are_those_of_one_and_two_columns(made_run: Any) -> None:
    table = build_report(read_selection(made_run.folder)).tables[0]
    for width, points in ((3.35, 241.2), (7.0, 504.0)):
        svg = saved(drawn.rate_quality(table, "mos", width=width), "svg").decode()
        assert f'width="{points:g}pt"' in svg


def test_a_rate_curve_joins_the_points_of_one_codec_and_has_its_numbers(empty_run: Any) -> None:
    for index, name in ((1, "alpha:x=1"), (2, "alpha:x=2")):
        empty_run.codecs[index] = dataclasses.replace(empty_run.codecs[index], spec=name)
        for item, mos in (("a", 2.0), ("b", 3.0), ("c", 4.0)):
            seconds = empty_run.items["speech"][item]
            empty_run.decode(name, item, payload_bits=round(2000 * index * seconds))
            empty_run.score(name, item, "mos", mos)
    empty_run.begin()
    table = build_report(read_selection(empty_run.save())).tables[0]
    axes = drawn.rate_quality(table, "mos").axes[0]
    curve = axes.lines[0]
    assert list(curve.get_xdata()) == pytest.approx([2.0, 4.0])
    assert list(curve.get_ydata()) == [3.0, 3.0]


def test_recordings_alone_have_no_cost_figure(made_run: Any) -> None:
    made_run.codecs = [
        dataclasses.replace(codec, bits_counted=False, kind="recordings")
        for codec in made_run.codecs
    ]
    made_run.begin()
    assert not written(made_run, "--format", "svg", "--kind", "complexity")
    table = build_report(read_selection(made_run.folder)).tables[0]
    costs = {"Alpha": {"giga_macs": 3.3, "mega_parameters": 23.0}}
    # One point is no comparison.
    assert not drawn.has_costs(table, "mos", costs)
    costs["Beta"] = {"giga_macs": 1.0, "mega_parameters": 7.0}
    assert drawn.has_costs(table, "mos", costs)
    svg = saved(drawn.quality_complexity(table, "mos", costs), "svg").decode()
    assert "Alpha (23 M)" in svg
    assert "MAC for 1 s" in svg


def test_speakers_have_a_figure_where_they_are_known(made_run: Any) -> None:
    options = ("--format", "svg", "--kind", "speakers")
    assert not written(made_run, *options)
    words = [str(made_run.folder), "--kind", "speakers", "--kind", "speaker-box"]
    said = CliRunner().invoke(figures, words).output
    assert "no figure of kind speakers: it needs scores of several speakers" in said
    assert "no figure of kind speaker-box" in said
    items = [
        {
            "corpus": "speech",
            "item": name,
            "item_digest": f"digest {name}",
            "seconds": 1.0,
            "speaker": "one" if name == "a" else "two",
        }
        for name in "abc"
    ]
    write_table(made_run.folder / "items.parquet", items, ITEM_COLUMNS)
    assert b"one of 2 speakers" in written(made_run, *options)["speech-mos-speakers.svg"]


@pytest.mark.parametrize("rising", [True, False])
def test_names_beside_points_hide_neither_points_nor_each_other(rising: bool) -> None:
    from synbench_reports.figures.point_labels import PointLabel, label_points
    from synbench_reports.figures.style import new_figure

    figure, axes = new_figure(3.35, 2.2)
    spots = [(1.0, 1.0), (1.1, 1.01 if rising else 0.99), (2.0, 1.5), (2.02, 1.52)]
    axes.plot(*np.transpose(spots), "o", markersize=6)
    axes.margins(0.2)
    names = [
        PointLabel(text=f"Codec {n} (74.4 M)", x=x, y=y, radius=4) for n, (x, y) in enumerate(spots)
    ]
    label_points(axes, names)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not [
        (first, second)
        for first in range(4)
        for second in range(first)
        if boxes[first].overlaps(boxes[second])
    ]
    centres = [axes.transData.transform(spot) for spot in spots]
    assert not [1 for box in boxes for centre in centres if box.contains(*centre)]


def test_spearman_is_that_of_scipy() -> None:
    generator = np.random.default_rng(1)
    first = np.round(generator.normal(size=200), 1)
    second = first + generator.normal(size=200)
    second[:5] = np.nan
    expected = scipy.stats.spearmanr(first[5:], second[5:]).statistic
    assert spearman(first, second) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(spearman(np.ones(10), np.arange(10.0)))


def stream(tokens: np.ndarray, sizes: tuple[int, ...], **changes: Any) -> bytes:
    payload, bits = pack_tokens(tokens, sizes)
    values: dict[str, Any] = {"payload": payload, "payload_bits": bits}
    encoded = Encoded(spec="tokens", n_samples=320, sample_rate=16000, **values | changes)
    return write_stream(encoded)


@pytest.mark.parametrize("sizes", [(1024,), (8, 8), (5, 7, 3)])
def test_tokens_are_counted_from_the_bytes(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    generator = np.random.default_rng(2)
    paths, counts = [], [np.zeros(size, dtype=int) for size in sizes]
    for number in range(3):
        tokens = np.stack([generator.integers(0, size, 40) for size in sizes])
        for book, row in enumerate(tokens):
            counts[book] += np.bincount(row, minlength=sizes[book])
        path = tmp_path / f"{number}.syn"
        path.write_bytes(stream(tokens, sizes))
        paths.append(path)
    ours = count_tokens(paths, sizes)
    assert ours is not None
    assert all((one == other).all() for one, other in zip(ours, counts, strict=True))


def test_a_payload_with_side_information_is_no_grid_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "a.syn"
    path.write_bytes(stream(np.zeros((1, 4), dtype=int), (1024,), side_bits=8))
    assert count_tokens([path], (1024,)) is None


def test_entropy_and_use_by_hand() -> None:
    usage = Usage(codec="x", book=0, counts=np.array([2, 1, 1, 0]))
    assert usage.used == 0.75
    assert usage.entropy_bits == pytest.approx(1.5)


def test_usage_of_a_run_and_reasons_for_none(made_run: Any) -> None:
    made_run.codecs[1] = dataclasses.replace(made_run.codecs[1], codebook_sizes=(4,))
    made_run.codecs[2] = dataclasses.replace(made_run.codecs[2], codebook_sizes=(16,))
    made_run.begin()
    (made_run.folder / "bits.syn").write_bytes(stream(np.array([[0, 1, 1, 3]]), (4,)))
    for item in "abc":
        made_run.decode("alpha", item, bitstream="bits.syn")
    usages, reasons = codebook_usage(read_selection(made_run.save()), "speech")
    (usage,) = usages
    assert usage.counts.tolist() == [3, 6, 0, 3]
    assert reasons == ["Beta: no bitstream is stored"]


def test_bars_of_a_listening_test_from_its_tables(tmp_path: Path) -> None:
    mushra = tmp_path / "conditions.csv"
    mushra.write_text("condition,mean,low,high\nA,50,45,55\nB,80,78,83\n")
    assert read_mushra(mushra) == {"": {"A": (50.0, 45.0, 55.0), "B": (80.0, 78.0, 83.0)}}
    paper = read_paper("p2psyncodec")
    assert len(published_figure(paper.figures["mushra"], mushra).axes) == 3
    mushra.write_text("condition,mean,low,high,simulated\nA,50,45,55,true\n")
    assert "SIMULATED" in str(published_figure(paper.figures["mushra"], mushra).get_suptitle())
    abx = tmp_path / "preference.csv"
    abx.write_text("first,second,n_first,n_none,n_second,p_judgements\nX,P2P,5,1,9,0.25\n")
    (pair,) = read_abx(abx, "P2P")
    assert (pair.other, pair.counts, pair.p) == ("X", (9, 1, 5), 0.25)
    assert read_abx(abx)[0].counts == (5, 1, 9)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("conditions", "condition,mean,low,high\nA,50,45,55\n", "conditions-mushra.svg"),
        ("preference", "first,second,n_first,n_none,n_second\nX,Y,5,1,9\n", "preference-abx.svg"),
    ],
)
def test_a_table_of_a_listening_test_is_drawn_by_itself(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_text(text)
    done = CliRunner().invoke(figures, [str(path), "--format", "svg"], catch_exceptions=False)
    assert done.output.strip() == str(tmp_path / expected)
    path.write_text("something,else\n1,2\n")
    with pytest.raises(UsageError, match="expected the columns first, second"):
        CliRunner().invoke(figures, [str(path)], catch_exceptions=False)


def test_abx_bars_print_the_papers_shares_and_p() -> None:
    paper = read_paper("p2psyncodec").figures["abx"]
    svg = saved(abx_bars(paper.subject, paper.pairs), "svg").decode()
    for share in ("36.67 %", "22.59 %", "40.74 %", "44.63 %"):
        assert share in svg
    assert "0.2823" in svg


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("condition,mean\nA,1\n", "expected the columns condition, mean, low, high"),
        ("condition,mean,low,high\nA,1,2,3\n", "low <= mean <= high"),
        ("condition,mean,low,high\nA,x,2,3\n", "could not convert"),
        ("", "expected the columns"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_mushra(path)


def test_counts_of_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("first,second,n_first,n_none,n_second\nA,B,0,0,0\n")
    with pytest.raises(UsageError, match="counts of judgements"):
        read_abx(path)


def test_bad_complexity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("codec,macs\nA,1\n")
    with pytest.raises(UsageError, match="giga_macs or mega_parameters"):
        read_complexity(path)
    with pytest.raises(UsageError, match="cannot read"):
        read_complexity(tmp_path / "absent.csv")


def test_a_papers_figure_is_a_file_and_the_same_twice(tmp_path: Path) -> None:
    out = tmp_path / "abx.pdf"
    arguments = ["p2psyncodec", "--figure", "abx", "--out", str(out)]
    digests = set()
    for _ in range(2):
        assert CliRunner().invoke(reproduce, arguments, catch_exceptions=False).exit_code == 0
        digests.add(hashlib.sha256(out.read_bytes()).hexdigest())
    assert len(digests) == 1
    with pytest.raises(UsageError, match=r"\.svg, \.pdf, \.png"):
        CliRunner().invoke(reproduce, [*arguments[:-1], "abx.gif"], catch_exceptions=False)


def test_points_at_one_rate_stand_side_by_side_and_others_do_not_move() -> None:
    dodged = drawn._dodged([0.5, 0.5, 2.0, 0.501])
    assert dodged[2.0] == [2.0]
    aside = sorted([*dodged[0.5], *dodged[0.501]])
    assert aside[0] < 0.5 < aside[2]
    assert all(second / first > 1.03 for first, second in itertools.pairwise(aside))


def test_the_front_is_what_no_cheaper_codec_beats() -> None:
    points = [(1.0, 2.0), (2.0, 1.5), (3.0, 3.0), (0.5, 1.0), (3.0, 2.5)]
    assert drawn._front(points, rising=True) == [(0.5, 1.0), (1.0, 2.0), (3.0, 3.0)]
    assert drawn._front(points, rising=False) == [(0.5, 1.0)]


def test_a_narrow_range_has_ticks_that_can_be_read(made_run: Any) -> None:
    table = build_report(read_selection(made_run.folder)).tables[0]
    costs = {"Alpha": {"giga_macs": 3.3}, "Beta": {"giga_macs": 4.4}}
    axes = drawn.quality_complexity(table, "mos", costs).axes[0]
    assert len(axes.get_xticks()) >= 2
    assert len([line for line in axes.lines if line.get_drawstyle() == "steps-post"]) == 1


def test_slides_have_larger_letters(made_run: Any) -> None:
    table = build_report(read_selection(made_run.folder)).tables[0]
    size = drawn.rate_quality(table, "mos").axes[0].xaxis.label.get_size()
    with looking("slide"):
        assert drawn.rate_quality(table, "mos").axes[0].xaxis.label.get_size() >= 2 * size
    assert drawn.rate_quality(table, "mos").axes[0].xaxis.label.get_size() == size


def test_fonts_are_inside_a_pdf(made_run: Any) -> None:
    table = build_report(read_selection(made_run.folder)).tables[0]
    data = saved(drawn.rate_quality(table, "mos"), "pdf")
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
