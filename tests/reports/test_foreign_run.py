"""Reports, figures and merges of a run folder that came from somebody else."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.results.store import ITEM_COLUMNS, RunFolder, write_table
from synbench_base.errors import SynbenchError, UsageError
from synbench_reports.run_comparison.run_merge import merge_runs
from synbench_reports.tables.build_report import build_report, read_selection

SECRET = b"-----BEGIN OPENSSH PRIVATE KEY-----"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "id_ed25519"
    path.write_bytes(SECRET)
    return path


def items(path: str) -> list[dict[str, Any]]:
    """A table of items whose paths a stranger chose."""
    return [
        {
            "corpus": "speech",
            "item": item,
            "item_digest": f"digest {item}",
            "path": path,
            "seconds": 2.0,
            "sample_rate": 16000,
        }
        for item in "abc"
    ]


def page(run: Any, **options: Any) -> str:
    from synbench_reports.pages.report import report_page

    chosen = {"embed_audio": True, "spectrograms": 0} | options
    return report_page(read_selection(run.folder), beside=run.folder, **chosen)


def test_the_path_of_a_recording_is_not_read_from_the_run(made_run: Any, secret: Path) -> None:
    for path in (str(secret), os.path.relpath(secret, made_run.folder)):
        write_table(made_run.folder / "items.parquet", items(path), ITEM_COLUMNS)
        assert base64.b64encode(SECRET).decode() not in page(made_run)


@pytest.mark.parametrize("how", ["absolute", "above", "link"])
def test_a_reconstruction_outside_the_run_is_refused(made_run: Any, secret: Path, how: str) -> None:
    name = {"absolute": str(secret), "above": "../../id_ed25519", "link": "reconstructions/x.flac"}
    if how == "link":
        (made_run.folder / "reconstructions").mkdir()
        (made_run.folder / name[how]).symlink_to(secret)
    made_run.decode("alpha", "a", reconstruction=name[how], attempt=9)
    made_run.save()
    with pytest.raises(UsageError, match="not opened"):
        page(made_run)


def test_figures_of_a_corpus_whose_name_climbs_are_refused(empty_run: Any, tmp_path: Path) -> None:
    from synbench.__main__ import cli

    pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")
    climbs = "../../planted"
    empty_run.items = {climbs: empty_run.items["speech"]}
    empty_run.begin()
    for codec in ("alpha", "beta"):
        for item in "abc":
            empty_run.decode(codec, item, corpus=climbs)
            empty_run.score(codec, item, "mos", 2.0, corpus=climbs)
    empty_run.save()
    out = tmp_path / "a" / "b" / "figures"
    command = ["figures", str(empty_run.folder), "--out", str(out), "--kind", "box"]
    done = CliRunner().invoke(cli, command)
    assert isinstance(done.exception, UsageError)
    assert not list(tmp_path.rglob("*planted*"))


def test_a_merge_copies_no_file_from_outside(made_run: Any, secret: Path, tmp_path: Path) -> None:
    (made_run.folder / "reconstructions" / "alpha").mkdir(parents=True)
    (made_run.folder / "reconstructions" / "alpha" / "a.flac").symlink_to(secret)
    with pytest.raises(UsageError, match="leads out"):
        merge_runs([made_run.folder], tmp_path / "merged")
    assert not [p for p in (tmp_path / "merged").rglob("*.flac") if p.read_bytes() == SECRET]


def mutations(content: Any, generator: np.random.Generator) -> Any:
    """The same JSON with one value, somewhere, gone or of another kind."""
    spots: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in pairs:
            spots.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(content)
    node, key = spots[int(generator.integers(len(spots)))]
    odd: list[Any] = [None, -1, 2**70, 1e308, float("nan"), "", "../x", "\x1b[31m", [], {}, True]
    odd += [[None], {"a": 1}, "x" * 5000, "16000/0", "1/0"]
    choice = int(generator.integers(len(odd) + 1))
    if choice == len(odd):
        del node[key]
    else:
        node[key] = odd[choice]
    return content


@pytest.mark.parametrize("count", [60, pytest.param(400, marks=pytest.mark.slow)])
def test_mutated_manifests_end_in_one_kind_of_error(made_run: Any, count: int) -> None:
    """Mutations, read as `show`, `diff` and `merge` read them; a quarter of them is refused."""
    path = made_run.folder / "manifest.json"
    whole = path.read_text()
    generator = np.random.default_rng(400)
    refused = 0
    readers: list[Callable[[], Any]] = [
        lambda: build_report(read_selection(made_run.folder)),
        lambda: RunFolder(made_run.folder).manifest(),
    ]
    for _ in range(count):
        path.write_text(json.dumps(mutations(json.loads(whole), generator)))
        for read in readers:
            try:
                read()
            except SynbenchError:
                refused += 1
    assert refused > count / 4


@pytest.mark.parametrize("text", ["", "[]", "null", '"run"', "{", "{}", "\x00", "[1, 2"])
def test_what_is_no_manifest_is_refused_by_every_command(made_run: Any, text: str) -> None:
    from synbench.__main__ import cli

    (made_run.folder / "manifest.json").write_text(text)
    folder = str(made_run.folder)
    for command in (
        ["show", folder],
        ["diff", folder, folder],
        ["tokens", folder],
        ["export", folder, "--format", "csv"],
        ["merge", folder, folder, "--out", f"{folder}-merged"],
        ["compare", folder],
    ):
        done = CliRunner().invoke(cli, command)
        assert isinstance(done.exception, SynbenchError), (command, done.exception)
