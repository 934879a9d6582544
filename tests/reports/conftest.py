"""A run folder made by hand: written with the store's own functions, filled cell by cell."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from synbench.results.store import RunFolder
from synbench_codecs import CodecInfo
from synbench_metrics import MetricInfo

POLICY = "policy-of-today"


def codec(label: str, **changes: Any) -> CodecInfo:
    values: dict[str, Any] = {
        "spec": label.lower().replace(" ", "-"),
        "label": label,
        "kind": "neural",
        "adapter_version": 1,
        "implementation": "made by hand",
        "sample_rate": 16000,
        "output_sample_rate": 16000,
        "nominal_bitrate_bps": Fraction(1500),
    }
    return CodecInfo(**values | changes)


def metric(column: str, **changes: Any) -> MetricInfo:
    values: dict[str, Any] = {
        "column": column,
        "label": column.upper(),
        "unit": "MOS",
        "direction": "up",
        "minimum": 1.0,
        "maximum": 5.0,
        "sample_rates": (16000,),
        "implementation": "handmade",
        "version": "1.0",
        "cpu_seconds_per_audio_second": 0.1,
        "source": "This test",
    }
    return MetricInfo(**values | changes)


@pytest.fixture(scope="session")
def axe_violations() -> Callable[[Any], str]:
    """What axe-core finds wrong with an open page, as JSON."""
    package = pytest.importorskip("axe_playwright_python", reason="no axe-playwright-python")
    script = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def violations(view: Any) -> str:
        view.evaluate(script)
        ids = "axe.run().then((all) => all.violations.map((one) => [one.id, one.nodes[0].html]))"
        return json.dumps(view.evaluate(ids))

    return violations


@pytest.fixture
def mushra_analysis(tmp_path: Path) -> Path:
    """What ``synbench listen analyse`` writes of a MUSHRA test of six listeners, one too careless.

    Alpha has 20, 22, ..., 30 and Beta 40 from everyone but the sixth, who hears no reference.
    """
    from click.testing import CliRunner

    from synbench_listening.commands.analyse import analyse

    lines = ["test,session,listener,item,condition,score"]
    for listener in range(6):
        scores = {"reference": 100, "anchor70": 30, "Alpha": 20 + 2 * listener, "Beta": 40}
        scores |= {"reference": 50} if listener == 5 else {}
        lines += [
            f"mushra,s{listener},L{listener},{item},{condition},{score}"
            for item in "abc"
            for condition, score in scores.items()
        ]
    table, out = tmp_path / "ratings.csv", tmp_path / "mushra"
    table.write_text("\n".join(lines))
    words = [str(table), "--out", str(out), "--no-mixed-model"]
    done = CliRunner().invoke(analyse, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out


@dataclasses.dataclass
class MadeRun:
    """A run under construction; ``save`` writes what was added since the last call."""

    folder: Path
    codecs: list[CodecInfo]
    metrics: list[MetricInfo]
    items: dict[str, dict[str, float]]
    corpus_notes: dict[str, str] = dataclasses.field(default_factory=dict)
    skipped: list[dict[str, str]] = dataclasses.field(default_factory=list)
    suite: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "made"})
    clock: float = 1000.0
    rows: dict[str, list[dict[str, Any]]] = dataclasses.field(
        default_factory=lambda: defaultdict(list)
    )

    def begin(self) -> Path:
        """Write the plan."""
        items = [
            {"corpus": corpus, "item": item, "item_digest": f"digest {item}", "seconds": seconds}
            for corpus, durations in self.items.items()
            for item, seconds in durations.items()
        ]
        RunFolder(self.folder).begin(self._manifest(), items)
        return self.folder

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": 1,
            "started": "2026-01-01T00:00:00Z",
            "suite": self.suite,
            "policy": {"resampler": "handmade VHQ", "level": "unchanged"},
            "policy_id": POLICY,
            "host": {"processor": "an abacus"},
            "packages": {"numpy": "2.0"},
            "codecs": [
                {"label": info.label, "codec_id": info.spec, **info.to_json()}
                for info in self.codecs
            ],
            "metrics": [{"metric_id": info.column, **info.to_json()} for info in self.metrics],
            "corpora": [
                {
                    "name": name,
                    "spec": name,
                    "digest": "0" * 16,
                    "items": len(durations),
                    "seconds": sum(durations.values()),
                    "licence": "",
                    "note": self.corpus_notes.get(name, ""),
                    "target_rate": None,
                }
                for name, durations in self.items.items()
            ],
            "skipped": self.skipped,
        }

    def decode(self, codec: str, item: str, corpus: str = "speech", **values: Any) -> None:
        """Add a row of the decoding stage; a success unless said otherwise."""
        measured = {
            "payload_bits": 3000,
            "side_bits": 100,
            "encode_cpu_seconds": 0.2,
            "encode_wall_seconds": 0.4,
            "decode_cpu_seconds": 0.1,
            "decode_wall_seconds": 0.3,
            "lag_seconds": 0.0,
            "correlation": 0.9,
            "clipped_samples": 0,
            "filled_samples": 0,
        }
        row = self._row(codec, item, corpus) | {"status": "ok", "threads": 1} | measured
        self.rows["decodes"].append(row | values)

    def score(
        self, codec: str, item: str, metric: str, value: float | None = None, **values: Any
    ) -> None:
        """Add a score; without a value, ``status`` and ``reason`` say what happened."""
        row = self._row(codec, item, values.pop("corpus", "speech"))
        row |= {"metric": metric, "metric_id": metric, "cpu_seconds": 0.1}
        row |= {"status": "failed" if value is None else "ok", "value": value}
        self.rows["scores"].append(row | values)

    def _row(self, codec: str, item: str, corpus: str) -> dict[str, Any]:
        self.clock += 1
        return {
            "corpus": corpus,
            "item": item,
            "item_digest": f"digest {item}",
            "codec": codec,
            "codec_id": codec,
            "policy_id": POLICY,
            "reason": "",
            "transient": False,
            "written": self.clock,
        }

    def save(self) -> Path:
        """Write the rows, one file per stage."""
        for stage, rows in self.rows.items():
            RunFolder(self.folder).add(stage, rows)
        self.rows.clear()
        return self.folder


@pytest.fixture
def empty_run(tmp_path: Path) -> MadeRun:
    """Three codecs, two metrics, three items of 2, 4 and 6 s; planned, with no row yet."""
    made = MadeRun(
        folder=tmp_path / "runs" / "made",
        codecs=[
            codec("Reference", kind="anchor", nominal_bitrate_bps=None),
            codec("Alpha"),
            codec("Beta", nominal_bitrate_bps=Fraction(6000)),
        ],
        metrics=[
            metric("mos"),
            metric("error", unit="", direction="down", minimum=0.0, maximum=1.0, mode="strict"),
        ],
        items={"speech": {"a": 2.0, "b": 4.0, "c": 6.0}},
    )
    made.begin()
    return made


@pytest.fixture
def made_run(empty_run: MadeRun) -> MadeRun:
    """The same run with every cell scored: alpha has mean mos 2, beta 3, the reference 5."""
    means = {"reference": (5.0, 0.0), "alpha": (2.0, 0.25), "beta": (3.0, 0.5)}
    for name, (mos, error) in means.items():
        for item, offset in (("a", -0.5), ("b", 0.0), ("c", 0.5)):
            empty_run.decode(name, item)
            empty_run.score(name, item, "mos", mos + (0 if name == "reference" else offset))
            empty_run.score(name, item, "error", error)
    empty_run.save()
    return empty_run
