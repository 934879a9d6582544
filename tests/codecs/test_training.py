"""Training of the MDCT codecs: crops, schedules, resume, and what each stage may change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench_codecs import training
from synbench_codecs.errors import UsageError, WeightsError

from .conftest import NATIVE_RATE, synthetic_speech

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("accelerate", reason="pip install 'synbench[torch]'")

from synbench_base.weights import file_sha256  # noqa: E402
from synbench_codecs._mdct.information import training_note  # noqa: E402
from synbench_codecs._mdct.losses import LogMel  # noqa: E402
from synbench_codecs._mdct.quantizer import ResidualQuantizer, VectorQuantizer  # noqa: E402
from synbench_codecs._mdct.synergy import SynergyModel  # noqa: E402
from synbench_codecs._mdct.trained_model import read_model  # noqa: E402
from synbench_codecs._mdct_training.configuration import Optimiser  # noqa: E402
from synbench_codecs._mdct_training.discriminator import MDCTDiscriminator  # noqa: E402
from synbench_codecs._mdct_training.journal import plot_curves, read_curves  # noqa: E402
from synbench_codecs._mdct_training.loop import learning_rate  # noqa: E402
from synbench_codecs._mdct_training.speech_store import open_stores  # noqa: E402
from synbench_codecs._mdct_training.token_store import TokenStore, token_store  # noqa: E402

LOG_MEL = LogMel(sample_rate=NATIVE_RATE)
TEACHER = """
batch: 2
crop: 1560
steps: 6
save_every: 2
validate_every: 6
log_every: 2
validation_items: 1
usage_decay: 0.9
network: {channels: 8, hidden: 8, blocks: 1, latent: 4}
codebooks: 3
codes: 16
discriminator: {channels: 2, from_step: 3}
optimiser: {clip: 1.0}
"""
PSEUDO = """
batch: 2
crop: 6400
steps: 6
save_every: 2
validate_every: 6
log_every: 2
validation_items: 1
pseudo: 2
predictors: {channels: 8, heads: 2, blocks: 1, kernel: 3, lstm_layers: 1}
"""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech")
    for part, seeds in (("train", (1, 2, 3)), ("dev", (4,))):
        (folder / part).mkdir()
        for seed in seeds:
            wave = synthetic_speech(seconds=0.8, seed=seed)
            soundfile.write(folder / part / f"{seed}.flac", wave, NATIVE_RATE)
    return folder


def score(reference: Any, degraded: Any) -> Mapping[str, float]:
    assert reference.shape == degraded.shape
    spectra = (LOG_MEL(torch.from_numpy(wave.copy())[None]) for wave in (reference, degraded))
    return {"mel_distance": float((next(spectra) - next(spectra)).abs().mean())}


def write(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def teach(
    speech: Path,
    folder: Path,
    text: str = TEACHER,
    start_from: Path | None = None,
    find_pitch: Any = None,
    *,
    find_features: Any = None,
    seconds: float | None = None,
    **changes: Any,
) -> Path:
    folder.mkdir(exist_ok=True)
    training.train_teacher(
        training.configure(write(folder, text), training.TeacherConfig, **changes),
        data=speech / "train",
        validation=speech / "dev",
        folder=folder,
        cache=speech / "cache",
        score=score,
        start_from=start_from,
        find_pitch=find_pitch,
        find_features=find_features,
        seconds=seconds,
        report=lambda line: None,
    )
    return folder / "model.safetensors"


def predict(
    speech: Path,
    folder: Path,
    teacher: Path,
    start_from: Path | None = None,
    *,
    text: str = PSEUDO,
    **changes: Any,
) -> Path:
    folder.mkdir(exist_ok=True)
    training.train_pseudo(
        training.configure(write(folder, text), training.PseudoConfig, **changes),
        teacher=teacher,
        data=speech / "train",
        validation=speech / "dev",
        folder=folder,
        cache=speech / "cache",
        score=score,
        start_from=start_from,
        report=lambda line: None,
    )
    return folder / "model.safetensors"


def tensors(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(path))


def assert_equal(left: Path, right: Path) -> None:
    ours, theirs = tensors(left), tensors(right)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different


@pytest.fixture(scope="module")
def teacher(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(speech, tmp_path_factory.mktemp("teacher"))


def test_a_resumed_teacher_equals_a_straight_one(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    teach(speech, tmp_path / "run", steps=4)
    assert_equal(teach(speech, tmp_path / "run"), teacher)
    ours, straight = (
        read_curves(path.parent / "curves.csv") for path in (tmp_path / "run" / "x", teacher)
    )
    kept = {(step, name) for step, name, _ in straight}
    # The shorter run was scored at its own end too.
    assert {(step, name) for step, name, _ in ours} == kept | {(4, "validation_mel_distance")}


def test_resumed_predictors_equal_straight_ones_and_leave_the_teacher_alone(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    straight = predict(speech, tmp_path / "straight", teacher)
    predict(speech, tmp_path / "run", teacher, steps=2)
    assert_equal(predict(speech, tmp_path / "run", teacher), straight)
    before, after = tensors(teacher), tensors(straight)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert read_model(straight).header.pseudo == 2


def test_predictors_start_from_trained_ones(speech: Path, teacher: Path, tmp_path: Path) -> None:
    """Without a learning rate they stay what they were; the record says where they came from."""
    before = predict(speech, tmp_path / "before", teacher)
    still = PSEUDO + "optimiser: {learning_rate: 0.0}\n"
    after = predict(speech, tmp_path / "after", teacher, before, text=still, steps=2)
    # Batch norm counts what it sees, also without a learning rate.
    kept, left = (
        {k: v for k, v in tensors(path).items() if "layers.3." not in k or "weight" in k}
        for path in (after, before)
    )
    assert kept.keys() == left.keys()
    assert all(torch.equal(kept[name], left[name]) for name in kept)
    record = read_model(after).training["started_from"]
    assert record["steps"] == read_model(before).training["steps"]
    with pytest.raises(UsageError, match="no predictors"):
        predict(speech, tmp_path / "none", teacher, teacher)
    with pytest.raises(UsageError, match="give the same --start-from"):
        predict(speech, tmp_path / "after", teacher, text=still, steps=4)


@pytest.mark.slow
def test_a_killed_run_goes_on_by_the_same_command(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "synbench", "train", "teacher", write(tmp_path, TEACHER)]
    command += ["--data", str(speech / "train"), "--validation", str(speech / "dev")]
    command += ["--out", str(run)]
    environment = os.environ | {"SYNBENCH_CACHE": str(tmp_path / "cache")}
    for _ in range(2):
        started = subprocess.Popen(command, env=environment)
        before = (run / "state.pt").stat().st_mtime_ns if (run / "state.pt").exists() else 0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and started.poll() is None:
            if (run / "state.pt").exists() and (run / "state.pt").stat().st_mtime_ns > before:
                break
            time.sleep(0.01)
        started.send_signal(signal.SIGKILL)
        started.wait()
    subprocess.run(command, env=environment, check=True)
    assert_equal(run / "model.safetensors", teacher)


@pytest.mark.slow
def test_two_processes_train_one_model(speech: Path, tmp_path: Path) -> None:
    """Through torch's own launcher; each process takes half of every batch."""
    run = tmp_path / "run"
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = ["-m", "synbench", "train", "teacher", write(tmp_path, TEACHER), "--out", str(run)]
    command += ["--data", str(speech / "train"), "--validation", str(speech / "dev")]
    environment = os.environ | {"SYNBENCH_CACHE": str(tmp_path / "cache")}
    subprocess.run([*launch, *command], env=environment, check=True)
    assert read_model(run / "model.safetensors").training["processes"] == 2


