"""What a codec may raise; the tree of all errors is drawn in :mod:`synbench_base.errors`.

``CodecError`` is the former name of the base, :class:`~synbench_base.errors.SynbenchError`.
"""

from synbench_base.errors import (
    BitstreamError,
    EncodeError,
    MissingWeights,
    SynbenchError,
    Unavailable,
    UnpublishedWeights,
    UsageError,
    WeightsError,
)

CodecError = SynbenchError

__all__ = [
    "BitstreamError",
    "CodecError",
    "EncodeError",
    "MissingWeights",
    "SynbenchError",
    "Unavailable",
    "UnpublishedWeights",
    "UsageError",
    "WeightsError",
]
