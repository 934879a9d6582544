"""Templates, the schema, and designs that look like something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_listening.answers.session_ratings import session_checks
from synbench_listening.commands.group import listen
from synbench_listening.commands.init import template_names
from synbench_listening.design.build_study import build_study
from synbench_listening.design.mnru import mnru
from synbench_listening.design.study import StudyDesign, load_study
from synbench_listening.design.study_folder import StudyFolder

Build = Callable[..., StudyFolder]


def init(*arguments: object) -> str:
    done = CliRunner().invoke(listen, ["init", *(str(a) for a in arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", template_names())
def test_every_template_builds_a_study(name: str, common_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    init(name, "--out", path)
    design = load_study(path)
    assert design.name.startswith(name.split("-")[0][:4]) or design.name.startswith("codecs-")
    # The made run has ten short items.
    small = {"count": min(4, design.items.count), "minimum_seconds": 0.5}
    changes = {"items": small, "replicates": min(design.replicates, 4)}
    changes["items_per_listener"] = 2 if design.items_per_listener else None
    smaller = StudyDesign.model_validate(design.model_dump(exclude_unset=True) | changes)
    key = build_study(common_run, smaller, tmp_path / "built").key()
    assert key.blocks and key.systems == ("Codec-A", "Codec-B", "Codec-C")


def test_the_papers_designs_are_the_papers(tmp_path: Path) -> None:
    designs = {}
    for name in ("p2psyncodec-preference", "p2psyncodec-mushra"):
        init(name, "--out", tmp_path / name)
        designs[name] = load_study(tmp_path / name)
    preference, mushra = designs.values()
    assert (preference.test, preference.no_preference) == ("ab", True)
    assert preference.pairs_are_between_systems
    assert (mushra.test, mushra.items.count, mushra.anchor_names) == ("mushra", 20, ("anchor35",))
    assert mushra.minimum_listeners == 25 and mushra.not_standard
    assert "two anchors" in (tmp_path / "p2psyncodec-mushra").read_text()


def test_all_keys_are_told(tmp_path: Path) -> None:
    init("--out", tmp_path / "study.yaml")
    text = (tmp_path / "study.yaml").read_text()
    schema = json.loads(init("--schema"))
    for key in schema["properties"]:
        assert f"#   {key}: " in text
    with pytest.raises(UsageError, match="there already"):
        init("--out", tmp_path / "study.yaml")
    with pytest.raises(UsageError, match="there are: abx, bs1116"):
        init("nothing", "--out", tmp_path / "other.yaml")
    assert "p808-acr" in init("--list")


def test_names_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: 2024\ntest: mushra\nsystems: [007, 1.10, 12, no, 1e3]\n"
        "items: {count: 2, only: [0012, 3, 1_000], without: [1:30, 2024-01-01]}\n"
        "completion_code: 00123\n"
    )
    design = load_study(path)
    assert design.name == "2024"
    assert design.systems == ["007", "1.10", "12", "no", "1e3"]
    assert design.items.only == ["0012", "3", "1_000"]
    assert design.items.without == ["1:30", "2024-01-01"]
    assert design.completion_code == "00123"


def test_modulated_noise_is_in_proportion_to_the_speech() -> None:
    wave = np.concatenate([np.full(40_000, 0.5), np.zeros(1000), np.full(40_000, 0.05)])
    noise = mnru(wave, q_db=20, seed="x") - wave
    for part in (slice(0, 40_000), slice(41_000, None)):
        ratio = 10 * np.log10((wave[part] ** 2).mean() / (noise[part] ** 2).mean())
        assert ratio == pytest.approx(20, abs=0.1)
    assert not noise[40_000:41_000].any()


@pytest.mark.parametrize("test", ["acr", "dcr", "effort", "ccr", "ab", "abx", "mushra1s"])
def test_known_answers_are_hidden_among_the_trials(build: Build, test: str) -> None:
    from test_simulated_listener import panel

    trapped = test in ("acr", "dcr", "effort")
    folder = build(
        test=test, items={"count": 2}, pages=["trials", "finish"], gold_trials=2,
        traps=2 if trapped else 0,
    )  # fmt: skip
    key = folder.key()
    for block in key.blocks:
        checks = [page for page in block.pages if page.check]
        assert [p.check for p in sorted(checks, key=lambda p: p.check)] == (
            ["gold"] * 2 + ["trap"] * (2 if trapped else 0)
        )
        assert block.pages[0].check == "" and {page.kind for page in checks} == {test}
    # Public part and plan say nothing of them.
    assert "gold" not in (folder.path / "study.json").read_text()
    passed = [
        session_checks(key, folder.public(), block=name, answers=answers)
        for name, answers in panel(folder, 4)
    ]
    assert all(counts["gold"][1] == 2 for counts in passed)
    if trapped:
        assert all(counts["trap"] == (2, 2) for counts in passed)


def test_a_check_that_makes_no_sense_is_refused(build: Build) -> None:
    with pytest.raises(UsageError, match="hidden reference and anchors tell as much"):
        build(gold_trials=1)
    with pytest.raises(UsageError, match="traps are for acr, dcr, effort"):
        build(test="ab", traps=1)
    with pytest.raises(UsageError, match="must not be called MUSHRA"):
        build(anchors=["anchor35"])


def test_one_anchor_and_noise_are_conditions(build: Build) -> None:
    folder = build(anchors=["anchor35"], not_standard=True, mnru=[10, 25])
    conditions = {s.condition for s in folder.key().stimuli.values() if s.item}
    assert conditions == {
        "reference", "anchor35", "MNRU 10 dB", "MNRU 25 dB", "Codec-A", "Codec-B", "Codec-C"
    }  # fmt: skip


def test_two_systems_are_compared_in_both_orders(build: Build) -> None:
    folder = build(test="ccr", pairs="between_systems", pages=["trials", "finish"])
    key = folder.key()
    pairs = [
        tuple(key.stimuli[name].condition for name in page.stimuli)
        for block in key.blocks
        for page in block.pages
        if page.kind == "ccr"
    ]
    assert len(set(pairs)) == 6
    assert all(pairs.count(pair) == pairs.count(pair[::-1]) for pair in pairs)
