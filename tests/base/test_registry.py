"""Names without imports, a broken module that costs itself alone, families of metric columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import synbench_metrics
from synbench.metric_names import notes_on_families
from synbench_base.errors import Unavailable, UsageError
from synbench_base.registry import Registry


class Point:
    """An entry point."""

    def __init__(self, loaded: Any) -> None:
        self.loaded = loaded

    def load(self) -> Any:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def _text(loaded: Any) -> str:
    if not isinstance(loaded, str):
        raise TypeError("a text")
    return loaded


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[str]:
    package = tmp_path / "made_up_things"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "_private.py").write_text("raise RuntimeError('never to be imported')")
    (package / "alpha.py").write_text("THINGS = {'alpha_one': 'a1', 'alpha_two': 'a2'}")
    (package / "beta.py").write_text("import absent_library")
    (package / "gamma.py").write_text("THINGS = {'other': 'o'}")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("made_up_things")]:
        monkeypatch.delitem(sys.modules, name)
    made: Registry[str] = Registry(
        "thing",
        package="made_up_things",
        content=lambda module: module.THINGS,
        group="made-up",
        accepts=_text,
        otherwise=lambda name: "see: things",
    )
    made.entry_points = {
        "installed": Point("i"),  # type: ignore[dict-item]
        "wrong": Point(3),  # type: ignore[dict-item]
        "raises": Point(OSError("libx.so")),  # type: ignore[dict-item]
    }
    return made


def test_a_name_imports_only_the_module_that_is_called_like_it(registry: Registry[str]) -> None:
    assert registry.get("alpha_two") == "a2"
    loaded = {name for name in sys.modules if name.startswith("made_up_things.")}
    assert loaded == {"made_up_things.alpha"}


def test_a_broken_module_costs_itself_alone(registry: Registry[str]) -> None:
    assert registry.names() == [
        "alpha_one", "alpha_two", "beta", "installed", "other", "raises", "wrong",
    ]  # fmt: skip
    assert registry.get("other") == "o"
    for name in ("beta", "beta-large"):
        with pytest.raises(Unavailable, match=r"does not import: .*absent_library"):
            registry.get(name)


def test_unknown_names_get_the_close_ones(registry: Registry[str]) -> None:
    with pytest.raises(UsageError, match="did you mean alpha_one or alpha_two"):
        registry.get("alpha_on")
    with pytest.raises(UsageError, match="see: things; beta does not import"):
        registry.get("zzz")


def test_entry_points(registry: Registry[str]) -> None:
    assert registry.get("installed") == "i"
    assert "installed" in registry
    with pytest.raises(Unavailable, match="must name a text, got 3"):
        registry.get("wrong")
    with pytest.raises(Unavailable, match=r"does not import: libx.so"):
        registry.get("raises")


@pytest.mark.parametrize(
    ("typed", "column"),
    [
        ("UTMOS", "utmos"),
        ("PESQ-WB", "pesq_wb"),
        ("Si-SDR", "si_sdr"),
        ("mrstft", "mrstft_distance"),
    ],
)
def test_a_column_is_found_whatever_the_case(typed: str, column: str) -> None:
    assert synbench_metrics.load(typed).info.column == column


@pytest.mark.parametrize(
    ("typed", "usual"),
    [
        ("Pesq", "pesq_wb"),
        ("visqol", "visqol_speech_lattice"),
        ("DNSMOS", "dnsmos_ovrl"),
        ("sigmos", "sigmos_ovrl"),
        ("WER", "wer_moonshine_tiny_english"),
    ],
)
def test_a_family_is_its_usual_column_for_speech(typed: str, usual: str) -> None:
    assert synbench_metrics.load(typed).info.column == usual
    (said,) = notes_on_families([typed, usual])
    assert said.startswith(f"{typed!r} is taken as {usual}; there are also ")


def test_no_two_modules_offer_one_name() -> None:
    from synbench.corpora._registry import registry as corpora
    from synbench_codecs._registry import registry as codecs
    from synbench_metrics._registry import registry as metrics

    for each in (codecs, metrics, corpora):
        offered = [name for module in each.modules for name in each._read(module)]
        assert sorted(offered) == sorted(set(offered))
