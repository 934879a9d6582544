"""What ``synbench new`` writes: a small thing that works, and a test of it.

NAME, MODULE and CLASS stand for the name, the module and the class.
"""

from __future__ import annotations

__all__ = ["NEXT_STEPS", "SKELETONS"]

CODEC = '''"""NAME: 8 bits a sample by the mu-law. Put your codec in its place."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from synbench_codecs import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs.errors import BitstreamError

SAMPLE_RATE = 16000
BITS = 8
MU = 255


class CLASS:
    """A codec: what it is in ``info``, its encoder, its decoder."""

    points: ClassVar[tuple[dict[str, Any], ...]] = ({},)  # options worth listing and testing

    def __init__(self) -> None:
        self.info = CodecInfo(
            spec="NAME",
            label="CLASS",
            kind="neural",
            adapter_version=1,  # raise it whenever the output may change
            implementation="CLASS 0.1",
            sample_rate=SAMPLE_RATE,  # the bench resamples to it
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(SAMPLE_RATE * BITS),
            source="your paper",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, float32 within -1 to 1; count its bits."""
        checked = np.clip(check_wave(wave, sample_rate, info=self.info), -1, 1)
        loud = np.sign(checked) * np.log1p(MU * np.abs(checked)) / np.log1p(MU)
        payload = np.round((loud + 1) / 2 * MU).astype(np.uint8).tobytes()
        return Encoded(
            spec=self.info.spec,
            payload=payload,
            payload_bits=BITS * len(payload),
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave from the payload and nothing else, at ``output_sample_rate``."""
        check_encoded(encoded, info=self.info)
        if len(encoded.payload) != encoded.n_samples:
            raise BitstreamError(
                f"NAME: expected {encoded.n_samples} bytes, got {len(encoded.payload)}"
            )
        loud = np.frombuffer(encoded.payload, np.uint8) / (MU / 2) - 1
        wave = np.sign(loud) * np.expm1(np.abs(loud) * np.log1p(MU)) / MU
        return wave.astype(np.float32)


CODECS = {"NAME": CLASS}
'''

CODEC_TEST = '''"""NAME keeps the contract of a codec, on waves that codecs stumble over."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from synbench_codecs import read_stream, write_stream
from synbench_codecs.errors import BitstreamError, CodecError
from MODULE import CLASS

RATE = CLASS().info.sample_rate
TONE = 0.3 * np.sin(np.arange(RATE) * 0.1).astype(np.float32)
WAVES = {
    "tone": TONE,
    "silence": np.zeros(RATE, np.float32),
    "one sample": TONE[:1],
    "odd length": TONE[:777],
    "full scale": np.sign(TONE).astype(np.float32),
}


@pytest.mark.parametrize("wave", WAVES.values(), ids=WAVES)
def test_decodes_from_its_bytes_alone(wave: np.ndarray) -> None:
    encoded = CLASS().encode(wave, RATE)
    assert encoded.n_samples == wave.size
    assert (encoded.payload_bits + 7) // 8 == len(encoded.payload)
    decoded = CLASS().decode(read_stream(write_stream(encoded)))
    assert decoded.dtype == np.float32
    assert decoded.ndim == 1
    assert np.isfinite(decoded).all()
    assert decoded.size >= wave.size
    np.testing.assert_array_equal(decoded, CLASS().decode(encoded))


def test_the_same_wave_gives_the_same_bytes() -> None:
    codec = CLASS()
    assert codec.encode(TONE, RATE) == codec.encode(TONE, RATE) == CLASS().encode(TONE, RATE)


def test_the_wave_is_left_as_it_was() -> None:
    wave = TONE.copy()
    CLASS().encode(wave, RATE)
    np.testing.assert_array_equal(wave, TONE)


def test_speech_like_waves_come_back() -> None:
    decoded = CLASS().decode(CLASS().encode(TONE, RATE))[: TONE.size]
    assert np.corrcoef(decoded, TONE)[0, 1] > 0.9  # for a codec without waveform: another bound


@pytest.mark.parametrize(
    ("wave", "rate"),
    [(TONE[:0], RATE), (np.full(RATE, np.nan, np.float32), RATE), (TONE, RATE + 1)],
    ids=["empty", "not a number", "another rate"],
)
def test_what_is_no_speech_is_refused(wave: np.ndarray, rate: int) -> None:
    with pytest.raises(CodecError):
        CLASS().encode(wave, rate)


def test_a_stream_of_another_version_is_refused() -> None:
    encoded = dataclasses.replace(CLASS().encode(TONE, RATE), model_digest=bytes(8))
    with pytest.raises(BitstreamError):
        CLASS().decode(encoded)
'''

