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
    revision="6",
    sha256="0b40a59c262719467d5b85df8febe857dece646d5ad2eb8a5eec27dd1c576526",
    size=7_755_104,
)
# One codebook, trained exactly as long as that teacher.
ONE_BOOK = _packaged(
    "mdctcodec-demo-16k-one-book",
    revision="5",
    sha256="ecdf0922f364463f097b27e0555d10df38c4fbf20ff6e751fb435cb61663dfed",
    size=5_247_720,
)
# Four codebooks trained together, for less time.
MDCTCODEC = _packaged(
    "mdctcodec-demo-16k",
    revision="2",
    sha256="5766040e5f34e160f0f24f78d0166b380279602316345aac0d9e4962f276132e",
    size=5_459_808,
)
