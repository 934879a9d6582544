"""How long a million stored scores take to become a table."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from synbench.results.cells import OK, Store
from synbench.results.planned import read_planned
from synbench_reports.render.markdown import render_markdown
from synbench_reports.tables.build_report import build_report, read_selection

MAKER = Path(__file__).parents[1] / "reports" / "conftest.py"
ITEMS, CODECS, METRICS, SHARDS = 5000, 20, 10, 200


def write_scores(folder: Path, policy_id: str, *, items: int, codecs: int, metrics: int) -> None:
    """All rows in 200 shards, as a long run leaves them."""
    (folder / "scores").mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    per_shard = items // SHARDS
    codec = np.tile(np.repeat(np.arange(codecs), metrics), per_shard)
    metric = np.tile(np.arange(metrics), per_shard * codecs)
    count = len(codec)
    item = np.repeat(np.arange(per_shard), codecs * metrics)
    codec_names = _texts([f"codec{number}" for number in range(codecs)], codec)
    metric_names = _texts([f"metric{number}" for number in range(metrics)], metric)
    for shard in range(SHARDS):
        numbers = range(shard * per_shard, (shard + 1) * per_shard)
        columns: dict[str, Any] = {
            "corpus": _texts(["speech"], np.zeros_like(item)),
            "item": _texts([f"item{number}" for number in numbers], item),
            "item_digest": _texts([f"digest item{number}" for number in numbers], item),
            "codec": codec_names,
            "codec_id": codec_names,
            "metric": metric_names,
            "metric_id": metric_names,
            "policy_id": _texts([policy_id], np.zeros_like(item)),
            "status": _texts(["ok"], np.zeros_like(item)),
            "value": generator.normal(3, 1, count),
            "reason": _texts([""], np.zeros_like(item)),
            "transient": np.zeros(count, dtype=bool),
            "written": np.arange(count, dtype=float),
            "cpu_seconds": np.ones(count),
        }
        path = folder / "scores" / f"{shard:04}.parquet"
        pyarrow.parquet.write_table(pyarrow.table(columns), path)


def _texts(texts: list[str], index: NDArray[Any]) -> pyarrow.Array:
    """A long column of few texts."""
    return pyarrow.array(texts).take(pyarrow.array(index))


def maker() -> Any:
    """The helpers of the tests of reports, which make run folders by hand."""
    spec = importlib.util.spec_from_file_location("made_runs", MAKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def big_run(folder: Path, items: int, codecs: int, metrics: int) -> Path:
    """A run folder with every planned score."""
    made = maker()
    made.MadeRun(
        folder=folder,
        codecs=[made.codec(f"codec{number}") for number in range(codecs)],
        metrics=[made.metric(f"metric{number}") for number in range(metrics)],
        items={"speech": {f"item{number}": 1.0 for number in range(items)}},
    ).begin()
    policy_id = read_planned(folder).policy_id
    write_scores(folder, policy_id, items=items, codecs=codecs, metrics=metrics)
    return folder


class Clock:
    """CPU seconds since the last reading: what counts on a machine that others use too."""

    def __init__(self) -> None:
        self.last = time.process_time()

    def seconds(self) -> float:
        now = time.process_time()
        passed, self.last = now - self.last, now
        return passed


@pytest.mark.benchmark
def test_a_million_scores_become_a_table_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")
    from synbench_reports.commands.figures import run_figures
    from synbench_reports.figures.style import saved

    folder = big_run(tmp_path, ITEMS, CODECS, METRICS)
    clock = Clock()
    cells = Store(read_planned(folder)).cells("speech")
    read = clock.seconds()
    text = render_markdown(build_report(read_selection(folder)))
    table = clock.seconds()
    kinds = ("rate", "box", "correlation")
    one = [
        saved(figure, "svg") for _, figure in run_figures(read_selection(folder), kinds, 7.0, {}, 1)
    ]
    figures = clock.seconds()
    with capsys.disabled():
        print(
            f"\n{cells.status.size} scores, CPU seconds: read {read:.2f}; table with intervals and "
            f"tests {table:.2f}; {len(one)} figures {figures:.2f}"
        )
    assert (cells.status == OK).all()
    assert "metric9" in text.lower()
    assert table < 2
    assert figures < 10


@pytest.mark.benchmark
def test_a_page_of_two_thousand_items_and_ten_codecs_opens_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], launch_chromium: Callable[..., Any]
) -> None:
    from synbench_reports.pages.report import report_page

    folder = big_run(tmp_path, 2000, 10, 10)
    clock = Clock()
    text = report_page(read_selection(folder), beside=folder)
    written = clock.seconds()
    (folder / "report.html").write_text(text, encoding="utf-8")
    view = launch_chromium().new_page()
    view.goto((folder / "report.html").as_uri())
    ready = view.evaluate(
        "performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
    )
    sort = view.evaluate(
        "() => { const start = performance.now();"
        " document.querySelectorAll('.items thead button')[5].click();"
        " return performance.now() - start; }"
    )
    rows = view.locator(".items tbody tr").count()
    with capsys.disabled():
        print(
            f"\n2000 items x 10 codecs x 10 metrics: {len(text) / 1e6:.1f} MB in "
            f"{written:.1f} CPU s; ready after {ready} ms, sorted in {sort:.0f} ms"
        )
    assert rows == 15
    assert len(text) < 10e6
    assert written < 20
    assert ready < 5000
    assert sort < 500