METRIC = '''"""NAME: level of the difference in dB. Put your metric in its place."""

from __future__ import annotations

import numpy as np

from synbench_metrics import Metric, MetricInfo, NotApplicable, Wave


def measure(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """The level of ``degraded - reference`` below the reference, in dB; both ``(samples,)``.

    Raises:
        NotApplicable: one of the two has no level.
    """
    signal = float(np.sum(np.square(reference, dtype=np.float64)))
    difference = float(np.sum(np.square(np.subtract(degraded, reference, dtype=np.float64))))
    if not signal or not difference:
        raise NotApplicable("the reference is silent" if not signal else "no difference")
    return float(10 * np.log10(signal / difference))


METRIC = Metric(
    MetricInfo(
        column="NAME",
        label="CLASS",
        unit="dB",
        direction="up",
        minimum=None,
        maximum=None,
        sample_rates=(),  # any; else the bench resamples to one of them
        implementation="CLASS",
        version="1",  # raise it whenever a value may change
        mode="whole file",
        licence="MIT",
        cpu_seconds_per_audio_second=0.001,
        source="your paper",
    ),
    measure,
)
METRICS = (METRIC,)
'''

METRIC_TEST = '''"""NAME against a value that is known without it."""

from __future__ import annotations

import numpy as np
import pytest

from synbench_metrics import score
from MODULE import METRIC

TONE = 0.3 * np.sin(np.arange(16000) * 0.1)


def test_a_tenth_of_the_wave_as_difference_is_20_db() -> None:
    outcome = score(METRIC, reference=TONE, degraded=1.1 * TONE, sample_rate=16000)
    assert outcome.status == "ok"
    assert outcome.value == pytest.approx(20, abs=1e-4)


def test_silence_is_a_status_with_a_reason() -> None:
    outcome = score(METRIC, reference=0 * TONE, degraded=TONE, sample_rate=16000)
    assert outcome.status != "ok"
    assert outcome.reason
'''

CORPUS = '''"""NAME: WAV files of a folder, speaker by sub-folder. Put yours in its place."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora import Entry, Listing, Progress


def MODULE(_: Progress | None = None, *, path: str) -> Listing:
    """Every WAV file below ``path``; the bench reads and checks them."""
    root = Path(path)
    entries = tuple(
        Entry(
            id=file.relative_to(root).with_suffix("").as_posix(),
            path=file,
            speaker=file.parent.name,
            transcript="",
        )
        for file in sorted(root.rglob("*.wav"))
    )
    return Listing(name="NAME", entries=entries, where=f"{root} holds no WAV file")


CORPORA = {"NAME": MODULE}
'''

CORPUS_TEST = '''"""NAME finds what lies in its folder, and says whose voice it is."""

from __future__ import annotations

from pathlib import Path

from MODULE import MODULE


def test_files_with_their_speakers(tmp_path: Path) -> None:
    for name in ("anna/b.wav", "anna/a.wav", "otto/c.wav", "otto/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    listing = MODULE(path=str(tmp_path))
    assert [(entry.id, entry.speaker) for entry in listing.entries] == [
        ("anna/a", "anna"),
        ("anna/b", "anna"),
        ("otto/c", "otto"),
    ]


def test_an_empty_folder_says_where_it_looked(tmp_path: Path) -> None:
    listing = MODULE(path=str(tmp_path))
    assert not listing.entries
    assert str(tmp_path) in listing.where
'''

SUITE = """# What to compare; relative paths count from this file. See: synbench plan FILE
name: 'NAME'
description: My codec beside Opus.
corpora:
  - corpus: default            # or folder:path=speech
    limit: 12
codecs:
  - opus:bitrate_bps=6000
  - opus:bitrate_bps=12000
  # - {codec: recordings, options: {folder: decoded, bitrate_bps: 500, label: Mine}}
metrics: [pesq_wb, stoi, visqol_speech_exp]
unavailable: skip              # what cannot run on a machine is left out, and said
"""

SUITE_TEST = '''"""The suite NAME is valid, and all that it names is known."""

from __future__ import annotations

from pathlib import Path

import synbench_codecs
import synbench_metrics
from synbench import corpora
from synbench.suite import load_suite

SUITE = load_suite(Path(__file__).with_name("NAME.yaml"))


def test_all_that_it_names_is_known() -> None:
    assert {entry.codec for entry in SUITE.codecs} <= set(synbench_codecs.names())
    assert {entry.corpus for entry in SUITE.corpora} <= set(corpora.names())
    assert set(SUITE.metrics) <= set(synbench_metrics.names())
'''

# kind -> (the ending of the file, the file, its test)
SKELETONS = {
    "codec": (".py", CODEC, CODEC_TEST),
    "metric": (".py", METRIC, METRIC_TEST),
    "corpus": (".py", CORPUS, CORPUS_TEST),
    "suite": (".yaml", SUITE, SUITE_TEST),
}

# How synbench gets to know it: a table of pyproject.toml in a package of one's own.
NEXT_STEPS = {
    "codec": '[project.entry-points."synbench.codecs"]\nNAME = "MODULE:CLASS"',
    "metric": '[project.entry-points."synbench.metrics"]\nNAME = "MODULE:METRIC"',
    "corpus": '[project.entry-points."synbench.corpora"]\nNAME = "MODULE:MODULE"',
}
