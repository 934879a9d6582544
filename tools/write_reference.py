"""Writes the reference pages that follow from the code: codecs, metrics, corpora, commands.

    make reference

A test compares the pages with what this writes. Versions of installed packages are left out, so
that the pages are the same on every machine; what a machine cannot describe keeps its old section.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parent))

import published_codecs
import synbench.corpora
import synbench_codecs
from docstring_markdown import as_markdown, first_line, without_first_line
from synbench.commands.listing import codec_facts, metric_facts
from synbench.suite import load_suite, packaged_suites
from synbench.weights import known_checkpoints
from synbench_metrics._registry import registry

FOLDER = Path(__file__).resolve().parent.parent / "docs/reference"
ARROWS = {"up": "higher is better", "down": "lower is better"}
KINDS = {
    "anchor": "anchor",
    "classical": "classical",
    "neural": "neural",
    "external": "a program of yours",
    "recordings": "decoded files",
}
COLUMNS = 80
NEEDS_OF_ONE = {
    "reference": "the original",
    "transcript": "a transcript",
    "language": "a language",
}

__all__ = ["PAGES", "sections"]


def main() -> int:
    """Write every page, and say which changed."""
    argparse.ArgumentParser(description="Write the generated reference pages.").parse_args()
    for name, write in PAGES.items():
        path = FOLDER / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = kept(old, write())
        path.write_text(new, encoding="utf-8")
        print(f"{'same' if new == old else 'new '}  docs/reference/{name}")
    return 0


def sections(page: str) -> dict[str, str]:
    """The parts of a page by their second-level headings; the first, which has none, by ``""``."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    return {"" if number == 0 else first_line(part): part for number, part in enumerate(parts)}


def kept(old: str, new: str) -> str:
    """The new page, but the old sections of what cannot be described on this machine."""
    before = sections(old)
    return "".join(
        before.get(heading, part) if UNKNOWN in part else part
        for heading, part in sections(new).items()
    )


UNKNOWN = "This machine cannot describe it: "


def _page(title: str, introduction: str, parts: Iterable[str], *, order: int) -> str:
    head = f"---\norder: {order}\n---\n\n# {title}\n\n{introduction}\n"
    note = "<!-- Written by `make reference`; change the code instead. -->\n"
    return "\n".join([head + "\n" + note, *(f"{part.rstrip()}\n" for part in parts)])


