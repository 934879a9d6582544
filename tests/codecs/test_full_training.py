"""The recipe for the full size: slices, parts over a narrow link, both stages to the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synbench_codecs import training
from synbench_codecs.errors import UsageError

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("accelerate", reason="pip install 'synbench[torch]'")

from synbench_codecs._mdct.trained_model import read_model  # noqa: E402
from synbench_codecs._mdct_training.ahead import Ahead  # noqa: E402
from synbench_codecs._mdct_training.journal import read_curves  # noqa: E402

from .test_training import PSEUDO, TEACHER, assert_equal, speech, teach  # noqa: E402, F401

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "full_training.py"


def test_parts_make_the_whole_again(tmp_path: Path) -> None:
    content = bytes(range(256)) * 41
    (tmp_path / "state.pt").write_bytes(content)
    parts = training.split_into_parts(
        tmp_path, tmp_path / "parts", names=("state.pt", "absent"), largest=4000
    )
    assert [path.stat().st_size for path in parts] == [4000, 4000, 2496]
    (joined,) = training.join_parts(tmp_path / "parts", tmp_path / "again")
    assert joined.read_bytes() == content
    # The next slice's parts replace these.
    (tmp_path / "state.pt").write_bytes(content[:5000])
    training.split_into_parts(tmp_path, tmp_path / "parts", names=("state.pt",), largest=4000)
    assert len(list((tmp_path / "parts").iterdir())) == 3
    (joined,) = training.join_parts(tmp_path / "parts", tmp_path / "again")
    assert joined.read_bytes() == content[:5000]


def test_damaged_or_absent_parts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"abcdefgh")
    parts = tmp_path / "parts"
    first, _ = training.split_into_parts(tmp_path, parts, names=("state.pt",), largest=4)
    first.write_bytes(b"abcx")
    with pytest.raises(UsageError, match="damaged"):
        training.join_parts(parts, tmp_path / "again")
    first.unlink()
    with pytest.raises(UsageError, match="lacks state"):
        training.join_parts(parts, tmp_path / "again")
    with pytest.raises(UsageError, match=r"no parts\.json"):
        training.join_parts(tmp_path, tmp_path / "again")


def test_a_run_stops_in_time_and_goes_on(speech: Path, tmp_path: Path) -> None:  # noqa: F811
    straight = teach(speech, tmp_path / "straight")
    while training.steps_done(tmp_path / "run") < 6:
        before = training.steps_done(tmp_path / "run")
        sliced = teach(speech, tmp_path / "run", seconds=1e-9)
        assert training.steps_done(tmp_path / "run") == before + 1
    assert_equal(sliced, straight)


def test_what_was_foreseen_is_what_was_asked_for() -> None:
    ahead = Ahead(lambda step: torch.tensor([step]))
    assert [int(ahead(step)) for step in (3, 4, 5, 9, 2)] == [3, 4, 5, 9, 2]


@pytest.mark.slow
def test_slices_on_fresh_machines_make_both_stages(speech: Path, tmp_path: Path) -> None:  # noqa: F811
    """Every slice has the parts of the one before and nothing else."""
    for name, text in (("teacher", TEACHER), ("pseudo", PSEUDO)):
        (tmp_path / f"{name}.yaml").write_text(text)
    command = [sys.executable, str(SCRIPT), "--seconds", "3000"]
    command += ["--data", str(speech / "train"), "--validation", str(speech / "dev")]
    command += ["--teacher", str(tmp_path / "teacher.yaml")]
    command += ["--pseudo", str(tmp_path / "pseudo.yaml")]
    environment = os.environ | {"SYNBENCH_CACHE": str(tmp_path / "cache")}
    before = None
    for number, limits in enumerate(
        (["--stages", "teacher", "--teacher-steps", "3"], ["--pseudo-steps", "2"], [])
    ):
        run = tmp_path / f"slice-{number}"
        run.mkdir()
        if before is not None:
            (before / "parts").rename(run / "parts")
        subprocess.run([*command, *limits, "--out", str(run)], env=environment, check=True)
        before = run
    assert before is not None
    assert (before / "log.txt").read_text().endswith("done: teacher and pseudo\n")
    straight = teach(speech, tmp_path / "straight")
    for stage in ("teacher", "pseudo"):
        folder = tmp_path / "joined" / stage
        training.join_parts(before / "parts" / stage, folder)
        assert training.steps_done(folder) == 6
        curves = read_curves(folder / "curves.csv")
        assert [step for step, name, _ in curves if name == "data_share"][-1] == 6
    assert_equal(tmp_path / "joined" / "teacher" / "model.safetensors", straight)
    assert read_model(tmp_path / "joined" / "pseudo" / "model.safetensors").header.pseudo == 2
