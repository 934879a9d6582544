"""A codec that was trained on the corpus being scored is warned about."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from click.testing import CliRunner

import synbench_codecs
from synbench.commands.plan import plan
from synbench.training_overlap import training_overlap
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


@pytest.mark.parametrize(
    ("heard", "corpus", "said"),
    [
        ("MLS", "librispeech-dummy", "which like librispeech-dummy is cut from the audiobooks"),
        ("LibriSpeech", "LibriSpeech test-clean", "of which LibriSpeech test-clean is a part"),
        ("VCTK", "librispeech", ""),
        ("MLS", "vctk", ""),
    ],
)
def test_corpora_of_one_source_are_relatives(heard: str, corpus: str, said: str) -> None:
    text = training_overlap([heard], corpus)
    assert said in text
    assert bool(said) == bool(text)


def test_metrics_that_heard_the_corpus_are_named_before_a_run(
    tmp_path: Any, capsys: Any, monkeypatch: Any
) -> None:
    suite = {
        "name": "heard",
        "corpora": [{"corpus": "synthetic", "name": "librispeech-like", "limit": 1}],
        "codecs": ["g722"],
        "metrics": ["wer_moonshine_tiny_english", "stoi"],
        "unavailable": "skip",
    }
    path = tmp_path / "heard.yaml"
    path.write_text(json.dumps(suite))
    monkeypatch.setattr("synbench_metrics._weights.find_weights", lambda *_: ())
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(plan, [str(path)], catch_exceptions=False)
    lines = [line for line in done.output.splitlines() if "trained on" in line]
    assert lines == [
        "! WER (Moonshine tiny): trained on LibriSpeech, of which librispeech-like is a part or a "
        "neighbour: it may judge this speech otherwise than speech it never heard"
    ]