@pytest.mark.gpu
def test_a_gpu_trains_in_mixed_precision_without_waiting_for_data(
    speech: Path, tmp_path: Path
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device")
    run = tmp_path / "run"
    text = "batch: 16\nsteps: 40\nlog_every: 20\nsave_every: 40\nvalidate_every: 40\n"
    text += "crop: 7960\nvalidation_items: 1\nprecision: bf16\n"
    command = [sys.executable, "-m", "synbench", "train", "teacher", write(tmp_path, text)]
    command += ["--data", str(speech / "train"), "--validation", str(speech / "dev")]
    environment = os.environ | {"SYNBENCH_CACHE": str(tmp_path / "cache")}
    subprocess.run([*command, "--out", str(run)], env=environment, check=True)
    assert not read_model(run / "model.safetensors").training["device"].startswith("CPU")
    curves = read_curves(run / "curves.csv")
    share = [value for step, name, value in curves if name == "data_share" and step == 40]
    assert share[0] < 0.05


def test_training_brings_the_spectra_closer(speech: Path, tmp_path: Path) -> None:
    text = TEACHER.replace("channels: 2, from_step: 3", "channels: 0")
    text = text.replace("channels: 8, hidden: 8", "channels: 32, hidden: 64")
    text = text.replace("batch: 2", "batch: 4").replace("validate_every: 6", "validate_every: 2")
    teach(speech, tmp_path, text.replace("clip: 1.0", "learning_rate: 0.003"), steps=60)
    curve = [
        value
        for _, name, value in read_curves(tmp_path / "curves.csv")
        if name == "validation_mel_distance"
    ]
    assert np.mean(curve[-5:]) < 0.75 * curve[0]


def test_a_short_run_has_its_last_step_written_down(speech: Path, tmp_path: Path) -> None:
    text = TEACHER.replace("validate_every: 6", "validate_every: 100")
    teach(speech, tmp_path, text.replace("log_every: 2", "log_every: 100"), steps=2)
    written = {(step, name) for step, name, _ in read_curves(tmp_path / "curves.csv")}
    assert {(2, "mdct"), (2, "validation_mel_distance")} <= written


def test_a_plot_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text("step,name,value\n")
    with pytest.raises(UsageError, match="no curves yet"):
        plot_curves(tmp_path / "curves.csv", tmp_path / "curves.png")


def test_a_run_starts_from_a_trained_model(speech: Path, teacher: Path, tmp_path: Path) -> None:
    still = TEACHER.replace("clip: 1.0", "learning_rate: 0.0")
    run = teach(speech, tmp_path / "run", still, start_from=teacher)
    # Nothing was learned, and online clustering took all codes as in use.
    ours, theirs = tensors(run), tensors(teacher)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, msg=name)
    assert read_model(run).training["started_from"] == {"sha256": file_sha256(teacher), "steps": 6}
    assert training_note(read_model(run).header).endswith("h of speech, 6 + 6 steps")
    with pytest.raises(UsageError, match="the same --start-from"):
        teach(speech, tmp_path / "run", still, steps=8)
    with pytest.raises(UsageError, match="cannot start this run"):
        teach(speech, tmp_path / "wide", TEACHER.replace("hidden: 8", "hidden: 16"), teacher)


