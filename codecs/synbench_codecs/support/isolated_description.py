"""What a script in another interpreter says about its codec, checked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from synbench_base.weights import WeightsSource, file_sha256
from synbench_codecs._interface import CodecInfo
from synbench_codecs.errors import Unavailable
from synbench_codecs.support.isolated_payload import Layout

# What a description may hold, and the type of each value.
FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "label": str,
    "sample_rate": int,
    "hop_length": int,
    "codebook_sizes": list,
    "side_sizes": list,
    "longest_frame": int,
    "seed": int,
    "implementation": str,
    "output_sample_rate": int,
    "output_delay_samples": int,
    "lookahead_samples": (int, type(None)),
    "causal": bool,
    "bitrate_bps": (int, float),
    "code_licence": str,
    "weights_licence": str,
    "training_data": list,
    "training_note": str,
    "source": str,
    "weights": list,
}

__all__ = ["described"]


def described(
    answer: dict[str, Any], *, spec: str, script: Path
) -> tuple[CodecInfo, Layout | None, int | None]:
    """All that is known about the codec, the layout of its streams, and its seed.

    Args:
        answer: the script's description and its interpreter's version.
        spec: the codec with its options.
        script: its path.

    Returns:
        The layout is ``None`` where the script gives bytes, the seed where it draws no numbers.

    Raises:
        Unavailable: the description lacks something, or holds something unknown or of another type.
    """
    told = _checked(answer["description"], script)
    layout = _layout(told, script)
    seed = told.get("seed")
    return _info(told, layout, spec=spec, script=script, python=answer["python"]), layout, seed


def _info(
    told: dict[str, Any], layout: Layout | None, *, spec: str, script: Path, python: str
) -> CodecInfo:
    sample_rate, hop = told["sample_rate"], told.get("hop_length")
    # Frames of different lengths are no grid: how many there are does not follow from the wave.
    even = layout is not None and not layout.longest_frame
    sizes = layout.codebook_sizes if layout is not None and even else ()
    frame_rate = Fraction(sample_rate, hop) if hop and (even or layout is None) else None
    bits = float(sum(np.log2(sizes))) if sizes else None
    nominal = told.get("bitrate_bps")
    if nominal is None and bits and frame_rate:
        nominal = Fraction(bits) * frame_rate
    seed = f", seed {told['seed']}" if "seed" in told else ""
    name = told.get("implementation", script.name)
    return CodecInfo(
        spec=spec,
        label=told["label"],
        kind="external",
        adapter_version=1,
        implementation=f"{name}{seed}, Python {python}",
        sample_rate=sample_rate,
        output_sample_rate=told.get("output_sample_rate", sample_rate),
        nominal_bitrate_bps=None if nominal is None else Fraction(nominal),
        hop_length=hop if frame_rate else None,
        frame_rate_hz=frame_rate,
        codebook_sizes=sizes,
        bits_per_frame=bits,
        causal=told.get("causal"),
        lookahead_samples=told.get("lookahead_samples"),
        output_delay_samples=told.get("output_delay_samples", 0),
        stochastic="seed" in told,
        code_licence=told.get("code_licence", ""),
        weights_licence=told.get("weights_licence", ""),
        weights=(_source(script), *(_weights(path, script) for path in told.get("weights", ()))),
        training_data=tuple(told.get("training_data", ())),
        training_note=told.get("training_note", ""),
        source=told.get("source", "a script of the user's own"),
    )


def _layout(told: dict[str, Any], script: Path) -> Layout | None:
    """What a stream holds; ``None`` where the script gives bytes."""
    layout = Layout(
        codebook_sizes=tuple(told.get("codebook_sizes", ())),
        side_sizes=tuple(told.get("side_sizes", ())),
        longest_frame=told.get("longest_frame", 0),
    )
    if layout.codebook_sizes:
        return layout
    if not layout.plain:
        raise Unavailable(
            f"{script}: describe() gives side_sizes or longest_frame without codebook_sizes"
        )
    return None


def _checked(told: Any, script: Path) -> dict[str, Any]:
    if not isinstance(told, dict) or not {"label", "sample_rate"} <= set(told):
        raise Unavailable(f"{script}: describe() must give at least label and sample_rate")
    for name, value in told.items():
        if name not in FIELD_TYPES:
            raise Unavailable(
                f"{script}: describe() gives {name!r}; known: {', '.join(FIELD_TYPES)}"
            )
        if not isinstance(value, FIELD_TYPES[name]):
            raise Unavailable(f"{script}: describe() gives {name}={value!r} of a wrong type")
    checked: dict[str, Any] = told
    return checked


def _weights(name: str, script: Path) -> WeightsSource:
    """A file that lies beside the script, or where its path says."""
    beside = script.parent / name
    return _source(beside if beside.is_file() else Path(name))


def _source(path: Path) -> WeightsSource:
    if not path.is_file():
        raise Unavailable(f"describe() names weights that are not there: {path}")
    return WeightsSource(
        repository="local",
        revision="",
        file=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
    )
