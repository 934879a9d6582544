"""``synbench.score`` and ``synbench.codec``: a run's numbers from arrays, tensors and files."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import synbench
import synbench_codecs
from synbench_base.errors import (
    BitstreamError,
    EncodeError,
    ItemError,
    NotApplicable,
    SynbenchError,
    UsageError,
)
from synbench_codecs import CodecInfo, Encoded, pack_tokens, unpack_tokens

RATE = 16000
HEAVY = ("matplotlib", "numpy", "pandas", "pydantic", "scipy", "soundfile", "torch", "yaml")


@pytest.fixture
def speech() -> np.ndarray:
    """Two seconds of noise in syllables."""
    generator = np.random.default_rng(5)
    envelope = np.abs(np.sin(np.arange(2 * RATE) * 4 / RATE * np.pi)) + 0.05
    return 0.1 * generator.standard_normal(2 * RATE).clip(-3, 3) * envelope


@pytest.fixture
def coarse(speech: np.ndarray) -> np.ndarray:
    return speech.round(2)


def test_importing_synbench_imports_nothing_else() -> None:
    program = f"import sys, synbench; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_name_that_is_not_there_offers_the_close_one() -> None:
    with pytest.raises(AttributeError, match="no 'scroe'; did you mean score"):
        synbench.scroe  # noqa: B018
    assert {"codec", "open", "run", "score"} <= set(dir(synbench))


class TestScore:
    def test_si_sdr_is_that_of_its_definition(self, speech: Any, coarse: Any) -> None:
        """Le Roux et al. 2019, equation 3, after the means are taken away."""
        reference, degraded = speech - speech.mean(), coarse - coarse.mean()
        target = reference * (degraded @ reference) / (reference @ reference)
        expected = 10 * math.log10((target @ target) / np.sum((target - degraded) ** 2))
        value = synbench.score("si_sdr", reference=speech, degraded=coarse, sample_rate=RATE)
        assert value == pytest.approx(expected, abs=1e-6)

    def test_lists_tensors_and_files_are_arrays(
        self, speech: Any, coarse: Any, tmp_path: Path
    ) -> None:
        torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
        expected = synbench.score("si_sdr", reference=speech, degraded=coarse, sample_rate=RATE)
        for name, wave in (("r.wav", speech), ("d.wav", coarse)):
            soundfile.write(tmp_path / name, wave, RATE, subtype="DOUBLE")
        pairs = [
            (speech.tolist(), coarse.tolist()),
            (torch.tensor(speech, requires_grad=True)[None], torch.tensor(coarse)[None, None]),
            (tmp_path / "r.wav", str(tmp_path / "d.wav")),
            (tmp_path / "r.wav", coarse),
        ]
        for reference, degraded in pairs:
            value = synbench.score(
                "si_sdr", reference=reference, degraded=degraded, sample_rate=RATE
            )
            assert value == pytest.approx(expected, abs=1e-9)
        half = torch.tensor(coarse).bfloat16()
        assert synbench.score("si_sdr", reference=speech, degraded=half, sample_rate=RATE) > 0

    def test_several_metrics_give_a_dictionary_under_the_names_as_given(
        self, speech: Any, coarse: Any
    ) -> None:
        given = {"reference": speech, "degraded": coarse, "sample_rate": RATE}
        values = synbench.score(["SI-SDR", "log_spectral_distance"], **given)
        assert list(values) == ["SI-SDR", "log_spectral_distance"]
        assert values["SI-SDR"] == synbench.score("si_sdr", **given)

    def test_the_degraded_sound_may_have_another_rate_and_length(self, speech: Any) -> None:
        """Policy of a run: to the reference's rate, then cut or filled to its length."""
        import soxr

        slow = soxr.resample(speech, RATE, 8000, quality="VHQ")
        pair = {"reference": slow, "degraded": speech}
        with pytest.raises(NotApplicable, match="degraded is a multiple of the reference"):
            synbench.score("si_sdr", **pair, sample_rate=8000, degraded_sample_rate=RATE)
        longer = np.concatenate([speech * 0.5 + 1e-4, np.ones(77) * 0.3])
        shorter = longer[: speech.size]
        both = [
            synbench.score(
                "log_spectral_distance", reference=speech, degraded=wave, sample_rate=RATE
            )
            for wave in (longer, shorter)
        ]
        assert both[0] == both[1]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"metric": "pesqs"}, "unknown metric 'pesqs'; did you mean pesq_wb"),
            ({"metric": []}, "expected a metric"),
            ({"metric": "frechet_resemblyzer"}, "compares sets of sounds"),
            ({"metric": "wer_pocketsphinx_english"}, "needs a transcript"),
            ({"reference": None}, "si_sdr needs a reference"),
            ({"degraded": np.zeros(9, np.int16)}, "degraded must hold floats .*got int16; divide"),
            ({"degraded": [0, 1, 2]}, "degraded must hold floats"),
            ({"degraded": np.zeros((2, 9))}, r"mono \(samples,\), got shape \(2, 9\)"),
            ({"degraded": np.array([0.1, np.nan])}, "1 samples that are NaN"),
            ({"degraded": np.zeros(0)}, "degraded is empty"),
            ({"degraded": object()}, "degraded: expected a sound or a path"),
            ({"sample_rate": None}, "say its rate, such as sample_rate=16000"),
            ({"sample_rate": 16000.5}, "a whole number of Hz"),
            ({"on_error": "skip"}, "on_error must be"),
        ],
    )
    def test_what_cannot_be_asked_for(
        self, changes: dict[str, Any], message: str, speech: Any
    ) -> None:
        asked = {"metric": "si_sdr", "reference": speech, "degraded": speech, "sample_rate": RATE}
        with pytest.raises(UsageError, match=message):
            synbench.score(**asked | changes)

    def test_a_score_that_is_not_defined_is_an_error_or_nan(self, speech: Any) -> None:
        short = {"reference": speech[:160], "degraded": speech[:160].round(2), "sample_rate": RATE}
        with pytest.raises(NotApplicable, match="stoi needs at least"):
            synbench.score("stoi", **short)
        with pytest.warns(UserWarning, match="stoi needs at least"):
            values = synbench.score(["stoi", "si_sdr"], on_error="nan", **short)
        assert math.isnan(values["stoi"])
        assert not math.isnan(values["si_sdr"])

    def test_silence_and_absent_files_say_so(self, speech: Any, tmp_path: Path) -> None:
        with pytest.raises(ItemError, match="degraded is digitally silent"):
            synbench.score("si_sdr", reference=speech, degraded=speech * 0, sample_rate=RATE)
        with pytest.raises(ItemError, match=r"no such file: .*\.wav"):
            synbench.score("si_sdr", reference=tmp_path / "absent.wav", degraded=tmp_path / "b.wav")

    def test_what_makes_a_score_doubtful_is_a_warning(self, speech: Any) -> None:
        late = np.concatenate([np.zeros(160), speech])
        with pytest.warns(UserWarning, match="a delay of 10 ms remains"):
            synbench.score("si_sdr", reference=speech, degraded=late, sample_rate=RATE)

    def test_a_files_own_rate_is_not_overruled(self, speech: Any, tmp_path: Path) -> None:
        import soxr

        soundfile.write(tmp_path / "r.wav", speech, RATE)
        half = soxr.resample(speech, RATE, 8000)
        value = synbench.score(
            "si_sdr", reference=tmp_path / "r.wav", degraded=half, sample_rate=8000
        )
        assert math.isfinite(value)


