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

__all__ = ["MDCTCODEC", "ONE_BOOK", "ONE_BOOK_LONGER", "P2PSYNCODEC"]


def _packaged(name: str, *, sha256: str, size: int) -> Checkpoint:
    source = WeightsSource(
        repository="package:synbench_codecs",
        revision="2",
        file=f"{FOLDER}/{name}.safetensors",
        sha256=sha256,
        bytes=size,
    )
    return Checkpoint(name=name, files=(source,), licence=LICENCE, note=NOTE)


# P2PSynCodec: teacher and predictors. The longer a teacher trains, the less can be predicted of its
# tokens, so this one is not the best MDCTCodec; the model card has the numbers.
P2PSYNCODEC = _packaged(
    "p2psyncodec-demo-16k",
    sha256="90cc903f29acdf1e2121ff05d54439cebc57b4d396ad14c5a04a49d634656c0e",
    size=12_769_456,
)
# One codebook, trained exactly as long as that teacher.
ONE_BOOK = _packaged(
    "mdctcodec-demo-16k-one-book",
    sha256="85595dd435300a785270028bc74602f02077bc2c6c5613688f3139303862e5f8",
    size=5_247_712,
)
# Four codebooks and one, trained four times as long.
MDCTCODEC = _packaged(
    "mdctcodec-demo-16k",
    sha256="5766040e5f34e160f0f24f78d0166b380279602316345aac0d9e4962f276132e",
    size=5_459_808,
)
ONE_BOOK_LONGER = _packaged(
    "mdctcodec-demo-16k-one-book-longer",
    sha256="8eb3398117c9237d9e6daf5670b24c27b2c68d1b2521e3eb72dcc508c429955d",
    size=5_247_688,
)
