"""In what two runs differ before any score is looked at: settings, versions, identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]

# Fields that say what a codec or metric is; the others describe it.
CODEC_FIELDS = ("spec", "adapter_version", "implementation", "output_delay_samples", "weights")
METRIC_FIELDS = ("implementation", "version", "mode", "weights_sha256", "sample_rates")

__all__ = ["differing_fields", "identity_differences", "setting_differences"]


def setting_differences(first: Record, second: Record) -> Iterator[str]:
    """Policy, packages, builds and machine, one line each: ``package scipy: 1.11 -> 1.12``."""
    for part in ("policy", "packages", "builds", "host"):
        # Runs of older versions say nothing of builds.
        one, other = first.get(part, {}), second.get(part, {})
        for name in sorted({*one, *other}):
            old, new = one.get(name, "absent"), other.get(name, "absent")
            if old != new:
                yield f"{part.removesuffix('s')} {name}: {old} -> {new}"


def identity_differences(first: Record, second: Record) -> Iterator[str]:
    """Codecs, metrics and corpora that only one run has, or that are not the same in both."""
    for kind, key, identity, fields in (
        ("codec", "label", "codec_id", CODEC_FIELDS),
        ("metric", "column", "metric_id", METRIC_FIELDS),
        ("corpus", "name", "digest", ("digest", "items", "spec")),
    ):
        plural = "corpora" if kind == "corpus" else f"{kind}s"
        one = {entry[key]: entry for entry in first[plural]}
        other = {entry[key]: entry for entry in second[plural]}
        for name in dict.fromkeys([*one, *other]):
            if name not in other:
                yield f"{kind} {name}: only in A"
            elif name not in one:
                yield f"{kind} {name}: only in B"
            elif one[name][identity] != other[name][identity]:
                yield f"{kind} {name}: {differing_fields(one[name], other[name], fields)}"


def differing_fields(first: Record, second: Record, fields: tuple[str, ...]) -> str:
    """``version 1.0 -> 1.1``, for every field that differs."""
    names = [
        f"{field} {_short(first.get(field))} -> {_short(second.get(field))}"
        for field in fields
        if first.get(field) != second.get(field)
    ]
    return ", ".join(names) or "made from other files"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
