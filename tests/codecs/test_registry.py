from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synbench_codecs
from synbench_base.option_values import typed_options
from synbench_codecs import format_spec, load, parse_spec
from synbench_codecs.errors import Unavailable, UsageError

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
KEYS = st.from_regex(r"[a-z][a-z_]{0,10}", fullmatch=True)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
)


@given(NAMES, st.dictionaries(KEYS, VALUES, max_size=4))
def test_specs_come_back(name: str, options: dict[str, Any]) -> None:
    parsed_name, parsed = parse_spec(format_spec(name, options))
    assert (parsed_name, parsed) == (name, options)
    assert {key: type(value) for key, value in parsed.items()} == {
        key: type(value) for key, value in options.items()
    }


def test_values_have_their_types() -> None:
    assert parse_spec("x:a=6000,b=true,c=word,d='1,2',e=0.5") == (
        "x",
        {"a": 6000, "b": True, "c": "word", "d": "1,2", "e": 0.5},
    )
    assert parse_spec("x") == ("x", {})


@pytest.mark.parametrize("spec", ["x:a", "x:=1", "x:a=[1]", "x:a={", "x:a="])
def test_broken_specs_are_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        parse_spec(spec)


def test_all_built_in_codecs_are_listed() -> None:
    expected = "amr-nb amr-wb codec2 command g722 lowpass-3k5 opus passthrough recordings"
    assert set(expected.split()) <= set(synbench_codecs.names())


def test_close_names_are_offered() -> None:
    with pytest.raises(UsageError, match="unknown codec 'opsu'; did you mean opus"):
        load("opsu")
    with pytest.raises(UsageError, match="unknown codec 'zzzzz'; see: synbench codecs"):
        load("zzzzz")
    with pytest.raises(UsageError, match="did you mean bitrate_bps"):
        load("opus", bitrate=6000)
    with pytest.raises(UsageError, match="needs folder: recordings:folder="):
        load("recordings")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("opus:bitrate_bps=5000", "6000 to 256000"),
        ("opus:bitrate_bps=6001", "multiple of 400"),
        ("opus:bitrate_bps=true", "an integer from"),
        ("opus:bitrate_bps=8000.0", "an integer from"),
        ("opus:sample_rate=44100", "8000, 12000, 16000, 24000, 48000"),
        ("amr-nb:bitrate_bps=12000", "4750, 5150"),
        ("amr-wb:bitrate_bps=12000", "6600, 8850"),
        ("codec2:bitrate_bps=450", "3200, 2400"),
    ],
)
def test_bad_values_name_the_good_ones(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(spec)


@pytest.mark.parametrize(
    ("name", "package"),
    [("opus", "av"), ("amr-nb", "av"), ("g722", "av"), ("codec2", "pycodec2")],
)
def test_absent_packages_are_named(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Unavailable, match=rf"pip install .*{package}[<>=]"):
        load(name)


def _with_weights() -> list[Any]:
    return [
        pytest.param(name, options, id=format_spec(name, options))
        for name in synbench_codecs.names()
        if getattr(synbench_codecs.codec_class(name), "checkpoints", ())
        for options in synbench_codecs.codec_class(name).points
    ]


@pytest.mark.parametrize(("name", "options"), _with_weights())
def test_a_codec_without_its_weights_is_described(name: str, options: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
    pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
    info = synbench_codecs.describe(format_spec(name, options))
    assert info is not None
    assert info.spec.partition(":")[0] == name
    assert info.nominal_bitrate_bps is None or info.nominal_bitrate_bps > 0
    assert info.label


@pytest.mark.parametrize(
    "text", ["007", "1.10", "no", "my ref #1", "2024-01-01", "0011", "1e-5", "1_000", "a: b", "~"]
)
def test_what_a_number_would_lose_stays_text(text: str) -> None:
    assert parse_spec(f"x:a={text}") == ("x", {"a": text})


def _takes(*, folder: str, count: int = 0, share: int | float = 0.0, quick: bool = False) -> None:
    """Options of every kind."""


@pytest.mark.parametrize(
    ("typed", "option", "value"),
    [
        ("folder=2024", "folder", "2024"),
        ("folder=1.5", "folder", "1.5"),
        ("folder=true", "folder", "true"),
        ("folder=no", "folder", "no"),
        ("folder='007'", "folder", "007"),
        ("count=007", "count", 7),
        ("count=12_000", "count", 12000),
        ("share=1e-3", "share", 0.001),
        ("share=.5", "share", 0.5),
        ("quick=yes", "quick", True),
        ("quick=False", "quick", False),
    ],
)
def test_an_option_is_read_by_its_annotation(typed: str, option: str, value: object) -> None:
    parameters = inspect.signature(_takes).parameters
    read = typed_options(parse_spec(f"x:{typed}")[1], parameters)
    assert read == {option: value}
    assert type(read[option]) is type(value)


def test_a_label_like_a_number_is_the_label(tmp_path: Path) -> None:
    folder = tmp_path / "007"
    folder.mkdir()
    for label in ("1.10", "no", "2024"):
        codec = load(f"recordings:folder={folder},label={label}")
        assert codec.info.label == label
        assert load(codec.info.spec).info == codec.info
    with pytest.raises(UsageError, match="bitrate_bps must be from 0"):
        load(f"recordings:folder={folder},label=x,bitrate_bps=fast")
