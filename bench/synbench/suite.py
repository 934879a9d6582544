"""Suites: what to compare, written in YAML and checked before anything runs.

::

    name: my-comparison
    corpora: ["folder:path=../speech"]
    codecs:
      - opus:bitrate_bps=6000
      - codec: recordings
        options: {folder: ../mine, bitrate_bps: 500}
        label: Mine
    metrics: [pesq_wb, stoi]

A relative ``path``, ``folder``, ``script`` or ``weights`` counts from the suite's own file. Unknown
keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator

from synbench_base.close_names import suggestion
from synbench_base.errors import UsageError
from synbench_base.folders import typed_path
from synbench_base.option_values import Options, Scalar, written
from synbench_base.yaml_text import check_mapping, read_yaml_model
from synbench_codecs import parse_spec
from synbench_codecs._published import PATH_OPTIONS

if TYPE_CHECKING:
    from synbench.conditions.condition import Condition

KEYS = "name, corpora, codecs, metrics"
# An interpreter may be a word that is looked for in PATH, so it stays as it is typed.
ANCHORED_OPTIONS = PATH_OPTIONS - {"python"}

__all__ = [
    "CodecEntry",
    "ComparisonEntry",
    "CorpusEntry",
    "Limits",
    "Suite",
    "anchored",
    "find_suite",
    "load_suite",
    "make_suite",
    "packaged_suites",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CodecEntry(_Strict):
    """One codec point: ``opus:bitrate_bps=6000``, or the same as codec and options."""

    codec: str = Field(description="codec name, with or without :option=value,...")
    options: dict[str, Scalar] = Field(default={}, description="options of the codec")
    label: str | None = Field(default=None, description="name in tables")


class CorpusEntry(_Strict):
    """One corpus: ``folder:path=speech``, or the same as corpus and options."""

    corpus: str = Field(description="corpus name, with or without :option=value,...")
    options: dict[str, Scalar] = Field(default={}, description="options of the corpus")
    name: str | None = Field(default=None, description="name in tables")
    limit: int | None = Field(default=None, ge=1, description="take this many items, fixed choice")
    digest: str | None = Field(default=None, description="refuse the corpus if it has another")


class ComparisonEntry(_Strict):
    """One comparison to be tested, fixed before anything ran: what first has over second."""

    first: str = Field(description="label of a codec")
    second: str = Field(description="label of a codec")
    asks: str = Field(default="", description="the question that it answers")
    share_of: list[str] = Field(
        default=[], description="two labels: also as a share of what that pair differs"
    )

    @field_validator("share_of")
    @classmethod
    def _two_or_none(cls, value: list[str]) -> list[str]:
        if len(value) not in (0, 2):
            raise ValueError(f"expected two labels, got {value!r}")
        return value


def _entry(key: str, model: type[BaseModel]) -> BeforeValidator:
    """Takes the short form too, here and in the JSON schema."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value,
        json_schema_input_type=str | model,
    )


class Limits(_Strict):
    """What a codec must keep to for a use; tables mark who does."""

    latency_ms: float | None = Field(
        default=None, gt=0, description="algorithmic delay: frame and look-ahead"
    )
    giga_macs: float | None = Field(
        default=None, gt=0, description="10^9 multiply-accumulates per second of audio"
    )


