"""What is known of published codecs besides what they say themselves: stated rates, and proofs.

The page is made from descriptions of the registry and of the scripts in ``examples/codecs``. What
a description cannot know stands here: the rate that the authors print, and against what our
network, or the script, was tried. A proof is a test of ``tests/codecs``.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent.parent / "examples/codecs"
PACKAGE = "tokens equal and waves within 1e-5 of the authors' package, full size, random weights"
CODE = "tokens and waves equal to the authors' code, narrow in the tests"
CLASS = "is transformers' class, tokens equal on whole frames, small, random weights"
STAND_IN = "stand-in of the package"

# By name: kbit/s as the authors print it, and what was compared.
NETWORKS = {
    "bigcodec": ("1.04", CODE),
    "dac": ("6 (16 kHz), 24 (24 kHz), 8 (44 kHz)", PACKAGE),
    "encodec": ("1.5 to 24", PACKAGE),
    "higgs": ("2", CLASS + "; another resampler"),
    "lyra": ("3.2, 6, 9.2", "the released models themselves; here only loaded where they are"),
    "mdctcodec": ("6 (48 kHz)", "equal to the released layout; own weights at 16 kHz"),
    "mimi": ("1.1 with 8 books", PACKAGE),
    "neucodec": ("0.8", CLASS),
    "snac": ("0.98", PACKAGE),
    "speechtokenizer": ("4 with 8 books", PACKAGE),
    "sqcodec": ("0.75, 1.5, 6", "whole windows equal to the authors' package"),
    "wavtokenizer": ("0.48, 0.9", CODE + "; codes equal to transformers' class"),
    "xcodec": ("0.5 to 4", CLASS),
    "xcodec2": ("0.8", "transformers' class; the published checkpoint's number of values"),
}

# Name, script, settings to count, kbit/s as printed.
EXAMPLES = (
    (
        "DualCodec",
        "dual_codec",
        ("model=12hz_v1;books=1", "model=12hz_v1;books=6", "model=12hz_v1;books=8"),
        "0.93 with 6 books",
    ),
    ("FlexiCodec", "flexi_codec", ("threshold=0.91;books=8",), "by the frames that are left"),
    ("FocalCodec", "focal_codec", ("model=12_5hz", "model=25hz", "model=50hz"), "0.16, 0.33, 0.65"),
    (
        "FocalCodec-Stream",
        "focal_codec",
        ("model=50hz_2k_causal", "model=50hz_4k_causal", "model=50hz_65k_causal"),
        "0.55, 0.60, 0.80",
    ),
    ("BiCodec", "bi_codec", ("",), "0.65"),
    ("FACodec", "fa_codec", ("",), "4.8"),
    (
        "SemantiCodec",
        "semanti_codec",
        tuple(f"token_rate={rate};vocabulary=16384" for rate in (25, 50, 100)),
        "0.34, 0.68, 1.35",
    ),
    ("XY-Tokenizer", "xy_codec", ("",), "1"),
    (
        "NanoCodec",
        "nano_codec",
        ("model=0.6kbps-12.5fps", "model=1.78kbps-12.5fps", "model=1.89kbps-21.5fps"),
        "0.6, 1.78, 1.89",
    ),
    ("Qwen3-TTS-Tokenizer-12Hz", "qwen3_codec", ("",), "12.5 Hz, 16 books of 2048"),
)
# Scripts that were run with the authors' own network, narrow and with random weights, too.
TRIED = dict.fromkeys(
    (
        "bi_codec",
        "dual_codec",
        "fa_codec",
        "focal_codec",
        "nano_codec",
        "qwen3_codec",
        "xy_codec",
    ),
    "its own network, random weights; ",
) | {
    "flexi_codec": "its own network, random weights, another recogniser; ",
    "semanti_codec": "its own network, random weights, one utterance; ",
}

# What pip said of installing them beside torch 2.13, transformers 5.24 and onnxruntime 1.32.
APART_HEADINGS = ("Codec", "Package", "Why it runs in an environment of its own")
APART = (
    (
        "DualCodec, FlexiCodec",
        "`dualcodec` 0.4.2, `flexicodec` 0.1.2",
        "Both want protobuf below 3.20, through `descript-audiotools`; onnxruntime, which metrics "
        "run on, wants 4.25.8 or later. Some 70 packages come along.",
    ),
    (
        "Qwen3-TTS-Tokenizer-12Hz",
        "`qwen-tts` 0.1.1",
        "It pins transformers 4.57.3; codecs here need 5.23 or later.",
    ),
    (
        "NanoCodec",
        "`nemo-toolkit` 3.0.0",
        "It can be installed beside the others, with some 80 packages, and takes packaging and "
        "fsspec back to versions of last year.",
    ),
    (
        "FocalCodec, BiCodec, FACodec, SemantiCodec, XY-Tokenizer",
        "none",
        "The package index does not have them: they are the authors' repositories.",
    ),
)

__all__ = ["APART", "APART_HEADINGS", "HEADINGS", "rows"]

HEADINGS = (
    "Codec",
    "kbit/s counted",
    "kbit/s as printed",
    "Licence of the code",
    "Licence of the weights",
    "Trained on",
    "Look-ahead",
    "Compared with",
)


def rows(facts: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row for every network of the registry and every script.

    Args:
        facts: what :func:`synbench.commands.listing.codec_facts` gives for all codecs.
    """
    by_name: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        by_name.setdefault(fact["spec"].partition(":")[0], []).append(fact)
    for name, (printed, compared) in sorted(NETWORKS.items()):
        known = [fact for fact in by_name.get(name, []) if "label" in fact]
        if known:
            yield _network(name, known, printed, compared)
    for example in EXAMPLES:
        yield _script(*example)


