"""What CodecInfo says of a model of this family, from its header alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from synbench_base.weights import WeightsFile
from synbench_codecs._mdct.engine import named_engine
from synbench_codecs._mdct.header import Header

__all__ = ["nominal_bitrate", "rate_label", "shared_info", "teacher_steps", "training_note"]


def training_note(header: Header) -> str:
    """One line on the training: hours and steps always, and what the training's author added.

    Whose encoder taught the words is said too: its own count of word errors is flattered by it.
    """
    training = header.training
    hours = training.get("hours")
    parts = [str(training.get("note") or "")]
    if hours is not None and "steps" in training:
        parts.append(f"trained on {hours:g} h of speech, {_steps(training)} steps")
    if header.predictors is not None and "teacher" in training:
        parts.append(f"teacher {_steps(training['teacher'])} steps")
    teacher = training.get("teacher", training).get("taught_by")
    if teacher:
        parts.append(f"words taught by {teacher}")
    return ", ".join(part for part in parts if part)


def teacher_steps(training: Mapping[str, Any]) -> int:
    """Steps of a teacher since its random weights, over all runs that went on from another."""
    own = training.get("teacher", training)
    before = own.get("started_from", {}).get("steps", 0)
    return int(before) + int(own.get("steps", 0))


def _steps(training: Mapping[str, Any]) -> str:
    """``4200 + 12000`` where a run went on from another model, and whether all of it trained."""
    before = training.get("started_from", {}).get("steps")
    total = f"{before} + {training.get('steps')}" if before else str(training.get("steps"))
    if training.get("predicted_share"):
        return f"{total} (decoder alone, on predicted tokens)"
    return f"{total} (decoder alone)" if training.get("trained") == "decoder" else total


def nominal_bitrate(header: Header, *, codebooks: int) -> Fraction:
    """Bits per second of ``codebooks`` codebooks, without the last frame's share."""
    return header.codec.frame_rate_hz * codebooks * (header.codec.codes - 1).bit_length()


def rate_label(name: str, rate: Fraction, *, header: Header) -> str:
    """``P2PSynCodec 0.5 kbps (demo)``: weights of little data say so in every table."""
    demo = " (demo)" if "demonstration" in str(header.training.get("note")) else ""
    return f"{name} {float(rate) / 1000:g} kbps{demo}"


def shared_info(header: Header, files: Sequence[WeightsFile], *, codebooks: int) -> dict[str, Any]:
    """What CodecInfo says alike of all codecs of this family; ``codebooks`` are those sent."""
    config = header.codec
    return {
        "kind": "neural",
        "implementation": f"synbench's own, {named_engine()}",
        "sample_rate": config.sample_rate,
        "output_sample_rate": config.sample_rate,
        "hop_length": config.hop,
        "frame_rate_hz": config.frame_rate_hz,
        "codebook_sizes": (config.codes,) * codebooks,
        "bits_per_frame": math.log2(config.codes) * codebooks,
        "bandwidth_hz": config.sample_rate / 2,
        "causal": False,
        "lookahead_samples": None,
        "context": "global",
        "batch_policy": "equal_length",
        "code_licence": "MIT",
        "weights": tuple(file.source for file in files),
        "training_note": training_note(header),
    }