class Suite(_Strict):
    """A comparison: every codec over every corpus by every metric."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="also the run's folder")
    description: str = ""
    corpora: list[Annotated[CorpusEntry, _entry("corpus", CorpusEntry)]] = Field(min_length=1)
    codecs: list[Annotated[CodecEntry, _entry("codec", CodecEntry)]] = Field(min_length=1)
    metrics: list[str] = Field(min_length=1)
    comparisons: list[ComparisonEntry] = Field(
        default=[], description="the family that synbench compare --fixed tests"
    )
    conditions: list[str | dict[str, Any]] = Field(
        default=[], description="what is done to speech and streams: clean, {noise: babble, ...}"
    )
    against: list[Literal["clean", "input"]] = Field(
        default=["clean", "input"],
        min_length=1,
        description="what scores are against where a condition damages the input: the clean "
        "recording, the damaged input, or both in columns of their own",
    )
    limits: Limits = Field(default=Limits(), description="tables mark the codecs that keep to them")
    failure_budget: int | str = Field(
        default=0, description="failed cells allowed before exit code 1: a count, or '5%'"
    )
    unavailable: Literal["stop", "skip"] = Field(
        default="stop", description="what to do when a codec or metric cannot run on this machine"
    )

    @field_validator("failure_budget")
    @classmethod
    def _budget_is_a_count_or_a_share(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value >= 0:
            return value
        if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value):
            return value
        raise ValueError(f"expected a count such as 3 or a share such as '5%', got {value!r}")

    _folder: Path = PrivateAttr(default=Path())

    def read_conditions(self) -> tuple[Condition, ...]:
        """The conditions, clean first; none where the suite names none.

        Raises:
            UsageError: one is unknown or out of range, or its recordings are not there.
        """
        from synbench.conditions.condition import read_conditions

        return read_conditions(self.conditions, folder=self._folder)

    @property
    def folder(self) -> Path:
        """The folder of the suite's file, from which its relative paths count."""
        return self._folder

    def allowed_failures(self, cells: int) -> int:
        """How many of ``cells`` may fail."""
        if isinstance(self.failure_budget, int):
            return self.failure_budget
        return int(float(self.failure_budget.rstrip("%")) / 100 * cells)


Entry = TypeVar("Entry", CodecEntry, CorpusEntry)


def packaged_suites() -> dict[str, Path]:
    """Suites that come with synbench, by name."""
    here = Path(str(resources.files("synbench")))
    for folder in (here / "suites", here.parent / "suites"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def find_suite(name_or_path: str) -> Path:
    """The file of a packaged suite or a path.

    Raises:
        UsageError: neither exists; the message offers the close names.
    """
    packaged = packaged_suites()
    if name_or_path in packaged:
        return packaged[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    hint = suggestion(name_or_path, packaged, f"packaged: {', '.join(packaged) or 'none'}")
    raise UsageError(f"no suite {name_or_path!r}: no such file and no packaged suite; {hint}")


def load_suite(path: Path) -> Suite:
    """Read and check a suite file.

    Raises:
        UsageError: no YAML, an unknown key (the close one is offered), or a value out of range.
    """
    return _anchored(
        read_yaml_model(path, Suite, what="suite", keys=KEYS, written=True), path.parent
    )


def make_suite(content: Mapping[str, Any]) -> Suite:
    """Check a suite that was made in Python; relative paths count from the working folder.

    Raises:
        UsageError: an unknown key (the close one is offered), or a value out of range.
    """
    return _anchored(check_mapping(content, Suite, what="suite"), Path())


def _anchored(suite: Suite, folder: Path) -> Suite:
    anchored_suite = suite.model_copy(
        update={
            "codecs": [_anchor(entry, folder) for entry in suite.codecs],
            "corpora": [_anchor(entry, folder) for entry in suite.corpora],
        }
    )
    anchored_suite._folder = folder.absolute()
    return anchored_suite


def _anchor(entry: Entry, folder: Path) -> Entry:
    """Make relative paths count from the suite's folder, also in the ``name:path=...`` form."""
    key = "codec" if hasattr(entry, "codec") else "corpus"
    name, options = parse_spec(getattr(entry, key))
    options = anchored({**options, **entry.options}, folder)
    return entry.model_copy(update={key: name, "options": options})


def anchored(options: Mapping[str, Scalar], folder: Path) -> Options:
    """The options with their paths made absolute; relative ones count from ``folder``."""
    # A folder may be called 2024, which reads as a number.
    paths = {key: written(options[key]) for key in ANCHORED_OPTIONS if key in options}
    return dict(options) | {
        key: str((folder / typed_path(value)).resolve()) if value else value
        for key, value in paths.items()
    }
