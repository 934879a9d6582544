"""A codec that was trained on the corpus being scored is warned about."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from click.testing import CliRunner

import synbench_codecs
from synbench_reports.commands.show_and_export import show


@pytest.mark.parametrize(
    ("corpus", "warned"),
    [("libritts-test-clean", True), ("LibriTTS", True), ("librispeech-test", False)],
)
def test_a_table_says_which_codec_has_heard_the_corpus(
    empty_run: Any, corpus: str, warned: bool
) -> None:
    empty_run.items = {corpus: empty_run.items["speech"]}
    heard = dataclasses.replace(empty_run.codecs[1], training_data=("LibriTTS", "VCTK"))
    empty_run.codecs[1] = heard
    empty_run.begin()
    for name in ("reference", "alpha", "beta"):
        for item in ("a", "b", "c"):
            empty_run.score(name, item, "mos", 3.0, corpus=corpus)
            empty_run.score(name, item, "error", 0.5, corpus=corpus)
    done = CliRunner().invoke(show, [str(empty_run.save())], catch_exceptions=False)
    text = " ".join(done.output.split())
    assert ("trained on LibriTTS, of which" in text) == warned
    assert "trained on VCTK" not in text


@pytest.mark.parametrize(
    ("spec", "corpus"),
    [("bigcodec", "LibriSpeech"), ("xcodec2", "MLS"), ("dac", "VCTK"), ("encodec", "AudioSet")],
)
def test_released_weights_say_what_they_heard(spec: str, corpus: str) -> None:
    pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
    info = synbench_codecs.describe(spec)
    assert info is not None
    assert corpus in info.training_data
    assert corpus in info.to_json()["training_data"]
