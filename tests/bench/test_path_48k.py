"""The 48 kHz half of the P2PSynCodec paper, end to end: training, bits, lengths, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml
from click.testing import CliRunner

from synbench.suite import find_suite

pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("accelerate", reason="pip install 'synbench[torch]'")

from synbench.__main__ import cli
from synbench.results.store import RunFolder
from synbench_codecs import training

SPEECH = Path(__file__).resolve().parents[3] / "shared" / "speech48"


@pytest.mark.slow
@pytest.mark.shared("speech48")
def test_the_suite_for_vctk_runs_at_1500_bit_a_second(tmp_path: Path, monkeypatch: Any) -> None:
    """The packaged suite on recordings of VCTK's speakers, with weights of a few steps."""
    monkeypatch.delenv("SYNBENCH_WEIGHTS_SIGMOS", raising=False)
    recordings = sorted(SPEECH.glob("*.flac"))
    for part, chosen in (("train", recordings[:4]), ("dev", recordings[4:6])):
        (tmp_path / part).mkdir()
        for path in chosen:
            (tmp_path / part / path.name).symlink_to(path)
    common: dict[str, Any] = {
        "data": tmp_path / "train",
        "validation": tmp_path / "dev",
        "cache": tmp_path / "cache",
        "score": lambda reference, degraded: {},
        "report": lambda line: None,
    }
    teacher = training.configure("tiny-48k", training.TeacherConfig, steps=3)
    training.train_teacher(teacher, folder=tmp_path / "teacher", **common)
    pseudo = training.configure("tiny-48k", training.PseudoConfig, steps=3)
    model = tmp_path / "teacher" / "model.safetensors"
    training.train_pseudo(pseudo, teacher=model, folder=tmp_path / "pseudo", **common)

    suite = yaml.safe_load(find_suite("p2psyncodec-vctk").read_text(encoding="utf-8"))
    suite["corpora"] = [{"corpus": "folder", "options": {"path": str(tmp_path / "dev")}}]
    weights = {"weights": str(tmp_path / "pseudo" / "model.safetensors")}
    ours = {"codec": "p2psyncodec", "options": weights, "label": "P2PSynCodec"}
    suite["codecs"] = [ours]
    suite["metrics"] = ["sigmos_ovrl", "stoi"]
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    run = tmp_path / "run"
    arguments = ["run", str(tmp_path / "suite.yaml"), "--out", str(run), "--workers", "0"]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    skipped = {entry["name"]: entry["reason"] for entry in RunFolder(run).manifest()["skipped"]}
    assert "missing weights" in skipped["sigmos_ovrl"]
    decodes = RunFolder(run).rows("decodes", ("item", "status", "payload_bits"))
    samples = {path.stem: soundfile.info(path).frames for path in recordings[4:6]}
    # A token of ten bits for every 320 samples begun, whatever the length: 1.5 kbit/s at 48 kHz.
    assert decodes
    for item, status, bits in decodes:
        assert (status, bits) == ("ok", 10 * (samples[Path(item).stem] // 320 + 1))
        assert bits / (samples[Path(item).stem] / 48000) == pytest.approx(1500, rel=0.01)
    decoded = [soundfile.info(path) for path in sorted((run / "reconstructions").rglob("*.*"))]
    assert sorted(one.frames for one in decoded) == sorted(samples.values())
    assert {one.samplerate for one in decoded} == {48000}
