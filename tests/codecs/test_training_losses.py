"""What a teacher may be taught besides the published losses: pitch, shares, a mean of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synbench_codecs import training
from synbench_codecs.errors import UsageError

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("accelerate", reason="pip install 'synbench[torch]'")

from synbench_codecs._mdct_training.average import RunningMean  # noqa: E402
from synbench_codecs._mdct_training.balance import balanced, weighed  # noqa: E402
from synbench_codecs._mdct_training.configuration import (  # noqa: E402
    Discriminator,
    Losses,
    MelScale,
    Optimiser,
    Shares,
)
from synbench_codecs._mdct_training.critic import Critic  # noqa: E402
from synbench_codecs._mdct_training.discriminator import make_discriminator  # noqa: E402
from synbench_codecs._mdct_training.helper import Helper  # noqa: E402
from synbench_codecs._mdct_training.journal import read_curves  # noqa: E402
from synbench_codecs._mdct_training.loop import COMPANY_FILE, make_accelerator  # noqa: E402
from synbench_codecs._mdct_training.periodicity import (  # noqa: E402
    periodicity_loss,
    self_similarity,
)
from synbench_codecs._mdct_training.pitch import (  # noqa: E402
    BINS,
    BINS_PER_OCTAVE,
    LOWEST_HZ,
    PitchHead,
    pitch_loss,
    pitch_of_tokens,
)

from .test_training import TEACHER, assert_equal, speech, teach, tensors  # noqa: E402, F401

FULL = TEACHER.replace(
    "discriminator: {channels: 2, from_step: 3}",
    """
losses:
  mdct: 0.0
  mels: [{window: 320, hop: 160}, {window: 1024, hop: 256, bands: 100}]
  mel_floor: 0.001
  shares: {mel: 0.85, matching: 0.1, adversarial: 0.05}
pitch: {weight: 3.0, channels: 8}
discriminator:
  {channels: 2, period_channels: 1, from_step: 1, alone_steps: 2, learning_rate: 0.0001,
   warm_up_steps: 2}