def _rows(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def without_versions(text: str) -> str:
    """A text without the version numbers of the packages that are installed here."""
    for name in set(re.findall(r"[A-Za-z][\w.-]+", text)):
        try:
            version = importlib.metadata.version(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
        text = text.replace(f"{name} {version}", name)
    return text


# --- codecs -----------------------------------------------------------------------------------


def codecs_page() -> str:
    """All codecs, a section for each name."""
    introduction = (
        "A codec is named by a spec: its name, then options, as in "
        "`opus:bitrate_bps=6000`. `synbench codecs` prints this list for your machine, with what "
        "is missing and how to get it; `synbench codecs --json` gives it to programs. "
        "To add your own, see [your own codec](../how-to/own-codec.md)."
    )
    return _page("Codecs", introduction, map(_codec_section, synbench_codecs.names()), order=10)


def _codec_section(name: str) -> str:
    loaded = synbench_codecs.codec_class(name)
    module = sys.modules[loaded.__module__]
    text = module.__doc__ or ""
    listed = codec_facts(name)
    facts = [fact for fact in listed if "label" in fact]
    parts = [f"## `{name}`", as_markdown(first_line(text))]
    if facts:
        parts += [_codec_table(facts[0], loaded), _points_table(facts)]
    elif listed[0]["unavailable"]:
        parts.append(UNKNOWN + listed[0]["unavailable"])
    parts += [as_markdown(without_first_line(text)), _options(loaded)]
    return "\n\n".join(part for part in parts if part)


def _codec_table(fact: dict[str, Any], loaded: Any) -> str:
    cost = getattr(loaded, "cpu_seconds_per_audio_second", None)
    rows = {
        "Kind": KINDS[fact["kind"]],
        "Implementation": _program(fact["implementation"]),
        "Source": fact["source"],
        "Licence of the code": fact["code_licence"],
        "Licence of the weights": fact["weights_licence"],
        "Trained on": ", ".join(fact["training_data"]),
        "Weights": fact["training_note"],
        "Causal": {True: "yes", False: "no", None: ""}[fact["causal"]],
        "Look-ahead": _lookahead(fact),
        "Bandwidth": _unit(fact["bandwidth_hz"], "Hz"),
        "Lost frames": "bridged by its own decoder" if fact["conceals"] else "",
        "Random numbers": "drawn from a fixed seed" if fact["stochastic"] else "",
        "Cost": "" if cost is None else f"about {cost:g} CPU s for each second of audio",
        "Bits": "" if fact["bits_counted"] else "declared, not counted",
    }
    return _rows(("", ""), ((f"**{key}**", value) for key, value in rows.items() if value))


def _program(text: str) -> str:
    """The library without its version, which is that of one machine."""
    return re.sub(r" v?\d+(\.\d+)+", "", without_versions(text))


def _lookahead(fact: dict[str, Any]) -> str:
    samples, rate = fact["lookahead_samples"], fact["sample_rate"]
    if samples is None:
        return "the whole file"
    return f"{1000 * samples / rate:.3g} ms" if samples and rate else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def _points_table(facts: list[dict[str, Any]]) -> str:
    headings = ("Spec", "kbit/s", "Input Hz", "Output Hz", "Frame ms", "Codebooks", "Delay ms")
    return _rows(headings, map(_point, facts))


def _point(fact: dict[str, Any]) -> Iterator[str]:
    yield f"`{fact['spec']}`"
    rate = fact["nominal_bitrate_bps"]
    yield "-" if rate is None else f"{float(Fraction(rate)) / 1000:g}"
    yield str(fact["sample_rate"] or "any")
    yield str(fact["output_sample_rate"] or "as the input")
    frames = fact["frame_rate_hz"]
    yield "-" if frames is None else f"{1000 / float(Fraction(frames)):.4g}"
    yield _books(fact["codebook_sizes"])
    out = fact["output_sample_rate"]
    yield f"{1000 * fact['output_delay_samples'] / out:.3g}" if out else "0"


def _books(sizes: list[int]) -> str:
    if not sizes:
        return "-"
    if len(set(sizes)) == 1:
        return f"{len(sizes)} x {sizes[0]}" if len(sizes) > 1 else str(sizes[0])
    return " + ".join(map(str, sizes))


def _options(loaded: Any) -> str:
    """The ``Args`` of the class as a list."""
    _, heading, arguments = (loaded.__doc__ or "").partition("Args:\n")
    if not heading:
        return ""
    entries = re.findall(r"^ {8}(\w+): (.*?)(?=^ {8}\w|\Z)", arguments, re.MULTILINE | re.DOTALL)
    lines = [f"- `{name}`: {as_markdown(' '.join(text.split()))}" for name, text in entries]
    return "**Options**\n\n" + "\n".join(lines)


def published_codecs_page() -> str:
    """Rates, licences and proofs of networks, those of the registry and those by a script."""
    introduction = (
        "What is counted beside what the authors print, what may be done with code and weights, "
        "and how it was shown that a network here is theirs. Counted are the bits of all whole "
        "frames; the contract tests compare every stream with this. Where it says *stand-in*, "
        "names, shapes and types are those of the package, and no network of theirs has run "
        "here. Trained weights of most codecs could not be loaded where this was written: try "
        "`synbench check` with yours. Scripts are set up as in [codecs in an environment of "
        "their own](../how-to/codecs-in-their-own-environment.md). `synbench codecs --json` "
        "gives licences and training data to programs; `plan`, `run` and every table warn where "
        "a codec was trained on the corpus that is scored. Licences in the scripts were "
        "read in the authors' repositories and on their model cards; training data likewise, but "
        "for BiCodec, FACodec, SemantiCodec, XY-Tokenizer and NanoCodec, whose papers could not "
        "be read again. *Not stated* means that nothing was found."
    )
    facts = [fact for name in synbench_codecs.names() for fact in codec_facts(name)]
    table = _rows(published_codecs.HEADINGS, published_codecs.rows(facts))
    apart = "## Why some are scripts\n\n" + _rows(
        published_codecs.APART_HEADINGS, published_codecs.APART
    )
    return _page("Published codecs", introduction, [table, apart], order=12)


# --- metrics ----------------------------------------------------------------------------------


def metrics_page() -> str:
    """All metrics, a section for each family."""
    introduction = (
        "A column of a table is one metric in one mode. `synbench metrics` prints this list for "
        "your machine. Costs are rough CPU seconds on one core for each second of audio. How "
        "far a metric can be trusted on a generative codec is a question of its own: "
        "[why intrusive metrics mislead](../explanations/intrusive-metrics.md)."
    )
    return _page("Metrics", introduction, _metric_sections(), order=20)


def _metric_sections() -> Iterator[str]:
    for name in registry.modules:
        module = importlib.import_module(f"{registry.package}.{name}")
        columns = sorted(getattr(module, "METRICS", ()), key=lambda one: str(one.info.column))
        if columns:
            yield _metric_section(module.__doc__ or "", [one.info.column for one in columns])


def _metric_section(text: str, columns: list[str]) -> str:
    title, _, definition = first_line(text).rstrip(".").partition(": ")
    facts = [metric_facts(column) for column in columns]
    parts = [f"## {title}"]
    if definition:
        end = "" if definition.endswith("?") else "."
        parts.append(definition[0].upper() + definition[1:] + end)
    headings = ("Column", "Heading", "Range", "Better", "Hz", "Needs", "Cost")
    parts.append(_rows(headings, map(_metric_row, facts)))
    parts.append(as_markdown(without_first_line(text)))
    parts.append(_metric_list(facts))
    return "\n\n".join(part for part in parts if part)


def _metric_row(fact: dict[str, Any]) -> Iterator[str]:
    yield f"`{fact['column']}`"
    yield fact["label"]
    low, high = fact["minimum"], fact["maximum"]
    bounds = " to ".join("∞" if end is None else f"{end:g}" for end in (low, high))
    yield f"{bounds.replace('∞ to', '-∞ to')} {fact['unit']}".strip()
    yield fact["direction"].replace("up", "higher").replace("down", "lower")
    yield ", ".join(map(str, fact["sample_rates"])) or "any"
    yield ", ".join(NEEDS_OF_ONE[need] for need in fact["needs"]) or "nothing else"
    yield f"{fact['cpu_seconds_per_audio_second']:g}"


def _metric_list(facts: list[dict[str, Any]]) -> str:
    """Implementation, mode, licence and citation; columns that agree share a line."""
    lines: dict[str, list[str]] = {}
    for fact in facts:
        program = fact["implementation"]
        program = "our own implementation" if program == "synbench" else f"by `{program}`"
        mode = without_versions(fact["mode"]).strip()
        line = "; ".join(
            part
            for part in (
                program,
                mode,
                f"licence {fact['licence']}" if fact["licence"] else "",
                f"cite {_linked(fact['source'])}",
                f"trained on {', '.join(fact['training_data'])}" if fact["training_data"] else "",
                POOLINGS[fact["pooling"]],
            )
            if part
        )
        lines.setdefault(line, []).append(f"`{fact['column']}`")
    return "\n".join(f"- {', '.join(columns)}: {line}." for line, columns in lines.items())


POOLINGS = {
    "mean": "",
    "weighted_mean": "the score of a corpus is all errors over all words",
    "frechet": "the score of a corpus is the distance of its two sets of embeddings",
}


def _linked(source: str) -> str:
    source = re.sub(r"doi:(10\.\S+?)(?=[,;.]?(\s|$))", r"[doi:\1](https://doi.org/\1)", source)
    return re.sub(r"arXiv:? ?(\d{4}\.\d{5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", source)


# --- corpora, suites, weights, commands ----------------------------------------------------------


def corpora_page() -> str:
    """All corpora and the packaged suites."""
    introduction = (
        "A corpus is named as a codec is: `librispeech:subset=dev-clean`, `folder:path=speech`. "
        "Its licence and what a reader of its scores must know are stored with every run. A "
        "relative path is relative to the file of the suite."
    )
    return _page("Corpora", introduction, map(_corpus, synbench.corpora.names()), order=30)


def _corpus(name: str) -> str:
    text = synbench.corpora.describe(name)
    body, _, options = text.partition(": ")[2].rpartition("\n\nOptions: ")
    return f"## `{name}`\n\n{as_markdown(body)}\n\nOptions: {_option_names(options)}"


def _option_names(options: str) -> str:
    return options if options == "none" else f"`{options}`"


def weights_page() -> str:
    """All checkpoints."""
    introduction = (
        "Every checkpoint that a codec or a metric can load. `synbench weights list` says which "
        "are on your machine, `synbench weights fetch NAME` brings one, and each file is checked "
        "by its SHA-256. See [weights](../how-to/weights.md)."
    )
    rows = (
        (
            f"`{name}`",
            ", ".join(f"`{user}`" for user in known.users),
            known.checkpoint.licence or "not stated",
            "<br>".join(dict.fromkeys(source.repository for source in known.checkpoint.files)),
            "yes" if all(source.sha256 for source in known.checkpoint.files) else "at first fetch",
        )
        for name, known in known_checkpoints().items()
    )
    table = _rows(("Checkpoint", "Used by", "Licence", "From", "SHA-256 pinned"), rows)
    return _page("Weights", introduction, [table], order=40)


def suites_page() -> str:
    """The packaged suites."""
    introduction = (
        "These suites come with synbench: `synbench run NAME` runs one, `synbench suites show "
        "NAME` prints it, `synbench suites copy NAME FILE` starts your own from it. The keys of "
        "a suite are explained in [suites](../how-to/suites.md)."
    )
    paths = sorted(packaged_suites().items())
    rows = ((f"`{name}`", load_suite(path).description) for name, path in paths)
    return _page("Suites", introduction, [_rows(("Suite", "What it compares"), rows)], order=35)


def commands_page() -> str:
    """The help of every command, as it is printed on 80 columns."""
    from synbench.__main__ import COMMANDS, cli

    introduction = (
        "The help text of every command. `synbench COMMAND --help` prints the same on your "
        "machine. Exit codes: 0 done, 1 more failures than allowed or a wrong digest, 2 a mistake "
        "in what was typed, 3 something is missing on this machine."
    )
    parts = [f"## synbench\n\n{_help(cli, 'synbench')}"]
    with click.Context(cli, info_name="synbench") as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            parts.append(f"## synbench {name}\n\n{_help(command, f'synbench {name}')}")
            parts += [
                f"### synbench {name} {inner}\n\n{_help(inner_command, f'synbench {name} {inner}')}"
                for inner, inner_command in _inner(command)
            ]
    return _page("Commands", introduction, parts, order=50)


def _inner(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner_command = command.get_command(context, name)
            if inner_command is not None:
                yield name, inner_command


def _help(command: click.Command, name: str) -> str:
    # click keeps the help option as whoever asked first wanted it to be called.
    command = copy.copy(command)
    command._help_option = None
    context = click.Context(
        command,
        info_name=name,
        terminal_width=COLUMNS,
        max_content_width=COLUMNS,
        help_option_names=["-h", "--help"],
    )
    return f"```text\n{command.get_help(context).rstrip()}\n```"


PAGES: dict[str, Callable[[], str]] = {
    "codecs.md": codecs_page,
    "published-codecs.md": published_codecs_page,
    "metrics.md": metrics_page,
    "corpora.md": corpora_page,
    "suites.md": suites_page,
    "weights.md": weights_page,
    "commands.md": commands_page,
}

if __name__ == "__main__":
    sys.exit(main())
