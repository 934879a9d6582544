"""The demonstration weights that come with this package, and what every table says of them.

They were trained by the configurations ``tiny``, ``tiny-one-book``, ``tiny-voice`` and those that
go on from them, on a few hours of speech: they show that the codecs work and what they cost, not
what the paper's models can do. The model card beside the files holds data, steps and scores.
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


# P2PSynCodec: its teacher of two codebooks and one predictor, the decoder frozen as in the paper.
P2PSYNCODEC = _packaged(
    "p2psyncodec-demo-16k",
    revision="7",
    sha256="2060194f052d55e18c2720ab4ebce5a763df722ed992bf3b8a1036338fd639b3",
    size=7_755_264,
)
# One codebook, trained exactly as long as that teacher.
ONE_BOOK = _packaged(
    "mdctcodec-demo-16k-one-book",
    revision="6",
    sha256="b15a70dd9e1e0f748b7560b065ebead9f168dad85b974df7e6b7fecf09375e60",
    size=5_247_752,
)
# Four codebooks trained together, for less time.
MDCTCODEC = _packaged(
    "mdctcodec-demo-16k",
    revision="2",
    sha256="5766040e5f34e160f0f24f78d0166b380279602316345aac0d9e4962f276132e",
    size=5_459_808,
)
