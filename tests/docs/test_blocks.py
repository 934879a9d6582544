"""What the documentation tells a reader to type runs, page by page, in a folder with some speech.

A page is one session: variables, files and folders of a block are there for the next.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from written_blocks import ROOT, RUN, SHOWN, Block, Page, pages

PAGES = pages()
FOR_A_SHELL = re.compile(r"[|&;<>$*`]")


def tried(page: Page) -> bool:
    return any(block.language in RUN and not block.skip for block in page.blocks)


def parameters() -> list[Any]:
    marks = {page.name: [pytest.mark.slow] if "slow" in page.facts else [] for page in PAGES}
    return [
        pytest.param(page, id=page.name, marks=marks[page.name]) for page in PAGES if tried(page)
    ]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def scratch(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as a reader has it: `clean/` with transcripts, `decoded/` with the same names.

    `TRAIN/` and `DEV/` have longer speech, as a training wants it.
    """
    pytest.importorskip("espeakng_loader", reason="no espeakng-loader")
    import numpy as np

    import synbench.corpora
    from synbench.audio import read_audio, write_audio

    monkeypatch.setenv("SYNBENCH_CACHE", str(cache))
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("COLUMNS", "100")
    # Two steps of a training are done before anything is compiled.
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(1)
    waves = []
    for item in synbench.corpora.load("synthetic", limit=4).items:
        wave, rate = read_audio(item.path).wave, item.sample_rate
        waves.append(wave)
        noisy = wave + 0.003 * generator.standard_normal(wave.shape)
        for folder, samples in (("clean", wave), ("decoded", noisy)):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_audio(tmp_path / folder / f"{item.id}.flac", samples, sample_rate=rate)
        (tmp_path / "clean" / f"{item.id}.txt").write_text(item.transcript, encoding="utf-8")
    write_audio(tmp_path / "speech.wav", wave, sample_rate=rate)
    for folder, parts in (("TRAIN", waves), ("DEV", waves[::-1])):
        (tmp_path / folder).mkdir()
        write_audio(tmp_path / folder / "long.flac", np.concatenate(parts), sample_rate=rate)
    yield tmp_path
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", parameters())
def test_the_blocks_of_a_page_run(page: Page, scratch: Path) -> None:
    for package in page.facts.get("needs", ()):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is absent")
    names: dict[str, Any] = {"__name__": "page"}
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for block in page.blocks:
            where = f"{page.name}:{block.line}"
            if block.title:
                file = scratch / block.title
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.body, encoding="utf-8")
            elif block.language == "python" and not block.skip:
                exec(compile(block.body, where, "exec"), names)
            elif block.language == "console" and not block.skip:
                try_commands(block, where, servers)
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=20)


def try_commands(block: Block, where: str, servers: list[subprocess.Popen[bytes]]) -> None:
    commands = block.commands()
    assert commands, f"{where}: a console block without a line that begins with '$ '"
    for number, (command, shown) in enumerate(commands):
        if command.startswith("make "):  # not here: see the test of the targets below
            continue
        if command.endswith(" &"):
            servers.append(subprocess.Popen(shlex.split(command[:-2]), env=child_environment()))
            continue
        code, output = outcome(command)
        expected = block.exit_code if number == len(commands) - 1 else 0
        assert code == expected, f"{where}: {command} ended with {code}\n{output}"
        if block.compared:
            assert [line.rstrip() for line in output.splitlines()] == [
                line.rstrip() for line in shown.splitlines()
            ], f"{where}: {command}"


def outcome(command: str) -> tuple[int, str]:
    """The exit code and the output; our own commands run in this process, which saves seconds."""
    words = shlex.split(command, comments=True)
    if words[0] == "synbench" and not FOR_A_SHELL.search(command):
        return our_outcome(words[1:])
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=child_environment()
    )
    return done.returncode, done.stdout + done.stderr


def our_outcome(words: list[str]) -> tuple[int, str]:
    from synbench.__main__ import cli, exit_code

    result = CliRunner().invoke(cli, words)
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result.exit_code, result.output
    code = exit_code(result.exception) if isinstance(result.exception, Exception) else None
    if code is None:
        raise result.exception
    return code, f"{result.output}Error: {result.exception}"


def child_environment() -> dict[str, str]:
    """Programs started by a page find this very synbench."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": programs, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Page) -> None:
    unknown = [
        f"line {block.line}: {block.language!r}"
        for block in page.blocks
        if block.language not in (*RUN, *SHOWN)
    ]
    assert unknown == []


def _own_commands() -> list[Any]:
    return [
        pytest.param(command, id=f"{page.name}:{block.line}")
        for page in PAGES
        for block in page.blocks
        if block.language == "console"
        for command, _ in block.commands()
        if re.match(r"(\S*/)?synbench ", command)
    ]


@pytest.mark.parametrize("command", _own_commands() or [pytest.param("synbench run demo")])
def test_commands_have_the_options_that_are_written(command: str) -> None:
    """Also of commands that take hours or a network, which no test runs."""
    words = shlex.split(command.partition(" | ")[0].removesuffix(" &"), comments=True)
    from synbench.__main__ import cli

    group: click.Command = cli
    words = words[1 : words.index(">") if ">" in words else None]
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(group)
        inner = group.get_command(context, words[0])
        assert inner is not None, f"no command {words[0]} in: {command}"
        group, words = inner, words[1:]
    context = click.Context(group, info_name="synbench")
    group.make_parser(context).parse_args(list(words))


def test_make_targets_are_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = [
        word
        for page in PAGES
        for block in page.blocks
        if block.language == "console"
        for command, _ in block.commands()
        if command.startswith("make ")
        for word in shlex.split(command, comments=True)[1:]
        if "=" not in word
    ]
    assert set(named) <= set(targets)
