"""A run under conditions: what lies on the disk is what was asked for, and every row says it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

import synbench
import synbench_codecs
from synbench.conditions.speech_level import speech_level
from synbench.results.planned import read_planned
from synbench_codecs import read_stream
from synbench_listening.commands.group import listen
from synbench_listening.design.study_folder import StudyFolder
from synbench_reports.tables.robustness import drops

SUITE = """
name: rough
corpora: ["folder:path=speech"]
codecs: ["g722", "passthrough"]
metrics: [si_sdr]
failure_budget: 3  # floating-point samples of passthrough rarely survive a turned bit
conditions:
  - clean
  - {noise: white, snr_db: 10}
  - {noise: babble, snr_db: 5}
  - {channel: {bit_errors: 1e-2}}
  - {channel: {token_errors: 0.5}}
  - {tandem: 2}
"""


def voice(seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    time = np.arange(24000) / 16000
    phase = 2 * np.pi * np.cumsum(110 + 20 * seed + 20 * np.sin(2 * np.pi * time)) / 16000
    wave = sum(np.sin(k * phase) / k for k in range(1, 15)) + 0.01 * draw.standard_normal(24000)
    return np.asarray(0.1 * wave, dtype=np.float64)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rough")
    for seed in range(3):
        path = folder / "speech" / f"s{seed}" / f"{seed}.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, voice(seed), 16000, subtype="PCM_24")
    (folder / "rough.yaml").write_text(SUITE)
    start(folder)
    return folder / "runs" / "rough"


def start(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "synbench", "run", "rough.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_row_says_its_condition(run: Path) -> None:
    scores = synbench.open(run).scores()
    against_input = scores[scores["against"] == "input"]
    assert len(scores) - len(against_input) == 3 * 2 * 6
    assert len(against_input) == 3 * 2 * 2
    assert set(against_input["metric"]) == {"si_sdr@input"}
    assert set(against_input["condition"]) == {"white 10 dB", "babble 5 dB"}
    assert set(scores["corpus"]) == {
        "speech",
        "speech, white 10 dB",
        "speech, babble 5 dB",
        "speech, bit errors 0.01",
        "speech, token errors 0.5",
        "speech, tandem 2",
    }
    no_tokens = scores[scores["corpus"] == "speech, token errors 0.5"]
    assert set(no_tokens["status"]) == {"not_applicable"}
    assert no_tokens["reason"].str.contains("has no codebooks").all()


def test_stored_inputs_have_the_ratio_that_was_asked(run: Path) -> None:
    for seed in range(3):
        clean = voice(seed)
        level = speech_level(clean, sample_rate=16000).active_db
        for name, snr_db in (("white 10 dB", 10), ("babble 5 dB", 5)):
            (path,) = (run / "inputs" / f"speech, {name}").glob(f"s{seed}/{seed}.*.flac")
            added = soundfile.read(path)[0] - clean
            assert level - 10 * np.log10(np.mean(added**2)) == pytest.approx(snr_db, abs=0.1)


def test_every_codec_heard_the_same_wave(run: Path) -> None:
    """What passthrough gives back is the stored input to the last bit of its file."""
    for path in (run / "inputs" / "speech, white 10 dB").rglob("*.flac"):
        (folder,) = (run / "reconstructions").glob("passthrough-*/speech, white 10 dB")
        (decoded,) = (folder / path.parent.name).glob("*.flac")
        stored, returned = soundfile.read(path)[0], soundfile.read(decoded)[0]
        assert returned == pytest.approx(stored, abs=2**-15)


def test_bits_on_the_disk_are_turned_at_the_rate(run: Path) -> None:
    turned = total = 0
    codec = synbench_codecs.load("g722")
    for path in (run / "bitstreams").glob("g722-*/speech, bit errors 0.01/*/*.syn"):
        received = read_stream(path.read_bytes())
        (clean,) = path.parents[2].glob(f"speech/{path.parent.name}/*.syn")
        sent = read_stream(clean.read_bytes())
        assert sent.spec == received.spec == codec.info.spec
        one, two = (np.frombuffer(each.payload, np.uint8) for each in (sent, received))
        turned += int(np.unpackbits(one ^ two).sum())
        total += sent.payload_bits
    rows = synbench.open(run).decodes()
    rows = rows[(rows["corpus"] == "speech, bit errors 0.01") & (rows["codec"].str.contains("722"))]
    assert turned / total == pytest.approx(0.01, rel=0.1)
    if "channel_hits" in rows:
        assert rows["channel_hits"].sum() == turned


def test_the_same_command_again_tries_only_what_failed(run: Path) -> None:
    failed = (synbench.open(run).scores()["status"] == "failed").sum()
    assert f"{failed} of 48 scores to compute" in start(run.parents[1])


def test_against_the_damaged_input_is_no_score_against_the_recording(run: Path) -> None:
    """What passthrough gives back is its input: endless against that, the noise against clean."""
    scores = synbench.open(run).scores()
    noisy = scores[(scores["condition"] == "white 10 dB") & (scores["codec"] == "passthrough")]
    clean = noisy[noisy["against"] == "clean"]["value"]
    # 10 dB of active speech is a little less of all of it.
    assert clean.between(5, 12).all()
    beside = noisy[noisy["against"] == "input"]
    assert (beside["value"].fillna(np.inf) > 60).all()
    assert set(noisy["metric_id"][noisy["against"] == "clean"]).isdisjoint(beside["metric_id"])


def test_a_score_against_the_input_is_that_of_the_stored_files(run: Path) -> None:
    scores = synbench.open(run).scores()
    chosen = (scores["corpus"] == "speech, babble 5 dB") & (scores["metric"] == "si_sdr@input")
    rows = scores[chosen & scores["codec"].str.contains("722")]
    assert len(rows) == 3
    for _, row in rows.iterrows():
        (heard,) = (run / "inputs/speech, babble 5 dB").glob(f"{row['item']}.*.flac")
        (decoded,) = run.glob(f"reconstructions/g722-*/speech, babble 5 dB/{row['item']}.*.flac")
        expected = synbench.score("si_sdr", reference=heard, degraded=decoded)
        assert row["value"] == pytest.approx(expected, abs=1e-6)


def test_tables_have_two_groups_and_the_drop_is_against_the_clean_number(run: Path) -> None:
    table = synbench.open(run).table()
    noisy = table[(table["corpus"] == "speech, white 10 dB")]
    assert set(noisy[noisy["column"] == "si_sdr@input"]["group"]) == {"input"}
    assert set(noisy[noisy["column"] == "si_sdr"]["group"]) == {"metric"}
    assert "input" not in set(table[table["corpus"] == "speech, tandem 2"]["group"])
    lines = list(drops(read_planned(run)))
    beside = [line for line in lines if line.metric.column == "si_sdr@input"]
    assert {line.condition for line in beside} == {"clean", "white 10 dB", "babble 5 dB"}
    clean = {line.codec: line.number for line in lines if not line.group}
    of_g722 = next(line for line in beside if "722" in line.codec and "white" in line.condition)
    # Noise costs the recording much, and a codec of waveforms treats noise as it treats speech.
    assert abs(of_g722.drop) < clean[of_g722.codec] - 12
    assert of_g722.drop == pytest.approx(clean[of_g722.codec] - of_g722.number)


LISTENED = """
name: in-noise
test: acr
items:
  count: 2
  corpus: speech
  conditions: [clean, white 10 dB, tandem 2]
  stratify_by: si_sdr
