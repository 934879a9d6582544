from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench_codecs import Recording, load
from synbench_codecs.errors import EncodeError, UsageError

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files whose constant value tells them apart."""
    values = {
        "alice/a1.wav": 0.1,
        "bob/a1.wav": 0.2,
        "bob/b1.flac": 0.3,
        "twice/t.wav": 0.4,
        "twice/t.flac": 0.4,
        "dots/x.y.wav": 0.5,
    }
    for name, value in values.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.full(100, value), RATE)
    return tmp_path


def system(folder: Path, **options: str | int) -> Recording:
    codec = load("recordings", folder=str(folder), **{"label": "Theirs", **options})
    assert isinstance(codec, Recording)
    return codec


@pytest.mark.parametrize(
    ("item_id", "value"),
    [
        ("alice/a1", 0.1),
        ("bob/a1", 0.2),
        ("bob/a1.wav", 0.2),
        ("test-clean/bob/a1", 0.2),  # the item's id has a prefix that the folder lacks
        ("b1", 0.3),
        ("carol/b1", 0.3),
        ("x.y", 0.5),
    ],
)
def test_items_find_their_files(item_id: str, value: float, folder: Path) -> None:
    wave, sample_rate = system(folder).fetch(item_id)
    assert (wave.dtype, wave.shape, sample_rate) == (np.float32, (100,), RATE)
    np.testing.assert_allclose(wave, value, atol=1e-4)


@pytest.mark.parametrize(
    ("item_id", "message"),
    [
        ("c1", "no file for item 'c1' below .*; looked for c1 and c1 with any of .*flac"),
        ("a1", "2 files for item 'a1' below .*: alice/a1.wav, bob/a1.wav"),
        ("carol/a1", "2 files for item 'carol/a1'"),
        ("twice/t", "2 files for item 'twice/t'"),
        ("", "no file for item ''"),
    ],
)
def test_absent_and_ambiguous_files_are_refused(item_id: str, message: str, folder: Path) -> None:
    with pytest.raises(EncodeError, match=message):
        system(folder).fetch(item_id)


def test_two_equal_channels_are_one_wave(folder: Path) -> None:
    soundfile.write(folder / "dual.wav", np.full((100, 2), 0.25), RATE)
    assert system(folder).fetch("dual")[0].shape == (100,)


def test_unusable_files_are_named(folder: Path) -> None:
    stereo = np.stack([np.zeros(100), np.ones(100)], axis=1)
    soundfile.write(folder / "stereo.wav", stereo, RATE)
    soundfile.write(folder / "nan.wav", np.full(100, np.nan), RATE, subtype="FLOAT")
    soundfile.write(folder / "empty.wav", np.zeros(0), RATE)
    (folder / "text.wav").write_text("no audio")
    for name, message in [
        ("stereo", "2 different channels"),
        ("nan", "NaN"),
        ("empty", "no samples"),
        ("text", "cannot read"),
    ]:
        with pytest.raises(EncodeError, match=message) as caught:
            system(folder).fetch(name)
        assert f"{name}.wav" in str(caught.value)


def test_what_is_declared_is_told(folder: Path) -> None:
    info = system(folder, label="Their codec", bitrate_bps=700, delay_samples=5).info
    assert (info.kind, info.bits_counted, info.label) == ("recordings", False, "Their codec")
    assert (info.nominal_bitrate_bps, info.output_delay_samples) == (Fraction(700), 5)
    assert load(info.spec).info == info
    assert system(folder).info.nominal_bitrate_bps is None
    assert system(folder).info.spec != system(folder, label="Others").info.spec


def test_bad_options_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        system(folder / "absent")
    with pytest.raises(UsageError, match="label must be a name"):
        system(folder, label=" ")
    with pytest.raises(UsageError, match="bitrate_bps must be from 0"):
        system(folder, bitrate_bps=-1)