def test_a_decoder_trained_further_keeps_tokens_and_predictors(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    predictors = predict(speech, tmp_path / "pseudo", teacher, steps=2)
    alone = TEACHER + "decoder_only: true\n"
    further = teach(speech, tmp_path / "further", alone, teacher)
    before, after = tensors(teacher), tensors(further)
    changed = {
        name.partition(".")[0] for name in after if not torch.equal(before[name], after[name])
    }
    assert changed == {"decoder"}
    out = tmp_path / "out.safetensors"
    training.export(predictors.parent, out, half=False, teacher=further)
    assert_equal(out, predict(speech, tmp_path / "again", further, steps=2))
    with pytest.raises(UsageError, match="give --start-from"):
        teach(speech, tmp_path / "random", alone)
    other = teach(speech, tmp_path / "other", start_from=teacher)
    with pytest.raises(UsageError, match="know other tokens"):
        training.export(predictors.parent, out, teacher=other)


def test_a_run_adds_codebooks_to_the_model_it_starts_from(speech: Path, tmp_path: Path) -> None:
    still = TEACHER.replace("clip: 1.0", "learning_rate: 0.0")
    alone = teach(speech, tmp_path / "one", TEACHER.replace("codebooks: 3", "codebooks: 1"))
    run = teach(speech, tmp_path / "three", still + "plain_share: 0.5\n", start_from=alone)
    ours, theirs = tensors(run), tensors(alone)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, msg=name)
    # The added codes moved from their random start onto what the first book leaves.
    assert all(ours[f"quantizer.stages.{k}.codebook.weight"].abs().max() < 1 for k in (1, 2))
    further = teach(speech, tmp_path / "further", steps=2, start_from=run)
    assert training_note(read_model(further).header).endswith("12 + 2 steps")
    with pytest.raises(UsageError, match="or fewer codebooks"):
        teach(speech, tmp_path / "back", TEACHER.replace("codebooks: 3", "codebooks: 1"), run)


def test_some_items_are_decoded_from_the_first_codebook_alone() -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(codebooks=3, codes=8, latent=4)
    with torch.no_grad():
        made = quantizer(torch.randn(3, 4, 5), None, torch.tensor([True, False, True]))
        first, whole = quantizer.lookup(made.tokens[:, :1]), quantizer.lookup(made.tokens)
    torch.testing.assert_close(made.vectors[[0, 2]], first[[0, 2]])
    torch.testing.assert_close(made.vectors[1], whole[1])


