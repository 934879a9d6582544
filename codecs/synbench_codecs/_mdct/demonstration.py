"""The demonstration weights that come with this package, and what every table says of them.

They were trained by the configurations ``tiny``, ``tiny-one-book`` and those that go on from them,
on a few hours of speech: they show that the codecs work and what they cost, not what the paper's
models can do. The model card beside the files holds data, steps and scores.
"""

from __future__ import annotations

from synbench_codecs._interface import Checkpoint, WeightsSource

FOLDER = "weights"
LICENCE = "CC-BY-4.0"
NOTE = "demonstration weights, comes with synbench; see the model card beside it"

__all__ = ["ONE_BOOK", "P2PSYNCODEC"]


def _packaged(name: str, *, sha256: str, size: int) -> Checkpoint:
    source = WeightsSource(
        repository="package:synbench_codecs",
        revision="1",
        file=f"{FOLDER}/{name}.safetensors",
        sha256=sha256,
        bytes=size,
    )
    return Checkpoint(name=name, files=(source,), licence=LICENCE, note=NOTE)


# P2PSynCodec and, without its predictors, its teacher: MDCTCodec with four codebooks.
P2PSYNCODEC = _packaged(
    "p2psyncodec-demo-16k",
    sha256="a1189e235b7849fb580ec098cabc213c8afbe7973f48c0f0e374481b87cacf71",
    size=12_769_312,
)
ONE_BOOK = _packaged(
    "mdctcodec-demo-16k-one-book",
    sha256="d7bfc258a8162287084978777c0b9663e6e6364fb2629cd2c7af47076d93eb5e",
    size=5_247_568,
)
