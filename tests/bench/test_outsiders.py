"""A codec and a metric of somebody else's package enter through one file each, touching nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet

MODULE = '''
    """One codec (8-bit mu-law) and one metric (share of equal signs)."""
    import numpy as np
    from fractions import Fraction
    from synbench_codecs import CodecInfo, Encoded, check_wave
    from synbench_metrics import Metric, MetricInfo

    class MuLaw:
        """ITU-T G.711's curve, without its segments."""
        points = ({"bits": 8}, {"bits": 4})

        def __init__(self, *, bits: int = 8):
            self.bits = bits
            self.info = CodecInfo(
                spec=f"mulaw:bits={bits}", label=f"mu-law {bits} bit", kind="classical",
                adapter_version=1, implementation="outsider 1.0", sample_rate=8000,
                output_sample_rate=8000, nominal_bitrate_bps=Fraction(8000 * bits),
                bits_per_frame=bits, source="G.711")

        def encode(self, wave, sample_rate):
            wave = check_wave(wave, sample_rate, info=self.info)
            curve = np.sign(wave) * np.log1p(255 * np.abs(wave)) / np.log(256)
            levels = np.round((curve + 1) / 2 * (2 ** self.bits - 1)).astype(np.uint8)
            unpacked = np.unpackbits(levels[:, None], axis=1)[:, 8 - self.bits:]
            return Encoded(spec=self.info.spec, payload=np.packbits(unpacked).tobytes(),
                           payload_bits=unpacked.size, n_samples=wave.size, sample_rate=8000,
                           model_digest=self.info.model_digest)

        def decode(self, encoded):
            bits = np.unpackbits(np.frombuffer(encoded.payload, np.uint8))
            rows = bits[: encoded.payload_bits].reshape(-1, self.bits)
            levels = rows @ (1 << np.arange(self.bits)[::-1])
            curve = levels / (2 ** self.bits - 1) * 2 - 1
            return (np.sign(curve) * (256 ** np.abs(curve) - 1) / 255).astype(np.float32)

    def _equal_signs(*, reference, degraded, sample_rate):
        return float(np.mean((reference >= 0) == (degraded >= 0)))

    EQUAL_SIGNS = Metric(
        info=MetricInfo(
            column="equal_signs", label="Equal signs", unit="", direction="up", minimum=0.0,
            maximum=1.0, sample_rates=(), implementation="outsider", version="1.0",
            cpu_seconds_per_audio_second=1e-4, source="none"),
        compute=_equal_signs)
'''


def test_a_codec_and_a_metric_in_one_file(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    install: Callable[..., Path],
    synbench: Callable[..., Any],
    tmp_path: Path,
) -> None:
    outside = install(
        MODULE,
        {
            "synbench.codecs": {"mulaw": "MuLaw"},
            "synbench.metrics": {"equal_signs": "EQUAL_SIGNS"},
        },
    )
    listed = json.loads(synbench("codecs", "--json", paths=(outside,)).stdout)
    assert {"mulaw:bits=8", "mulaw:bits=4"} <= {fact["spec"] for fact in listed}
    assert "equal_signs" in synbench("metrics", paths=(outside,)).stdout
    suite = write_suite(
        speech_folder,
        codecs=["mulaw:bits=8", {"codec": "mulaw", "options": {"bits": 4}, "label": "coarse"}],
        metrics=["equal_signs"],
    )
    run = tmp_path / "run"
    done = synbench("run", suite, "--out", run, "--workers", "2", paths=(outside,))
    assert done.returncode == 0, done.stderr
    rows = [
        row
        for file in (run / "scores").glob("*.parquet")
        for row in pyarrow.parquet.read_table(file).to_pylist()
    ]
    mean = {
        spec: sum(row["value"] for row in rows if row["codec"] == spec) / 3
        for spec in ("mulaw:bits=8", "mulaw:bits=4")
    }
    assert 0.5 < mean["mulaw:bits=4"] < mean["mulaw:bits=8"] <= 1.0
    assert "coarse" in done.stdout
    assert "64.0" in done.stdout, "8 bits at 8 kHz are counted"


def test_a_broken_package_spoils_nothing_else(
    install: Callable[..., Path], synbench: Callable[..., Any]
) -> None:
    outside = install("import nothing_of_this_name", {"synbench.codecs": {"broken": "Codec"}})
    listed = synbench("codecs", paths=(outside,))
    assert listed.returncode == 0
    assert "nothing_of_this_name" in listed.stdout
    assert "passthrough" in listed.stdout