class Tokens:
    """A codec as a user writes it: one book, a hop of 320 samples; subclasses get things wrong."""

    points = ({},)

    def __init__(self) -> None:
        self.info = CodecInfo(
            spec="mine",
            label="Mine",
            kind="neural",
            adapter_version=1,
            implementation="test",
            sample_rate=RATE,
            output_sample_rate=RATE,
            nominal_bitrate_bps=Fraction(500),
            hop_length=320,
            codebook_sizes=(1024,),
        )

    def frames(self, n_samples: int) -> int:
        return -(-n_samples // 320)

    def tokens(self, wave: np.ndarray) -> Any:
        padded = np.pad(wave, (0, 320 * self.frames(wave.size) - wave.size))
        return (np.abs(padded.reshape(-1, 320)).max(axis=1) * 1023).astype(np.int64)[None]

    def encode(self, wave: np.ndarray, sample_rate: int) -> Encoded:
        payload, bits = pack_tokens(self.tokens(wave), (1024,))
        return Encoded(
            spec="mine",
            payload=payload,
            payload_bits=bits,
            n_samples=wave.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Any:
        levels = unpack_tokens(encoded.payload, (1024,), self.frames(encoded.n_samples))[0]
        signs = np.tile(np.array([1, -1], np.float32), 160 * levels.size)
        return np.repeat(levels.astype(np.float32) / 1023, 320) * signs


class OnTorch(Tokens):
    """Gives tensors that carry gradients, as a network does."""

    def tokens(self, wave: np.ndarray) -> Any:
        import torch

        return torch.from_numpy(super().tokens(wave))

    def decode(self, encoded: Encoded) -> Any:
        import torch

        return torch.from_numpy(super().decode(encoded)).requires_grad_()


class FrameShort(Tokens):
    def tokens(self, wave: np.ndarray) -> Any:
        return super().tokens(wave)[:, : wave.size // 320]


class WholeFrames(FrameShort):
    """Leaves the rest of a wave out, and says so."""

    def n_frames(self, n_samples: int) -> int:
        return n_samples // 320

    frames = n_frames

    def tokens(self, wave: np.ndarray) -> Any:
        return Tokens.tokens(self, wave[: 320 * (wave.size // 320)])


class NoStream(Tokens):
    def encode(self, wave: np.ndarray, sample_rate: int) -> Any:
        return self.tokens(wave)


class Integers(Tokens):
    def decode(self, encoded: Encoded) -> Any:
        return (super().decode(encoded) * 32767).astype(np.int16)


class Batched(Tokens):
    def decode(self, encoded: Encoded) -> Any:
        return super().decode(encoded)[None, None]


class TestCodec:
    def test_reconstruction_is_that_of_a_run(
        self,
        speech_folder: Path,
        write_suite: Any,
        request: pytest.FixtureRequest,
        tmp_path: Path,
    ) -> None:
        suite = write_suite(speech_folder, codecs=["g722", "lowpass-3k5"])
        command = request.getfixturevalue("synbench")
        done = command("run", suite, "--out", tmp_path / "run", "--workers", "0")
        assert done.returncode == 0, done.stderr
        import duckdb

        rows = duckdb.sql(
            "SELECT s.codec, s.item, s.metric, s.value, d.reconstruction, d.payload_bits FROM "
            f"'{tmp_path}/run/scores/*.parquet' s JOIN '{tmp_path}/run/decodes/*.parquet' d "
            "USING (codec_id, item)"
        ).fetchall()
        assert len(rows) == 12
        for codec, item, metric, value, stored, bits in rows:
            original = speech_folder / f"{item}.wav"
            made = synbench.codec(codec).reconstruct(original)
            kept, rate = soundfile.read(tmp_path / "run" / stored)
            assert (made.payload_bits, made.sample_rate) == (bits, rate)
            assert np.abs(made.wave - kept).max() < 2**-23
            again = synbench.score(metric, reference=original, degraded=tmp_path / "run" / stored)
            assert again == value

    def test_bits_are_counted_over_the_originals_duration(self, speech: Any) -> None:
        made = synbench.codec("opus:bitrate_bps=6000").reconstruct(speech, sample_rate=RATE)
        assert made.wave.shape == speech.shape
        assert made.payload_bits % 8 == 0
        assert made.bitrate_bps == made.payload_bits / 2.0
        assert 5500 < made.bitrate_bps < 6800
        assert abs(made.lag_seconds) < 1e-3 or made.wave.any()

    def test_any_rate_is_taken(self, speech: Any) -> None:
        codec = synbench.codec("g722")
        encoded = codec.encode(speech, sample_rate=48000)
        assert encoded.sample_rate == RATE
        assert codec.decode(encoded).size == round(speech.size / 3)

    def test_a_folder_of_recordings_codes_nothing(self, speech_folder: Path) -> None:
        spec = f"recordings:folder={speech_folder},label=x,bitrate_bps=500"
        with pytest.raises(UsageError, match="can code nothing new"):
            synbench.codec(spec)
        with pytest.raises(UsageError, match="expected a codec's name or an object"):
            synbench.codec(3)  # type: ignore[arg-type]

    def test_integers_are_refused(self, speech: Any) -> None:
        with pytest.raises(UsageError, match="divide 16-bit integers by 32768"):
            synbench.codec("g722").encode((speech * 32767).astype(np.int16), sample_rate=RATE)
        with pytest.raises(EncodeError, match="divide 16-bit integers by 32768"):
            synbench_codecs.load("g722").encode((speech * 32767).astype(np.int16), RATE)  # type: ignore[union-attr]


class TestSomebodyElsesCodec:
    def test_its_arrays_and_tensors_are_the_same(self, speech: Any) -> None:
        pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
        plain, torch = (
            synbench.codec(made()).reconstruct(speech, sample_rate=RATE)
            for made in (Tokens, OnTorch)
        )
        assert plain.encoded.payload == torch.encoded.payload
        assert np.array_equal(plain.wave, torch.wave)
        assert plain.bitrate_bps == 500

    def test_a_number_of_frames_of_its_own_is_taken(self) -> None:
        wave = np.full(20641, 0.5)
        made = synbench.codec(WholeFrames()).reconstruct(wave, sample_rate=RATE)
        assert made.payload_bits == 640

    @pytest.mark.parametrize(
        ("made", "error", "message"),
        [
            (
                FrameShort,
                EncodeError,
                r"encode gave 64 frames, 65 expected \(20641 samples / 320\)",
            ),
            (
                NoStream,
                EncodeError,
                r"encode returned numpy.ndarray \(1, 65\) of int64, expected .*",
            ),
            (
                Integers,
                BitstreamError,
                r"decode returned numpy.ndarray .* of int16, expected floats",
            ),
            (Batched, BitstreamError, r"decode returned numpy.ndarray \(1, 1, 20800\) of float32"),
        ],
    )
    def test_what_it_gets_wrong_is_said_by_name(
        self, made: type[Tokens], error: type[SynbenchError], message: str
    ) -> None:
        with pytest.raises(error, match=f"mine: {message}"):
            synbench.codec(made()).reconstruct(np.full(20641, 0.5), sample_rate=RATE)

    @pytest.mark.gpu
    def test_tensors_on_a_gpu_are_taken(self, speech: Any) -> None:
        torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")

        class OnDevice(OnTorch):
            def tokens(self, wave: np.ndarray) -> Any:
                return super().tokens(wave).cuda()

            def decode(self, encoded: Encoded) -> Any:
                return super().decode(encoded).cuda()

        on_device, plain = (
            synbench.codec(made()).reconstruct(speech, sample_rate=RATE)
            for made in (OnDevice, Tokens)
        )
        assert np.array_equal(on_device.wave, plain.wave)
        moved = torch.tensor(speech).cuda()
        assert synbench.score(
            "si_sdr", reference=moved, degraded=moved * 0.5 + 1e-3, sample_rate=RATE
        )
