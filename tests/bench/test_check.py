"""`synbench check`: what a codec breaks is found, by rule, with what was expected and what came."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from synbench.__main__ import cli
from synbench.codec_contract import TRIALS, check_codec, makers
from synbench.skeletons import CODEC
from synbench_base.errors import UsageError

GOOD = CODEC.replace("MODULE", "mine").replace("CLASS", "Mine").replace("NAME", "mine")
BYTES_ALONE = "decoded from the bytes alone"


@pytest.fixture
def without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the one rule that starts a process."""
    monkeypatch.delitem(TRIALS, BYTES_ALONE)


def broken_rules(path: Path) -> dict[str, str]:
    ((_, make),) = makers(str(path))
    return {one.rule: one.detail for one in check_codec(make, source=str(path)) if not one.holds}


def test_a_good_codec_keeps_all_and_the_command_ends_well(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    done = CliRunner().invoke(cli, ["check", str(tmp_path / "mine.py"), "--json"])
    assert done.exit_code == 0, done.output
    rules = json.loads(done.output)["codecs"]["mine"]
    assert [one["rule"] for one in rules] == list(TRIALS)
    assert all(one["holds"] for one in rules)


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (("payload_bits=BITS * len(payload)", "payload_bits=8"), "the bits are counted", "8 bits"),
        (
            ("return wave.astype(np.float32)", "return wave.astype(np.float32)[:-5000]"),
            "waves come back",
            "samples, expected",
        ),
        (
            ("return wave.astype(np.float32)", "return (32767 * wave).astype(np.int16)"),
            "waves come back",
            "decode returned numpy.ndarray (24000,) of int16, expected floats",
        ),
        (
            ("return wave.astype(np.float32)", "return np.roll(wave, 160).astype(np.float32)"),
            "the delay is the declared one",
            "output_delay_samples=160",
        ),
        (
            ("return wave.astype(np.float32)",
             "return (wave + np.random.rand(wave.size) / 99).astype(np.float32)"),
            "the same again",
            "another wave from the same bytes",
        ),
        (
            ("check_wave(wave, sample_rate, info=self.info)", "np.asarray(wave)"),
            "what is no speech is refused",
            "an empty wave was coded; expected EncodeError",
        ),
        (
            ("        check_encoded(encoded, info=self.info)\n", ""),
            "foreign streams are refused",
            "another version's was decoded",
        ),
        (('source="your paper"', 'source=""'), "info says what it is", "info lacks source"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("without_a_process")
def test_what_is_broken_is_named(
    change: tuple[str, str], rule: str, said: str, tmp_path: Path
) -> None:
    assert change[0] in GOOD
    (tmp_path / "mine.py").write_text(GOOD.replace(*change))
    assert said in broken_rules(tmp_path / "mine.py")[rule]


@pytest.mark.usefixtures("without_a_process")
def test_torch_tensors_are_taken(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    changed = GOOD.replace(
        "return wave.astype(np.float32)", "return torch.from_numpy(wave.astype(np.float32))"
    ).replace("import numpy as np", "import numpy as np\nimport torch")
    (tmp_path / "mine.py").write_text(changed)
    assert broken_rules(tmp_path / "mine.py") == {}


@pytest.mark.usefixtures("without_a_process")
def test_a_wrong_number_of_frames_is_found_at_encode(tmp_path: Path) -> None:
    changed = GOOD.replace(
        "nominal_bitrate_bps=Fraction(SAMPLE_RATE * BITS),",
        "nominal_bitrate_bps=Fraction(SAMPLE_RATE * BITS), hop_length=1, codebook_sizes=(256,),",
    ).replace(".tobytes()", ".tobytes()[:-1]")
    (tmp_path / "mine.py").write_text(changed)
    broken = broken_rules(tmp_path / "mine.py")
    assert (
        "encode gave 23999 frames, 24000 expected (24000 samples / 1)"
        in (broken["waves come back"])
    )


def test_what_is_no_codec_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("CODECS = {}\n")
    with pytest.raises(UsageError, match=r'CODECS = \{"mycodec": MyCodec\}'):
        makers(str(tmp_path / "mine.py"))
    with pytest.raises(UsageError, match="synbench new codec NAME"):
        makers(str(tmp_path / "absent.py"))
    (tmp_path / "beside.py").write_text("import nothing_of_that_name")
    (tmp_path / "mine.py").write_text("import beside")
    with pytest.raises(UsageError, match=r"mine.py does not run: ModuleNotFoundError: .*nothing_"):
        makers(str(tmp_path / "mine.py"))
    (tmp_path / "mine.py").write_text("class A: pass\nCODECS = {'a': A}\n")
    assert broken_rules(tmp_path / "mine.py") == {
        "it is a codec": "AttributeError: 'A' object has no attribute 'info'"
    }


SCRIPT = """
import numpy as np

def describe():
    return {"label": "levels", "sample_rate": 16000, "hop_length": 4, "codebook_sizes": [256],
            "side_sizes": [256], "implementation": "a script", "source": "this test"}

def n_frames(n_samples):
    return -(-n_samples // 4)

def encode(wave):
    whole = np.pad(wave, (0, -wave.size % 4)).reshape(-1, 4)
    return {"tokens": np.clip(whole.mean(axis=1) * 127 + 128, 0, 255)[None], "side": [1]}

def decode(parts, n_samples):
    return np.repeat((parts["tokens"][0] - 128) / 127, 4)[:n_samples]
"""


@pytest.mark.usefixtures("without_a_process")
def test_a_script_in_another_interpreter_is_tried_by_its_spec(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(SCRIPT)
    source = f"isolated:python={sys.executable},script={tmp_path / 'theirs.py'}"
    ((spec, make),) = makers(source)
    assert spec == source
    told = {one.rule: one for one in check_codec(make, source=source)}
    assert [rule for rule, one in told.items() if not one.holds] == []
    # The rate is that of the tokens: what is sent once is told beside it.
    assert "32000 bit/s counted, 32000 declared, 8 bits of side information" in {
        one.detail for one in told.values()
    }