def _network(
    name: str, facts: list[dict[str, Any]], printed: str, compared: str
) -> tuple[str, ...]:
    first = facts[0]
    rates = [
        float(Fraction(fact["frame_rate_hz"])) * fact["bits_per_frame"]
        for fact in facts
        if fact["bits_per_frame"]
    ]
    return (
        f"[`{name}`](codecs.md#{name})",
        _listed(rates),
        printed,
        first["code_licence"],
        first["weights_licence"] or "not stated",
        ", ".join(first["training_data"]) or "not stated",
        _lookahead(first["lookahead_samples"], first["sample_rate"]),
        compared,
    )


def _script(name: str, script: str, settings: tuple[str, ...], printed: str) -> tuple[str, ...]:
    told = [_described(script, text) for text in settings]
    first = told[0]
    counted = _listed([_bits(one) * one["sample_rate"] / one["hop_length"] for one in told])
    side = sum(map(math.log2, first.get("side_sizes", ())))
    return (
        f"{name} (`{script}.py`)",
        ("at most " if first.get("longest_frame") else "")
        + counted
        + (f", and {side:g} bits an utterance" if side else ""),
        printed,
        first["code_licence"],
        first["weights_licence"] or "not stated",
        ", ".join(first.get("training_data", ())) or "not stated",
        _lookahead(first["lookahead_samples"], first["sample_rate"])
        if "causal" in first
        else "not stated",
        TRIED.get(script, "") + STAND_IN,
    )


def _described(name: str, settings: str) -> dict[str, Any]:
    path = SCRIPTS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    chosen = dict(part.split("=") for part in settings.split(";") if part)
    if chosen:
        module.configure(**{key: _number(value) for key, value in chosen.items()})
    description: dict[str, Any] = module.describe()
    return description


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _bits(told: dict[str, Any]) -> float:
    length = math.log2(told.get("longest_frame", 1))
    return length + sum(map(math.log2, told["codebook_sizes"]))


def _listed(rates: list[float]) -> str:
    return ", ".join(dict.fromkeys(f"{rate / 1000:.3g}" for rate in sorted(rates)))


def _lookahead(samples: int | None, rate: int | None) -> str:
    if samples is None or not rate:
        return "the whole file"
    return f"{1000 * samples / rate:.3g} ms"