training_items: 0
pages: [trials, finish]
"""


def built(run: Path, folder: Path, changes: str = "") -> Result:
    design = folder / "design.yaml"
    design.write_text(LISTENED + changes)
    out = folder / "study"
    return CliRunner().invoke(
        listen, ["build", str(run), "--design", str(design), "--out", str(out)]
    )


def test_a_listening_test_has_every_utterance_under_every_condition(
    run: Path, tmp_path: Path
) -> None:
    done = built(run, tmp_path, "systems: [G.722 64 kbps]\n")
    assert done.exit_code == 0, done.output
    key = StudyFolder(tmp_path / "study").key()
    heard = [stimulus for stimulus in key.stimuli.values() if stimulus.role == "system"]
    by_condition = {stimulus.item_condition: stimulus for stimulus in heard}
    assert set(by_condition) == {"", "white 10 dB", "tandem 2"}
    assert len({stimulus.item for stimulus in heard}) == 6
    assert by_condition["white 10 dB"].item.endswith(", white 10 dB")
    # Compared with what the codec was given: the noise is no fault of the codec's.
    (shown,) = (
        stimulus
        for stimulus in key.stimuli.values()
        if stimulus.role == "hidden_reference" and stimulus.item == by_condition["white 10 dB"].item
    )
    name = by_condition["white 10 dB"].item.split(",")[0]
    (path,) = (run / "inputs/speech, white 10 dB").glob(f"{name}.*.flac")
    reference = soundfile.read(StudyFolder(tmp_path / "study").clip_path(shown))[0]
    given = soundfile.read(path)[0] * 10 ** (shown.gain_db / 20)
    assert reference == pytest.approx(given, abs=2**-16)
    for block in key.blocks:
        pages = [page for page in block.pages if page.kind == "acr"]
        assert len({page.item for page in pages}) == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("items: {conditions: [babble 5dB]}", "did you mean babble 5 dB?"),
        ("items: {conditions: [clean, clean]}", "each once"),
        ("items: {corpus: speach, conditions: [clean]}", "did you mean speech?"),
        ("items: {conditions: [clean, token errors 0.5], count: 1}", "under all conditions"),
    ],
)
def test_conditions_that_no_study_can_have(
    run: Path, tmp_path: Path, changes: str, said: str
) -> None:
    design = tmp_path / "design.yaml"
    design.write_text(f"name: bad\ntest: acr\n{changes}\n")
    done = CliRunner().invoke(
        listen, ["build", str(run), "--design", str(design), "--out", str(tmp_path / "study")]
    )
    assert done.exit_code != 0
    assert said in str(done.exception) + done.output


def test_channels_take_the_stream_that_was_encoded_for_the_clean_speech(run: Path) -> None:
    decodes = synbench.open(run).decodes()
    encoded = decodes[decodes["status"] == "ok"].groupby("corpus")["encode_cpu_seconds"]
    assert encoded.count()["speech, bit errors 0.01"] == 0
    assert encoded.count()["speech"] == 6
    assert encoded.count()["speech, white 10 dB"] == 6
