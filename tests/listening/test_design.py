"""Items, Latin squares, blocks of every test, and the limits of the standards."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synbench.errors import UsageError
from synbench_listening.design.choose_items import choose_items
from synbench_listening.design.latin_square import balanced_orders
from synbench_listening.design.run_material import read_material
from synbench_listening.design.study import Items
from synbench_listening.design.study_folder import StudyFolder

Build = Callable[..., StudyFolder]
Run = Callable[..., Path]


@given(st.integers(2, 14))
def test_squares_favour_no_place_and_no_neighbour(n: int) -> None:
    rows = balanced_orders(n)
    counts = Counter((position, what) for row in rows for position, what in enumerate(row))
    neighbours = Counter(pair for row in rows for pair in itertools.pairwise(row))
    assert all(sorted(row) == list(range(n)) for row in rows)
    assert len(counts) == n * n and len(set(counts.values())) == 1
    assert len(neighbours) == n * (n - 1) and len(set(neighbours.values())) == 1


def test_items_are_drawn_by_seed_and_spread_over_scores_and_speakers(made_run: Run) -> None:
    material = read_material(made_run(), systems=[], corpus=None, metric="mos")
    assert [system.label for system in material.systems] == ["Codec-A", "Codec-B", "Codec-C"]
    assert material.candidates[3].score == pytest.approx(3.2)
    chosen, training = choose_items(material.candidates, items=Items(count=5), training=2, seed=4)
    # One of each fifth of the scores.
    assert sorted(int(candidate.score or 0) // 2 for candidate in chosen) == [0, 1, 2, 3, 4]
    assert not {c.item for c in chosen} & {c.item for c in training} and len(training) == 2
    again = choose_items(material.candidates[::-1], items=Items(count=5), training=2, seed=4)
    assert again == (chosen, training)
    plain = [
        candidate.__class__(**vars(candidate) | {"score": None})
        for candidate in material.candidates
    ]
    spread = choose_items(plain, items=Items(count=6), training=0, seed=1)[0]
    assert set(Counter(candidate.speaker for candidate in spread).values()) == {2}


def test_what_a_run_lacks_is_named(made_run: Run, build: Build) -> None:
    run = made_run(systems=2)
    with pytest.raises(UsageError, match="did you mean Codec-A"):
        build(run, systems=["Codec-AA"])
    with pytest.raises(UsageError, match="it has: mos"):
        build(run, items={"count": 2, "stratify_by": "pesq"})
    with pytest.raises(UsageError, match="10 last from 1 to 12 s"):
        build(run, items={"count": 10})
    with pytest.raises(UsageError, match="no usable item 'item-77'"):
        build(run, items={"count": 2, "only": ["item-77"]})
    (run / "corpus" / "item-3.wav").unlink()
    with pytest.raises(UsageError, match=r"no such file.*without: \[item-3\]"):
        build(run, items={"count": 1, "only": ["item-3", "item-4"]})
    with pytest.raises(UsageError, match="synbench run SUITE"):
        build(run / "nowhere")


def test_every_condition_of_a_mushra_study_is_everywhere_equally_often(build: Build) -> None:
    key = build(replicates=1, attention_checks=1, break_after=2).key()
    assert len(key.blocks) == 12
    counts = Counter(
        (page.item, position, key.stimuli[name].condition)
        for block in key.blocks
        for page in block.pages
        if page.kind == "mushra" and not page.training and not page.replicate
        for position, name in enumerate(page.stimuli)
    )
    assert len(counts) == 4 * 6 * 6 and set(counts.values()) == {2}
    first = key.blocks[0].pages
    kinds = [page.kind for page in first]
    assert kinds == [
        "consent",
        "instructions",
        "mushra",
        "mushra",
        "mushra",
        "break",
        "attention",
        "mushra",
        "mushra",
        "break",
        "mushra",
        "finish",
    ]
    assert [page.training for page in first if page.kind == "mushra"] == [True] + 5 * [False]
    assert first[-2].replicate == 1
    trained = first[2].item
    assert trained not in {page.item for page in first[3:]}


def test_groups_of_items_share_the_listeners(build: Build) -> None:
    key = build(items={"count": 6}, items_per_listener=3).key()
    heard = [
        {p.item for p in block.pages if p.kind == "mushra" and not p.training}
        for block in key.blocks
    ]
    assert len(key.blocks) == 12 and all(len(items) == 3 for items in heard)
    assert not heard[0] & heard[1] and heard[0] == heard[2]


@pytest.mark.parametrize("test", ["abx", "ab", "ccr", "bs1116"])
def test_pairs_are_equally_often_either_way_round(build: Build, test: str) -> None:
    key = build(test=test, items={"count": 2}).key()
    sides = Counter(
        (page.item, tuple(key.stimuli[name].condition for name in page.stimuli[:2]), page.x)
        for block in key.blocks
        for page in block.pages
        if page.kind == test and not page.training
    )
    assert len(set(sides.values())) == 1
    assert len(sides) == 2 * 3 * (4 if test == "abx" else 2)
    for block in key.blocks:
        for page in block.pages:
            if test == "abx" and page.kind == test:
                assert page.stimuli[2] == page.stimuli[page.x or 0]
            assert (page.reference is not None) == (page.kind == test and test in ("ab", "bs1116"))


@pytest.mark.parametrize("test", ["acr", "dcr"])
def test_single_stimuli_take_turns_over_items(build: Build, test: str) -> None:
    key = build(test=test, items={"count": 3}, anchors=True).key()
    for block in key.blocks:
        trials = [page for page in block.pages if page.kind == test and not page.training]
        assert len(trials) == 3 * 6
        assert len({(page.item, page.stimuli) for page in trials}) == 18
        neighbours = itertools.pairwise(trials)
        assert sum(a.item == b.item for a, b in neighbours) <= 5
    turns = Counter(
        (item, turn, page.stimuli)
        for block in key.blocks
        for item in {page.item for page in block.pages if page.item}
        for turn, page in enumerate(
            page for page in block.pages if page.item == item and not page.training
        )
    )
    assert len(turns) == 3 * 6 * 6 and len(set(turns.values())) == 1


def test_the_standard_names_its_limits(made_run: Run, build: Build) -> None:
    run = made_run(systems=10)
    with pytest.raises(UsageError, match="13 signals in a trial"):
        build(run)
    with pytest.raises(UsageError, match="must not be called MUSHRA"):
        build(run, systems=["codec-a"], anchors=False)
    with pytest.raises(UsageError, match="without training"):
        build(run, systems=["codec-a"], training_items=0)
    with pytest.raises(UsageError, match="needs two"):
        build(run, test="ab", systems=["codec-a"])
    key = build(run, not_standard=True).key()
    assert any(note.startswith("not standard: 10 systems") for note in key.notes)
    assert any("1.5 times" in note for note in key.notes)


def test_a_build_is_the_same_again_and_never_overwrites(build: Build, made_run: Run) -> None:
    run = made_run()
    first = build(run)
    with pytest.raises(UsageError, match="is there already"):
        build(run)
    text = json.loads((first.path / "key.json").read_text())
    first.path.rename(first.path.with_name("other"))
    again = json.loads((build(run).path / "key.json").read_text())
    assert text | {"made": ""} == again | {"made": ""}


def test_the_public_part_is_blind(build: Build) -> None:
    folder = build(title="A study", questionnaire=[{"name": "age", "label": "Age"}])
    text = (folder.path / "study.json").read_text()
    for secret in ("Codec-A", "codec-a", "anchor35", "item-", "speaker"):
        assert secret not in text