def test_a_decoder_learns_from_what_the_receiver_makes(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    predictors = predict(speech, tmp_path / "pseudo", teacher)
    hearing = TEACHER + "decoder_only: true\npredicted_share: 0.6\nplain_share: 0.2\n"
    straight = teach(speech, tmp_path / "straight", hearing, predictors)
    before, after = tensors(teacher), tensors(straight)
    changed = {name.split(".")[0] for name in after if not torch.equal(before[name], after[name])}
    assert changed == {"decoder"}
    teach(speech, tmp_path / "run", hearing, predictors, steps=3)
    assert_equal(teach(speech, tmp_path / "run", hearing, predictors), straight)
    out = tmp_path / "out.safetensors"
    training.export(predictors.parent, out, teacher=straight)
    note = training_note(read_model(out).header)
    assert note.endswith("teacher 6 + 6 (decoder alone, on predicted tokens) steps")
    for text, start in ((hearing, teacher), (TEACHER + "predicted_share: 0.6\n", predictors)):
        with pytest.raises(UsageError, match="predicted_share wants"):
            teach(speech, tmp_path / "refused", text, start)


def test_kept_tokens_are_those_of_the_receiver(speech: Path, teacher: Path, tmp_path: Path) -> None:
    model = read_model(predict(speech, tmp_path / "pseudo", teacher))
    assert model.pseudo is not None
    store, _ = open_stores(
        speech / "train",
        speech / "dev",
        sample_rate=16000,
        cache=speech / "cache",
        report=lambda line: None,
    )
    device = torch.device("cpu")
    pseudo = model.pseudo.eval()
    kept = token_store(model.codec, store, tmp_path / "x.npz", pseudo=pseudo, device=device)
    tokens = kept.utterance(1)
    made = torch.cat([tokens[:, :1], tokens[:, 3:]], 1)
    heard = model.codec.quantizer.lookup(made)
    receiver = SynergyModel(model.codec, pseudo, sent=1).eval()
    with torch.inference_mode():
        plain = receiver.encode(torch.from_numpy(store.utterance(1))[None])
        torch.testing.assert_close(receiver.vectors(plain, how="all"), heard)


def test_stretches_of_tokens_come_with_their_samples(speech: Path, tmp_path: Path) -> None:
    """Tokens and samples name their own place, for lengths around a whole number of hops."""
    folder, hop, bins = tmp_path / "ramps", 8, 2
    folder.mkdir()
    lengths = (5, 30, 31, 46, 47, 400)
    for index, length in enumerate(lengths):
        ramp = (1000 * (index + 1) + np.arange(length)) / 32768
        soundfile.write(folder / f"{index}.wav", ramp, 16000, subtype="PCM_16")
    store, _ = open_stores(
        folder, speech / "dev", sample_rate=16000, cache=tmp_path, report=lambda line: None
    )
    counts = [length // hop + 1 for length in lengths]
    ramps = [1000 * (k + 1) + np.arange(count) * hop for k, count in enumerate(counts)]
    kept = TokenStore(
        np.concatenate(ramps)[None].astype(np.int16), np.cumsum([0, *counts]).astype(np.int64)
    )
    waves, tokens = kept.crops_with_speech(store, 500, 4, (1,), hop=hop, bins=bins)
    samples = np.rint(waves * 32768).astype(int)
    assert samples.shape == (500, 4 * hop - bins)
    np.testing.assert_array_equal(samples[:, : 3 * hop + 1 : hop], tokens[:, 0])
    assert (np.diff(samples, axis=1) == 1).all()
    assert set(samples[:, 0] // 1000) == {2, 3, 4, 5, 6}
    assert samples[samples[:, 0] // 1000 == 5].max() <= 5000 + 46


def test_the_long_window_sees_harmonics_that_the_short_one_blurs() -> None:
    """Harmonics of a voice of 80 Hz."""
    seconds = torch.arange(NATIVE_RATE) / NATIVE_RATE
    voiced = sum(torch.sin(2 * torch.pi * 80 * k * seconds + k * k) for k in range(1, 40))
    ripple = {}
    for size in (320, 1024):
        mel = LogMel(sample_rate=NATIVE_RATE, hop=size // 4, size=size)(voiced[None])[0]
        # Below 1 kHz the bands lie 37 Hz apart, so neighbours differ where harmonics are seen.
        ripple[size] = float(mel[:24].mean(1).diff().abs().mean())
    assert ripple[1024] > 3 * ripple[320]


def test_another_configuration_in_the_same_folder_is_refused(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    teach(speech, tmp_path, steps=2)
    with pytest.raises(UsageError, match="another network"):
        teach(speech, tmp_path, TEACHER.replace("hidden: 8", "hidden: 16"))


def test_half_precision_export_keeps_the_record(
    speech: Path, teacher: Path, tmp_path: Path
) -> None:
    training.export(teacher.parent, tmp_path / "half.safetensors")
    ours, theirs = read_model(tmp_path / "half.safetensors"), read_model(teacher)
    assert ours.header == theirs.header
    assert ours.training["steps"] == 6
    for name, value in theirs.codec.state_dict().items():
        torch.testing.assert_close(
            ours.codec.state_dict()[name], value.half().float(), rtol=0, atol=0
        )


def test_a_truncated_model_file_is_refused(teacher: Path, tmp_path: Path) -> None:
    content = teacher.read_bytes()
    for length in (4, 200, len(content) - 5):
        (tmp_path / "cut.safetensors").write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"cut\.safetensors"):
            read_model(tmp_path / "cut.safetensors")


def test_crops_lie_inside_utterances_and_follow_the_seed(speech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ramps"
    folder.mkdir()
    # Utterance k holds samples whose value names utterance and position.
    for index, length in enumerate((50, 3, 400)):
        ramp = (1000 * (index + 1) + np.arange(length)) / 32768
        soundfile.write(folder / f"{index}.wav", ramp, 16000, subtype="PCM_16")
    store, _ = open_stores(
        folder, speech / "dev", sample_rate=16000, cache=tmp_path, report=lambda line: None
    )
    crops = np.rint(store.crops(200, 10, (1, 2)) * 32768).astype(int)
    assert (np.diff(crops, axis=1) == 1).all()
    assert set(crops[:, 0] // 1000) == {1, 3}
    np.testing.assert_array_equal(store.crops(200, 10, (1, 2)), store.crops(200, 10, (1, 2)))
    assert not np.array_equal(store.crops(200, 10, (1, 2)), store.crops(200, 10, (1, 3)))
    with pytest.raises(UsageError, match="no utterance has 500 samples"):
        store.crops(1, 500, (0,))


def test_published_schedule() -> None:
    """2e-4 times 0.999 for every epoch that has passed."""
    rates = [
        learning_rate(Optimiser(), step=step, steps=1000, steps_per_epoch=10.5)
        for step in (0, 10, 11, 999)
    ]
    assert rates == pytest.approx([2e-4, 2e-4, 2e-4 * 0.999, 2e-4 * 0.999**95])


def test_discriminator_has_the_published_size() -> None:
    model = MDCTDiscriminator()
    gains = sum(p.numel() for name, p in model.named_parameters() if name.endswith("original0"))
    assert sum(p.numel() for p in model.parameters()) - gains == 599_235
    shapes = [[len(maps) for maps in model(torch.zeros(1, 3200))]]
    assert shapes == [[6, 6, 6]]


def test_online_clustering_moves_unused_codes_alone() -> None:
    torch.manual_seed(0)
    stage = VectorQuantizer(codes=8, latent=4, usage_decay=0.9)
    stage.usage[:4] = 0.25
    before = stage.codebook.weight.detach().clone()
    latent = torch.randn(2, 4, 30)
    with torch.no_grad():
        stage.refresh(latent, stage.tokens(latent), torch.Generator().manual_seed(1))
        projected = stage.in_proj(latent).transpose(1, 2).flatten(0, 1)
        moved = stage.codebook.weight.detach()
    assert torch.equal(moved[:4], before[:4])
    assert torch.cdist(moved[4:], projected).min(1).values.max() < 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("netwrok: {}", "unknown key 'netwrok'; did you mean network"),
        ("steps: many", "expected int"),
        ("optimiser: {schedule: linear}", "expected one of exponential, cosine"),
        ("- 1", "expected a mapping"),
        ("losses: {mels: {window: 320}}", "losses: mels: expected a list"),
        ("losses: {mels: [{windw: 320}]}", r"mels\[0\]: unknown key 'windw'; did you mean window"),
        ("losses: {shares: {mell: 1.0}}", "unknown key 'mell'; did you mean mel"),
        ("steps: 5\nbatch: many", "config.yaml:2: batch: expected int"),
        ("steps: 5\nsteps: 6", "steps is there twice, first in line 1"),
    ],
)
def test_wrong_configurations_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        training.configure(write(tmp_path, text), training.TeacherConfig)


def test_packaged_configurations_load() -> None:
    for kind in (training.TeacherConfig, training.PseudoConfig):
        for name in training.config_names(kind):
            training.configure(name, kind)
    with pytest.raises(UsageError, match="libritts-16k"):
        training.configure("no-such", training.TeacherConfig)