average: 0.9
""",
)


def find_pitch(wave: Any, sample_rate: int) -> Any:
    """As if half a second of 110 Hz stood at the start of everything."""
    frames = len(wave) * 200 // sample_rate + 1
    return np.where(np.arange(frames) < 100, 110.0, 0.0)


def test_the_published_configuration_has_none_of_it() -> None:
    for name in ("libritts-16k", "libritts-16k-one-book", "vctk-48k"):
        config = training.configure(name, training.TeacherConfig)
        assert config.losses == Losses()
        assert config.losses.mels == (MelScale(window=320, hop=40, bands=80),)
        assert config.losses.mel_floor == 1e-5
        assert config.losses.shares is None
        assert config.discriminator == Discriminator(channels=64, period_channels=0)
        assert config.pitch.weight == config.average == 0


def test_a_run_with_everything_resumes_as_if_it_had_not_stopped(
    speech: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    straight = teach(speech, tmp_path / "straight", FULL, find_pitch=find_pitch)
    teach(speech, tmp_path / "run", FULL, find_pitch=find_pitch, steps=4)
    assert_equal(teach(speech, tmp_path / "run", FULL, find_pitch=find_pitch), straight)
    curves = read_curves(straight.parent / "curves.csv")
    written = {name for step, name, _ in curves if step == 6}
    wanted = {"gradient_mel", "gradient_matching", "gradient_adversarial", "pitch", "pitch_top1"}
    assert wanted <= written
    (share,) = [value for step, name, value in curves if (step, name) == (6, "gradient_mel")]
    assert 0.5 < share < 1
    # The head stays with the run.
    assert all(
        name.split(".")[0] in ("encoder", "quantizer", "decoder") for name in tensors(straight)
    )


def test_shares_are_written_down_where_they_are_not_given(
    speech: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    run = teach(speech, tmp_path, TEACHER)
    last = {
        name: value for step, name, value in read_curves(run.parent / "curves.csv") if step == 6
    }
    shares = [last[f"gradient_{name}"] for name in ("mdct", "mel", "adversarial", "matching")]
    assert sum(shares) == pytest.approx(1, abs=1e-6)


def test_measuring_the_shares_changes_nothing(speech: Path, tmp_path: Path) -> None:  # noqa: F811
    often = teach(speech, tmp_path / "often", TEACHER.replace("log_every: 2", "log_every: 1"))
    assert_equal(often, teach(speech, tmp_path / "seldom", TEACHER))


def test_a_run_goes_on_with_the_discriminator_and_the_head_of_another(
    speech: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    first = teach(speech, tmp_path / "first", FULL, find_pitch=find_pitch)
    still = FULL.replace("clip: 1.0", "learning_rate: 0.0")
    still = still.replace("learning_rate: 0.0001", "learning_rate: 0.0")
    teach(speech, tmp_path / "second", still, first, find_pitch, steps=1)
    before, after = (
        torch.load(tmp_path / name / COMPANY_FILE, weights_only=True)
        for name in ("first", "second")
    )
    for name in ("discriminator", "head"):
        for key, value in before[name]["module"].items():
            torch.testing.assert_close(after[name]["module"][key], value)
    # The optimiser's memory came along as well.
    assert after["head"]["optimiser"]["state"][0]["step"] == 7
    # Without the file, or with other sizes, it starts afresh.
    other = still.replace("channels: 2, period_channels: 1", "channels: 3, period_channels: 1")
    teach(speech, tmp_path / "other", other, first, find_pitch, steps=1)


def test_a_pitch_weight_wants_a_pitch_and_an_encoder(speech: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UsageError, match="find_pitch"):
        teach(speech, tmp_path / "none", FULL)
    first = teach(speech, tmp_path / "first", FULL, find_pitch=find_pitch, steps=1)
    alone = FULL + "decoder_only: true\n"
    with pytest.raises(UsageError, match="an encoder to teach"):
        teach(speech, tmp_path / "alone", alone, first, find_pitch)


def test_every_loss_has_its_share_and_every_crop_counts_alike() -> None:
    """A crop that is a hundred times as loud as the other asks for no more; silence for nothing."""
    torch.manual_seed(0)
    loud = torch.randn(3, 4, 5)
    gains = torch.tensor([1.0, 0.2, 0.0])[:, None, None]
    gradients = {"mel": loud * gains, "adversarial": 1000 * torch.randn(3, 4, 5)}
    shares = Shares(mel=0.9, adversarial=0.1)
    norms = {k: v.flatten(1).norm(dim=1) for k, v in balanced(gradients, shares).items()}
    assert norms["mel"][0] == pytest.approx(float(norms["mel"][1]), rel=1e-5)
    assert norms["mel"][2] == 0
    assert norms["mel"][0] / norms["adversarial"][0] == pytest.approx(9, rel=1e-5)
    # The scale is that of the part with the largest share.
    mean = float(gradients["mel"].flatten(1).norm(dim=1).mean())
    assert norms["mel"][0] == pytest.approx(0.9 * mean, rel=1e-5)


def test_without_shares_the_loss_is_the_weighted_sum() -> None:
    output = torch.ones(2, 3, 4, requires_grad=True)
    terms = {"mel_l1": output.sum(), "mel_mse": (2 * output).sum(), "mdct": (3 * output).sum()}
    settings = Losses(mdct=1.0, mel_l1=2.0, mel_mse=3.0)
    loss, shares = weighed(terms, output, settings, measure=True)
    assert float(loss.detach()) == pytest.approx(24 * (2 + 6 + 3))
    assert float(shares["gradient_mel"]) == pytest.approx(8 / 11)
    assert float(shares["gradient_mdct"]) == pytest.approx(3 / 11)
    assert weighed(terms, output, settings, measure=False)[1] == {}


def test_the_discriminator_joins_alone_and_warms_up() -> None:
    settings = Discriminator(
        channels=1, from_step=10, alone_steps=5, learning_rate=1e-3, warm_up_steps=4
    )
    config = training.TeacherConfig(discriminator=settings)
    helper = Helper(make_discriminator(settings), Optimiser(), make_accelerator(config))
    critic = Critic(settings, helper)
    assert [critic.learns(step) for step in (9, 10)] == [False, True]
    assert [critic.is_heard(step) for step in (14, 15)] == [False, True]
    rates = []
    for step in (0, 10, 11, 13, 500):
        critic.set_rate(step, codec_rate=1.0)
        rates.append(helper.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0, 2.5e-4, 5e-4, 1e-3, 1e-3])


def test_the_multi_period_discriminator_hears_a_period() -> None:
    """Five periods beside three resolutions; a fold of its own period is the same in all rows."""
    model = make_discriminator(Discriminator(channels=2, period_channels=1))
    wave = torch.sin(2 * torch.pi * (torch.arange(1600) % 5) / 5)[None]
    branches = model(wave)
    assert [len(maps) for maps in branches] == [6] * 8
    first = model.branches[3:][2]
    assert first.period == 5
    inner = first(wave)[0][0, :, 4:-4]
    torch.testing.assert_close(inner, inner[:, :1].expand_as(inner), atol=1e-6, rtol=0)


def test_the_mean_of_the_weights_follows_and_forgets_the_start() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
    mean = RunningMean(module, 0.9)
    with torch.no_grad():
        module.weight.fill_(1.0)
    values = []
    for step in range(60):
        mean.add(module, step)
        values.append(float(mean.module.weight))
    assert values[0] == pytest.approx(0.9)
    assert values == sorted(values)
    assert 1 - values[-1] < 1e-2


def test_pitch_of_tokens_counts_from_the_store() -> None:
    """Frames of 5 ms, tokens of 20 ms: half voiced is voiced, and the mean is geometric."""
    track = np.zeros(40, np.float32)
    track[4:8] = [100, 100, 200, 200]
    track[8:12] = [0, 0, 0, 150]
    track[12:16] = [0, 0, 150, 150]
    begin = np.array([0, 320, 360])
    pitch = pitch_of_tokens(track, begin, tokens=4, hop=320, sample_rate=16000)
    root = 100 * np.sqrt(2)
    np.testing.assert_allclose(pitch[0], [0, root, 0, 150], rtol=1e-6)
    np.testing.assert_allclose(pitch[1, :3], [root, 0, 150], rtol=1e-6)
    # 40 samples later it is the next frame.
    np.testing.assert_allclose(pitch[2, 0], (100 * 200 * 200) ** (1 / 3), rtol=1e-6)


def test_the_pitch_loss_wants_the_right_bin() -> None:
    pitch = torch.tensor([[LOWEST_HZ * 2, 0.0, LOWEST_HZ * 2 ** (10 / BINS_PER_OCTAVE)]])
    logits = torch.zeros(1, 1 + BINS, 3)
    logits[0, 0] = torch.tensor([9.0, -9.0, 9.0])
    logits[0, 1 + BINS_PER_OCTAVE, 0] = logits[0, 1 + 10, 2] = 9.0
    right, hits = pitch_loss(logits, pitch)
    assert float(hits) == 1
    octave = logits.clone()
    octave[0, 1 + BINS_PER_OCTAVE, 0], octave[0, 1, 0] = 0.0, 9.0
    wrong, missed = pitch_loss(octave, pitch)
    assert float(wrong) > float(right) + 1
    assert float(missed) == 0.5


def harmonics(hertz: float, rate: int = 16000) -> torch.Tensor:
    seconds = torch.arange(rate) / rate
    return 0.1 * sum(torch.sin(2 * torch.pi * hertz * k * seconds) / k for k in range(1, 20))


def test_self_similarity_is_that_of_the_period() -> None:
    """1 one period later, and of a sine half a period later -1; silence has none."""
    waves = torch.stack([harmonics(125), torch.sin(torch.arange(16000) * 2 * torch.pi / 128)])
    pitch = torch.full((2, 100), 125.0)
    again = self_similarity(waves, pitch, sample_rate=16000)
    torch.testing.assert_close(again, torch.ones(2, 100), atol=0.01, rtol=0)
    against = self_similarity(waves[1:], 2 * pitch[1:], sample_rate=16000)
    torch.testing.assert_close(against, -torch.ones(1, 100), atol=0.01, rtol=0)
    assert self_similarity(0 * waves, pitch, sample_rate=16000).abs().max() == 0


def test_periodicity_counts_what_voiced_places_lack() -> None:
    voice, noise = harmonics(125)[None], 0.1 * torch.randn(1, 16000)
    pitch = torch.full((1, 100), 125.0)
    lacks = [
        float(periodicity_loss(decoded, voice, where, sample_rate=16000))
        for decoded, where in ((voice, pitch), (noise, pitch), (noise, 0 * pitch))
    ]
    assert lacks[0] == 0
    assert lacks[1] > 0.8
    assert lacks[2] == 0
    # What is more periodic than the recording lacks nothing.
    assert periodicity_loss(voice, noise, pitch, sample_rate=16000) < 0.1


def test_a_run_hears_periodicity(speech: Path, tmp_path: Path) -> None:  # noqa: F811
    text = FULL.replace("  mel_floor", "  periodicity: 10.0\n  mel_floor")
    text = text.replace("{mel: 0.85,", "{mel: 0.8, periodicity: 0.05,").replace(
        "weight: 3.0", "weight: 0.0"
    )
    run = teach(speech, tmp_path / "run", text, find_pitch=find_pitch)
    last = {
        name: value for step, name, value in read_curves(run.parent / "curves.csv") if step == 6
    }
    assert 0 < last["periodicity"] < 2
    assert 0 < last["gradient_periodicity"] < 0.2
    with pytest.raises(UsageError, match="find_pitch"):
        teach(speech, tmp_path / "none", text)


def test_a_head_learns_a_pitch_that_the_latent_holds() -> None:
    torch.manual_seed(0)
    head = PitchHead(2, 16)
    optimiser = torch.optim.Adam(head.parameters(), 1e-2)
    octave = torch.rand(8, 50) * 2
    latent = torch.stack([octave - 1, octave**2 - 1], 1)
    pitch = LOWEST_HZ * 2**octave
    for _ in range(150):
        optimiser.zero_grad()
        loss, near = pitch_loss(head(latent), pitch)
        loss.backward()
        optimiser.step()
    assert float(near.detach()) > 0.9
