"""The demonstration weights that come with this package, and what every table says of them.

They were trained by the configurations ``tiny``, ``tiny-one-book`` and those that go on from them,
on a few hours of speech: they show that the codecs work and what they cost, not what the paper's
models can do. The model card beside the files holds data, steps and scores.
"""

from __future__ import annotations

from synbench_base.weights import Checkpoint, WeightsSource

FOLDER = "weights"
LICENCE = "CC-BY-4.0"
NOTE = "demonstration weights, comes with synbench; see the model card beside it"

__all__ = ["MDCTCODEC", "ONE_BOOK", "P2PSYNCODEC"]


def _packaged(name: str, *, revision: str, sha256: str, size: int) -> Checkpoint:
    source = WeightsSource(
        repository="package:synbench_codecs",
        revision=revision,
        file=f"{FOLDER}/{name}.safetensors",
        sha256=sha256,
        bytes=size,
    )
    return Checkpoint(name=name, files=(source,), licence=LICENCE, note=NOTE)


# P2PSynCodec: its teacher, its predictors, and a decoder that has heard what they make.
P2PSYNCODEC = _packaged(
    "p2psyncodec-demo-16k",
    revision="3",
    sha256="258315d7d2ef84b0e911802ae9181947ce013059e32a1252fc9eb68d89744ab3",
    size=12_769_504,
)
# One codebook, trained exactly as long as that teacher and its decoder.
ONE_BOOK = _packaged(
    "mdctcodec-demo-16k-one-book",
    revision="3",
    sha256="d17831ec89a57e944506e475c9a83705932d04d8d5244d93a71b2a6e8c0d48d3",
    size=5_247_720,
)
# Four codebooks trained together, for less time.
MDCTCODEC = _packaged(
    "mdctcodec-demo-16k",
    revision="2",
    sha256="5766040e5f34e160f0f24f78d0166b380279602316345aac0d9e4962f276132e",
    size=5_459_808,
)
