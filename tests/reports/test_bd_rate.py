"""BD-rate and BD-quality: published and foreign numbers, distances known by construction, bands."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench.statistics.bd_rate import (
    Curve,
    CurveError,
    Method,
    bd_bands,
    bd_quality,
    bd_rate,
    falling_steps,
    shared_quality,
)
from synbench_reports.commands.compare import compare

from .conftest import codec


def curve(rates: list[float], qualities: list[float]) -> Curve:
    return Curve(np.array(rates), np.array(qualities))


# From JCTVC-E137, with the BD-rates that VMAF's calculator was validated with: shares, not percent.
E137_1 = (
    curve([108048.8736, 61279.976, 33905.6656, 18883.6928], [43.6471, 40.3953, 37.247, 34.2911]),
    curve([108061.2784, 61299.9936, 33928.7472, 18910.912], [43.6768, 40.4232, 37.2761, 34.3147]),
)
E137_2 = (
    curve([40433.8848, 7622.7456, 2394.488, 1017.6184], [37.5761, 35.3756, 33.8977, 32.0603]),
    curve([40370.12, 7587.0024, 2390.0944, 1017.0984], [37.5982, 35.4025, 33.9194, 32.0822]),
)
# The example that most open implementations of VCEG-M33 carry.
COMMON = (
    curve([686.76, 309.58, 157.11, 85.95], [40.28, 37.18, 34.24, 31.42]),
    curve([893.34, 407.8, 204.93, 112.75], [40.39, 37.21, 34.17, 31.24]),
)
# Five points against four, with a quarter of the rates in common.
SPEECH = (
    curve([6.0, 9.0, 12.0, 16.0, 24.0], [1.61, 2.27, 3.02, 3.61, 4.17]),
    curve([1.5, 3.0, 6.0, 12.0], [1.55, 2.21, 2.83, 3.30]),
)


@pytest.mark.parametrize(
    ("pair", "published"), [(E137_1, -0.465215420752807), (E137_2, -1.8779823450567612)]
)
def test_the_published_rates_of_the_standard(pair: tuple[Curve, Curve], published: float) -> None:
    assert bd_rate(*pair) == pytest.approx(published, abs=1e-5)


# What the package bjontegaard 1.3.0 (scipy 1.17.1) gives for the same points.
@pytest.mark.parametrize(
    ("pair", "method", "rate", "quality"),
    [
        (E137_1, "pchip", -0.4652154207524628, 0.02505021125935584),
        (E137_1, "akima", -0.46512033118071283, 0.0250573519508571),
        (E137_1, "cubic", -0.46441542003275993, 0.025059986247512576),
        (E137_2, "pchip", -1.8779823450566169, 0.028471891040305668),
        (E137_2, "akima", -1.8651320008330363, 0.028074864268297594),
        (E137_2, "cubic", -1.9101686785261807, 0.02870381233133287),
        (COMMON, "pchip", 31.379878202397627, -1.1834724046224592),
        (COMMON, "akima", 31.38398898434116, -1.183658970073208),
        (COMMON, "cubic", 31.3973740549095, -1.1848979217703506),
        (SPEECH, "pchip", -57.35231941426389, 0.8659630052173424),
        (SPEECH, "akima", -57.328249095389694, 0.8707826378953228),
        (SPEECH, "cubic", -57.39792777078545, 0.8742566910719654),
    ],
)
def test_another_program_gives_the_same(
    pair: tuple[Curve, Curve], method: Method, rate: float, quality: float
) -> None:
    assert bd_rate(*pair, method=method) == pytest.approx(rate, rel=1e-8)
    assert bd_quality(*pair, method=method) == pytest.approx(quality, rel=1e-8)


@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
def test_half_the_bits_and_a_shift_are_found_by_construction(method: Method) -> None:
    anchor = SPEECH[0]
    halved = Curve(anchor.rates / 2, anchor.qualities)
    better = Curve(anchor.rates[::-1], anchor.qualities[::-1] + 0.3)
    assert bd_rate(anchor, halved, method=method) == pytest.approx(-50)
    assert bd_rate(halved, anchor, method=method) == pytest.approx(100)
    assert bd_quality(anchor, better, method=method) == pytest.approx(0.3)


@pytest.mark.parametrize(("method", "fewest"), [("pchip", 3), ("akima", 3), ("cubic", 4)])
def test_too_few_points_are_refused(method: Method, fewest: int) -> None:
    anchor, test = SPEECH
    few = Curve(test.rates[: fewest - 1], test.qualities[: fewest - 1])
    for distance in (bd_rate, bd_quality):
        with pytest.raises(CurveError, match=f"{method} needs {fewest} points of the test"):
            distance(anchor, few, method=method)
    enough = Curve(test.rates[-fewest:], test.qualities[-fewest:])
    assert np.isfinite(bd_rate(anchor, enough, method=method))


def test_curves_that_share_nothing_are_refused() -> None:
    anchor = SPEECH[0]
    with pytest.raises(CurveError, match="share no range of quality"):
        bd_rate(anchor, Curve(anchor.rates, anchor.qualities + 5))
    with pytest.raises(CurveError, match="share no range of rate"):
        bd_quality(anchor, Curve(anchor.rates * 10, anchor.qualities))
    assert shared_quality(anchor, Curve(anchor.rates, anchor.qualities + 5))[2] == 0


def test_a_curve_that_falls_has_a_quality_but_no_rate() -> None:
    anchor = SPEECH[0]
    falling = Curve(anchor.rates, np.array([1.6, 2.3, 2.2, 3.6, 4.2]))
    with pytest.raises(CurveError, match="does not rise with every step"):
        bd_rate(anchor, falling)
    assert np.isfinite(bd_quality(anchor, falling))
    assert falling_steps(falling) == 1


def test_two_points_at_one_rate_are_refused() -> None:
    anchor = SPEECH[0]
    with pytest.raises(CurveError, match="same rate"):
        bd_quality(anchor, Curve(np.array([6.0, 6.0, 12.0]), np.array([1.0, 2.0, 3.0])))


RATES = np.array([4.0, 8.0, 16.0, 4.0, 8.0, 16.0])
LEVELS = np.array([1.5, 2.5, 3.5, 1.8, 2.8, 3.8])


def test_bands_over_speakers_are_as_wide_as_speakers_disagree() -> None:
    """The test is better by 0.3 of the metric, with speakers who disagree about that."""
    generator = np.random.default_rng(3)
    speakers = np.repeat(np.arange(20), 3)
    covered, widths = 0, []
    trials = 15
    for _ in range(trials):
        taste = np.zeros((20, 6))
        taste[:, 3:] = generator.normal(0, 0.2, (20, 1))
        values = LEVELS + taste[speakers] + generator.normal(0, 0.03, (60, 6))
        shared: dict[str, Any] = {
            "values": values,
            "sizes": np.ones_like(values),
            "rates": np.broadcast_to(RATES, values.shape),
            "seconds": np.ones(60),
            "anchors": 3,
            "replicates": 100,
        }
        _, band = bd_bands(**shared, clusters=speakers)
        _, items = bd_bands(**shared)
        covered += band.low <= 0.3 <= band.high
        widths.append((band.high - band.low) / (items.high - items.low))
    assert covered >= 0.8 * trials
    # Three items of a speaker say hardly more than one: wider by the root of 3 than over items.
    assert np.mean(widths) == pytest.approx(np.sqrt(3), rel=0.15)


def test_equal_speakers_give_a_band_of_no_width_and_few_speakers_none() -> None:
    values = np.tile(LEVELS, (12, 1))
    shared: dict[str, Any] = {
        "values": values,
        "sizes": np.ones_like(values),
        "rates": np.broadcast_to(RATES, values.shape),
        "seconds": np.ones(12),
        "anchors": 3,
        "replicates": 50,
    }
    rate, quality = bd_bands(**shared, clusters=np.repeat(np.arange(6), 2))
    expected = bd_rate(Curve(RATES[:3], LEVELS[:3]), Curve(RATES[3:], LEVELS[3:]))
    assert (rate.low, rate.high) == pytest.approx((expected, expected))
    assert (quality.low, quality.high) == pytest.approx((0.3, 0.3))
    rate, _ = bd_bands(**shared, clusters=np.repeat(np.arange(4), 3))
    assert np.isnan(rate.low)


def test_draws_without_a_distance_take_the_band_away() -> None:
    generator = np.random.default_rng(4)
    values = np.tile(LEVELS, (8, 1)) + generator.normal(0, 3, (8, 6))
    rate, _ = bd_bands(
        values=values,
        sizes=np.ones_like(values),
        rates=np.broadcast_to(RATES, values.shape),
        seconds=np.ones(8),
        anchors=3,
        replicates=60,
    )
    assert rate.undefined > 0.05
    assert np.isnan(rate.low)


@pytest.fixture
def curves_run(empty_run: Any) -> Any:
    """New needs half the bits of old, few has two points; twelve items of six speakers."""
    points = [("old", rate) for rate in (4, 8, 16)] + [("new", rate) for rate in (2, 4, 8)]
    points += [("few", rate) for rate in (4, 8)]
    empty_run.codecs = [
        codec(
            f"{name.capitalize()} {rate}",
            spec=f"{name}:kbps={rate}",
            nominal_bitrate_bps=Fraction(1000 * rate),
        )
        for name, rate in points
    ]
    names = [f"i{number}" for number in range(12)]
    empty_run.items = {"speech": dict.fromkeys(names, 2.0)}
    empty_run.begin()
    noise = np.random.default_rng(5).normal(0, 0.05, (12, len(points)))
    noise -= noise.mean(axis=0)
    for number, name in enumerate(names):
        for index, (kind, rate) in enumerate(points):
            level = np.log2(rate * (2 if kind == "new" else 1))
            spec = f"{kind}:kbps={rate}"
            empty_run.decode(spec, name, payload_bits=2000 * rate)
            empty_run.score(spec, name, "mos", 1 + level / 2 + noise[number, index])
            empty_run.score(spec, name, "error", 0.6 - level / 10)
    folder = empty_run.save()
    items = [
        {
            "corpus": "speech",
            "item": name,
            "item_digest": f"digest {name}",
            "seconds": 2.0,
            "speaker": f"s{number // 2}",
        }
        for number, name in enumerate(names)
    ]
    write_table(folder / "items.parquet", items, ITEM_COLUMNS)
    return empty_run


def compared(*arguments: object) -> dict[str, dict[str, str]]:
    texts = [*map(str, arguments), "--format", "csv"]
    done = CliRunner().invoke(compare, texts, catch_exceptions=False)
    return {line["test"]: line for line in csv.DictReader(io.StringIO(done.output))}


def test_compare_finds_half_the_bits(curves_run: Any) -> None:
    by_codec = compared(curves_run.folder, "--bd-rate", "mos", "--against", "old")
    assert list(by_codec) == ["new", "few"]
    new = by_codec["new"]
    assert float(new["bd_rate_percent"]) == pytest.approx(-50)
    assert float(new["bd_rate_low"]) < -50 < float(new["bd_rate_high"]) < 0
    assert float(new["bd_quality"]) == pytest.approx(0.5)
    assert (new["items"], new["clusters"]) == ("12", "6")
    assert by_codec["few"]["bd_rate_percent"] == "nan"
    assert "pchip needs 3 points of the test, got 2" in by_codec["few"]["remarks"]


def test_where_lower_is_better_the_difference_keeps_its_sense(curves_run: Any) -> None:
    new = compared(curves_run.folder, "--bd-rate", "error", "--against", "old")["new"]
    assert float(new["bd_rate_percent"]) == pytest.approx(-50)
    assert float(new["bd_quality"]) == pytest.approx(-0.1)
    assert float(new["bd_quality_low"]) <= float(new["bd_quality_high"])
    # Errors from 0.4 at 4 kbit/s to 0.2 at 16 kbit/s, and the same of the new codec at half.
    assert (float(new["shared_low"]), float(new["shared_high"])) == pytest.approx((0.2, 0.4))


def test_labels_make_a_curve_and_the_text_says_what_was_refused(curves_run: Any) -> None:
    labels = "Old 4, Old 8, Old 16"
    arguments = [str(curves_run.folder), "--bd-rate", "mos", "--against"]
    by_labels = compared(*arguments, labels)["new"]
    by_name = compared(*arguments, "old")["new"]
    assert by_labels["bd_rate_percent"] == by_name["bd_rate_percent"]
    text = CliRunner().invoke(compare, [*arguments, "old"], catch_exceptions=False).output
    assert "95 % bands over speakers" in text
    assert "no BD-rate: pchip needs 3 points of the test, got 2" in text
    text = CliRunner().invoke(compare, [*arguments, "old", "--bd-method", "cubic"]).output
    assert "cubic needs 4 points of the anchor, got 3" in text


def test_an_item_that_one_point_lacks_counts_for_none(curves_run: Any) -> None:
    curves_run.score("new:kbps=2", "i0", "mos", reason="crashed")
    curves_run.save()
    new = compared(curves_run.folder, "--bd-rate", "mos", "--against", "old")["new"]
    assert new["items"] == "11"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bd-rate", "mos"), "--against one of old, new, few"),
        (("--bd-rate", "mos", "--against", "older"), "no curve and no codec 'older'"),
        (("--bd-rate", "moos", "--against", "old"), "no metric 'moos'"),
        (("--bd-rate", "mos", "--against", "old", "--fixed"), "--bd-rate goes with"),
        (("--bd-rate", "mos", "--against", "old", "--margin", "mos=1"), "--bd-rate goes with"),
    ],
)
def test_what_cannot_be_asked(curves_run: Any, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compared(curves_run.folder, *arguments)
