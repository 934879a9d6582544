"""From a codec with codebooks and a metric with counts to rows, tables and token statistics."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from synbench.tokens import tokens_of
from synbench_codecs import Encoded, pack_tokens

MODULE = '''
    """A quantiser with two codebooks, and a metric that counts, embeds and takes batches."""
    from fractions import Fraction
    import numpy as np
    from synbench_codecs import CodecInfo, Encoded, check_wave, pack_tokens, unpack_tokens
    from synbench_metrics import Measured, Metric, MetricInfo

    class Books:
        points = ({},)

        def __init__(self):
            self.info = CodecInfo(
                spec="books", label="Books", kind="neural", adapter_version=1,
                implementation="outsider 1.0", sample_rate=16000, output_sample_rate=16000,
                hop_length=160, frame_rate_hz=Fraction(100), codebook_sizes=(16, 5),
                nominal_bitrate_bps=None, source="tests")

        def encode(self, wave, sample_rate):
            wave = check_wave(wave, sample_rate, info=self.info)
            frames = np.resize(wave, (-(-wave.size // 160), 160))
            level = np.sqrt(np.mean(frames**2, axis=1))
            tokens = np.stack([np.minimum(level * 60, 15), np.arange(len(frames)) % 5])
            payload, bits = pack_tokens(tokens.astype(int), self.info.codebook_sizes)
            return Encoded(spec="books", payload=payload, payload_bits=bits,
                           n_samples=wave.size, sample_rate=16000,
                           model_digest=self.info.model_digest)

        def decode(self, encoded):
            frames = -(-encoded.n_samples // 160)
            tokens = unpack_tokens(encoded.payload, self.info.codebook_sizes, frames)
            sound = np.sin(np.arange(160) / 5) * np.sqrt(2)
            wave = ((tokens[0] + 0.5) / 60)[:, None] * sound
            return wave.reshape(-1)[: encoded.n_samples].astype(np.float32)

    def _one(*, reference, degraded, sample_rate):
        return _many(reference=reference, degraded=degraded[None], sample_rate=sample_rate)[0]

    def _many(*, reference, degraded, sample_rate):
        words = float(reference.size // 4000)
        return [
            Measured(value=len(degraded) / 10, weight=words, details={"hits": 1, "said": "ä"},
                     vector=(float(reference[0]), float(wave[0])))
            for wave in degraded
        ]

    COUNTS = Metric(
        MetricInfo(
            column="counts", label="Counts", unit="", direction="down", minimum=0.0, maximum=None,
            sample_rates=(), implementation="outsider", version="1.0", pooling="weighted_mean",
            batch_policy="equal_length", cpu_seconds_per_audio_second=1e-4, source="none"),
        _one, compute_batch=_many)
'''


@pytest.fixture
def finished(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    install: Callable[..., Path],
    synbench: Callable[..., Any],
    tmp_path: Path,
) -> tuple[Path, Path, Path]:
    outside = install(
        MODULE, {"synbench.codecs": {"books": "Books"}, "synbench.metrics": {"counts": "COUNTS"}}
    )
    suite = write_suite(
        speech_folder, codecs=["passthrough", "books", "lowpass-3k5"], metrics=["counts", "si_sdr"]
    )
    run = tmp_path / "run"
    done = synbench("run", suite, "--out", run, "--workers", "0", "--quiet", paths=(outside,))
    assert done.returncode in (0, 1), done.stderr  # the uncoded reference has no SI-SDR
    return run, suite, outside


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [
        row
        for file in (run / "scores").glob("*.parquet")
        for row in pyarrow.parquet.read_table(file).to_pylist()
    ]


def test_codecs_of_one_item_are_scored_together(finished: Any) -> None:
    rows = [row for row in rows_of(finished[0]) if row["metric"] == "counts"]
    assert {row["value"] for row in rows} == {0.3}, "three codecs in one pass"
    assert {row["weight"] for row in rows} == {4.0}
    assert json.loads(rows[0]["details"]) == {"hits": 1, "said": "ä"}
    assert np.frombuffer(rows[0]["vector"], "<f4").size == 2
    assert all(row["cpu_seconds"] >= 0 for row in rows)
    others = [row for row in rows_of(finished[0]) if row["metric"] == "si_sdr"]
    assert {row["weight"] for row in others if row["status"] == "ok"} == {1.0}
    assert all(row["vector"] is None and row["details"] is None for row in others)


def test_tokens_are_read_from_the_stored_streams(finished: Any, synbench: Any) -> None:
    run, _, outside = finished
    done = synbench("tokens", run, "--json", paths=(outside,))
    assert done.returncode == 0, done.stderr
    by_label = {fact["label"]: fact for fact in json.loads(done.stdout)}
    books = by_label["Books"]
    assert (books["items"], books["without"]) == (3, 0)
    assert [book["tokens"] for book in books["books"]] == [300, 300]
    counter = books["books"][1]
    assert counter["usage"] == 1.0
    assert counter["entropy"] == pytest.approx(np.log2(5))
    assert counter["conditional_entropy"] == pytest.approx(0.0, abs=1e-9)
    assert books["entropy_bps"] == pytest.approx(
        100 * sum(book["entropy"] for book in books["books"])
    )
    assert by_label["Reference"]["reason"] == "it has no codebooks"
    shown = synbench("tokens", run, "--books", paths=(outside,))
    assert "Books, 1" in shown.stdout


def test_a_damaged_stream_is_left_out_and_said(finished: Any, synbench: Any) -> None:
    run, _, outside = finished
    stream = next((run / "bitstreams").glob("books*/*/a.*.syn"))
    stream.write_bytes(stream.read_bytes()[:-3])
    done = synbench("tokens", run, paths=(outside,))
    assert "1 streams left out" in done.stdout


def test_a_folder_without_a_run_is_a_usage_error(synbench: Any, tmp_path: Path) -> None:
    done = synbench("tokens", tmp_path / "nothing")
    assert done.returncode == 2
    assert "holds no run" in done.stderr


@pytest.mark.parametrize("sizes", [(1024,), (1024, 1024, 7), (3,), (5, 6, 1)])
@pytest.mark.parametrize("frames", [1, 7, 500])
def test_tokens_come_back(sizes: tuple[int, ...], frames: int) -> None:
    generator = np.random.default_rng(0)
    tokens = np.stack([generator.integers(0, size, frames) for size in sizes])
    payload, bits = pack_tokens(tokens, sizes)
    stream = Encoded(spec="x", payload=payload, payload_bits=bits, n_samples=1, sample_rate=16000)
    decoded = tokens_of(stream, sizes)
    assert decoded is not None
    assert np.array_equal(decoded, tokens)


def test_a_stream_with_side_information_has_no_tokens_alone() -> None:
    payload, bits = pack_tokens(np.zeros((1, 4), int), (16,))
    stream = Encoded(
        spec="x", payload=payload, payload_bits=bits, n_samples=1, sample_rate=16000, side_bits=4
    )
    assert tokens_of(stream, (16,)) is None
    assert tokens_of(stream, ()) is None
