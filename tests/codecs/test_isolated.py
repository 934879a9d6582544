"""A codec in another interpreter: a real second environment, and everything that can go wrong."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synbench_codecs
from synbench_codecs import read_stream, write_stream
from synbench_codecs.errors import BitstreamError, EncodeError, Unavailable, UsageError

MU_LAW = """
    import os
    import sys
    import numpy as np

    def describe():
        print("chatter that must not disturb the protocol")
        return {"label": "mu-law", "sample_rate": 8000, "hop_length": 2, "causal": True,
                "codebook_sizes": [256, 256], "lookahead_samples": 0,
                "implementation": "numpy " + np.__version__}

    def n_frames(n_samples):
        return (n_samples + 1) // 2

    def encode(wave):
        wave = np.pad(wave, (0, wave.size % 2))
        curve = np.sign(wave) * np.log1p(255 * np.abs(wave)) / np.log(256)
        return np.round((curve.clip(-1, 1) + 1) / 2 * 255).astype(int).reshape(-1, 2).T

    def decode(tokens, n_samples):
        curve = tokens.T.reshape(-1) / 255 * 2 - 1
        return np.sign(curve) * (256 ** np.abs(curve) - 1) / 255
"""
OLD_NUMPY = "1.26.4"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def make(text: str) -> Path:
        path = tmp_path / "theirs.py"
        path.write_text(textwrap.dedent(text))
        return path

    return make


def load(script: Path, python: str | Path = sys.executable, **options: Any) -> Any:
    return synbench_codecs.load("isolated", python=str(python), script=str(script), **options)


def tone(n_samples: int = 4001) -> Any:
    return (0.4 * np.sin(np.arange(n_samples) / 7)).astype(np.float32)


def test_codes_are_packed_and_counted_here(write: Callable[[str], Path]) -> None:
    codec = load(write(MU_LAW))
    encoded = read_stream(write_stream(codec.encode(tone(), 8000)))
    assert encoded.payload_bits == 8 * 4002
    assert np.abs(codec.decode(encoded)[:4001] - tone()).max() < 0.02
    assert codec.info.nominal_bitrate_bps == 64000
    assert codec.info.bits_per_frame == 16
    assert np.__version__ in codec.info.implementation
    assert synbench_codecs.load(codec.info.spec).info == codec.info


def test_bytes_are_taken_as_they_are(write: Callable[[str], Path]) -> None:
    codec = load(
        write("""
            import numpy as np
            def describe():
                return {"label": "raw", "sample_rate": 16000, "bitrate_bps": 512000}
            def encode(wave):
                return wave.astype("<f4").tobytes()
            def decode(data, n_samples):
                return np.frombuffer(data, "<f4")
        """)
    )
    encoded = codec.encode(tone(), 16000)
    assert encoded.payload_bits == 32 * 4001
    np.testing.assert_array_equal(codec.decode(encoded), tone())


def test_the_model_is_loaded_once(write: Callable[[str], Path]) -> None:
    codec = load(
        write("""
            import os
            import numpy as np
            def describe():
                return {"label": "id", "sample_rate": 16000}
            def encode(wave):
                return str(os.getpid()).encode()
            def decode(data, n_samples):
                return np.zeros(n_samples)
        """)
    )
    first, second = (codec.encode(tone(), 16000).payload for _ in range(2))
    assert first == second != str(os.getpid()).encode()


def test_the_script_is_part_of_the_identity(write: Callable[[str], Path]) -> None:
    before = load(write(MU_LAW))
    encoded = before.encode(tone(), 8000)
    after = load(write(MU_LAW + "\n    # changed\n"))
    assert before.info.identity != after.info.identity
    with pytest.raises(BitstreamError, match="other weights"):
        after.decode(encoded)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no such book')", "ValueError: no such book"),
        ("import os; os.write(2, b'out of luck\\n'); os._exit(3)", "ended: .*out of luck"),
        ("return np.full((2, 2001), 256)", "codebook 0 holds 0 to 255"),
        ("return np.zeros((2, 7))", r"shape \(2, 7\), expected \(2, 2001\)"),
        ("return b'bytes'", "gave bytes, expected codes of 2 codebooks"),
        ("import time; time.sleep(30)", "took longer than 2 s"),
    ],
)
def test_what_goes_wrong_is_that_waves_failure(
    write: Callable[[str], Path], body: str, message: str
) -> None:
    script = write(MU_LAW + f"\n    def encode(wave):\n        {body}\n")
    codec = load(script, timeout=2)
    with pytest.raises(EncodeError, match=message):
        codec.encode(tone(), 8000)


def test_the_next_wave_gets_a_new_process(write: Callable[[str], Path]) -> None:
    dies = (
        "\n    good = encode\n    def encode(wave):\n        os._exit(3) if wave.size == 9 else 0\n"
    )
    codec = load(write(MU_LAW + dies + "        return good(wave)\n"))
    with pytest.raises(EncodeError, match="ended"):
        codec.encode(tone(9), 8000)
    assert codec.encode(tone(10), 8000).n_samples == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("x = 1", "has no attribute 'describe'"),
        ("def describe(): return 5", "at least label and sample_rate"),
        ("def describe(): return {'label': 'x', 'sample_rate': '8000'}", "of a wrong type"),
        ("def describe(): return {'label': 'x', 'sample_rate': 1, 'rate': 2}", "gives 'rate'"),
    ],
)
def test_a_script_that_is_no_codec_is_unavailable(
    write: Callable[[str], Path], text: str, message: str
) -> None:
    with pytest.raises(Unavailable, match=message):
        load(write(text))


def test_an_absent_interpreter_or_script_is_named(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match=r"no such interpreter: .*absent"):
        load(write(MU_LAW), python=tmp_path / "absent")
    with pytest.raises(Unavailable, match=r"no such script: .*absent\.py"):
        load(tmp_path / "absent.py")


def test_the_other_process_ends_with_the_codec(write: Callable[[str], Path]) -> None:
    codec = load(write(MU_LAW))
    process = codec._other._process
    codec.encode(tone(), 8000)
    assert process.poll() is None
    del codec
    assert process.poll() is not None


SPEAKER = """
    import numpy as np

    def configure(books=1, gain=1.0):
        global BOOKS, GAIN
        BOOKS, GAIN = books, gain

    def describe():
        return {"label": f"{BOOKS} books", "sample_rate": 8000, "hop_length": 80,
                "codebook_sizes": [300] * BOOKS, "side_sizes": [65536, 10, 10],
                "training_data": ["VCTK"]}

    def n_frames(n_samples):
        return -(-n_samples // 80)

    def encode(wave):
        return {"tokens": np.full((BOOKS, n_frames(wave.size)), 299), "side": [65535, 9, 0]}

    def decode(parts, n_samples):
        assert parts["tokens"].shape == (BOOKS, n_frames(n_samples))
        return np.full(n_samples, GAIN * parts["side"].sum())
"""


def test_side_information_is_counted_and_comes_back(write: Callable[[str], Path]) -> None:
    codec = load(write(SPEAKER), settings="books=2; gain=0.5")
    encoded = read_stream(write_stream(codec.encode(tone(801), 8000)))
    # 16 bits, and two digits of ten, in whole bytes; then eleven frames of two in 300.
    assert encoded.side_bits == 24
    assert encoded.payload_bits == 24 + math.ceil(11 * 2 * math.log2(300))
    assert codec.decode(encoded)[0] == 0.5 * 65544
    assert codec.info.training_data == ("VCTK",)


def test_settings_reach_the_script_and_the_identity(write: Callable[[str], Path]) -> None:
    script = write(SPEAKER)
    one, two = load(script, settings="books=1"), load(script, settings="books=2")
    assert (one.info.label, two.info.label) == ("1 books", "2 books")
    assert one.info.identity != two.info.identity
    assert synbench_codecs.load(two.info.spec).info == two.info
    with pytest.raises(Unavailable, match="unexpected keyword argument 'book'"):
        load(script, settings="book=1")
    with pytest.raises(UsageError, match="expected settings as name=value"):
        load(script, settings="books")
    with pytest.raises(UsageError, match="got the path '/etc/books'; write it into the script"):
        load(script, settings="books=/etc/books")


FLEXIBLE = """
    import numpy as np

    def describe():
        return {"label": "flexible", "sample_rate": 8000, "hop_length": 80,
                "codebook_sizes": [5], "longest_frame": 6}

    def n_frames(n_samples):
        return -(-n_samples // 80)

    def encode(wave):
        lengths = LENGTHS or [1] * n_frames(wave.size)
        return {"tokens": [[length % 5 for length in lengths]], "lengths": lengths}

    def decode(parts, n_samples):
        assert parts["lengths"].sum() == n_frames(n_samples)
        return np.repeat(parts["tokens"][0] / 10, parts["lengths"] * 80)[:n_samples]
"""


@pytest.mark.parametrize("lengths", [[], [6, 4], [1, 2, 3, 4], [1, 1, 6, 1, 1]])
def test_frames_of_different_lengths(write: Callable[[str], Path], lengths: list[int]) -> None:
    codec = load(write(FLEXIBLE + f"\n    LENGTHS = {lengths}\n"))
    encoded = read_stream(write_stream(codec.encode(tone(800), 8000)))
    frames = np.array(lengths or [1] * 10)
    assert encoded.payload_bits == (30**frames.size - 1).bit_length()
    expected = np.repeat(frames % 5 / 10, 80 * frames)
    np.testing.assert_array_equal(codec.decode(encoded), expected.astype(np.float32))
    assert codec.info.codebook_sizes == ()
    assert codec.info.frame_rate_hz is None


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([7, 3], "codebook 0 holds 0 to 5, got"), ([2, 2], "last 4 in all, expected 10 for a wave")],
)
def test_lengths_have_to_fill_the_wave(
    write: Callable[[str], Path], lengths: list[int], message: str
) -> None:
    codec = load(write(FLEXIBLE + f"\n    LENGTHS = {lengths}\n"))
    with pytest.raises(EncodeError, match=message):
        codec.encode(tone(800), 8000)


def test_a_seed_makes_every_wave_the_first(write: Callable[[str], Path]) -> None:
    script = write("""
        import random
        import numpy as np
        def configure(seed):
            global SEED
            SEED = seed
        def load():
            np.random.rand(int(random.random() * 100) + 1)
        def describe():
            return {"label": "noise", "sample_rate": 8000, "seed": SEED}
        def encode(wave):
            return b"1"
        def decode(data, n_samples):
            return np.random.randn(n_samples) + random.random()
    """)
    codec, other = load(script, settings="seed=1"), load(script, settings="seed=2")
    encoded = codec.encode(tone(50), 8000)
    first, second = codec.decode(encoded), codec.decode(encoded)
    np.testing.assert_array_equal(first, second)
    again = load(script, settings="seed=1")
    np.testing.assert_array_equal(first, again.decode(encoded))
    assert np.any(first != other.decode(other.encode(tone(50), 8000)))
    assert codec.info.stochastic
    assert ", seed 1, " in codec.info.implementation
    assert codec.info.identity != other.info.identity


@pytest.mark.slow
def test_a_second_environment_with_another_numpy(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    """numpy 1.26 there, numpy 2 or later here: no environment could hold both."""
    folder = tmp_path / "theirs"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--only-binary", ":all:", f"numpy=={OLD_NUMPY}"]
    installed = subprocess.run(pip, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"cannot install numpy {OLD_NUMPY}: {installed.stderr[-200:]}")
    assert np.__version__ != OLD_NUMPY
    there, here = load(write(MU_LAW), python=python), load(write(MU_LAW))
    assert f"numpy {OLD_NUMPY}" in there.info.implementation
    stream = write_stream(there.encode(tone(), 8000))
    np.testing.assert_allclose(
        there.decode(read_stream(stream)), here.decode(here.encode(tone(), 8000)), atol=1e-6
    )
    assert there.encode(tone(), 8000).payload == here.encode(tone(), 8000).payload
